import Semel

/// `configmap:[NAMESPACE/]NAME`: where a state is that is not in a file.
struct ConfigMapPlace {
    /// The key under which the text is.
    static let key = "state"
    static let form = "configmap:[NAMESPACE/]NAME"

    let namespace: String?
    let name: String

    static func isMeant(by text: String) -> Bool { text.hasPrefix("configmap:") }

    /// `nil` when it is something else, or wrong.
    init?(_ text: String) {
        guard Self.isMeant(by: text) else { return nil }
        let parts = text.dropFirst("configmap:".count).split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        namespace = parts.count == 2 ? String(parts[0]) : nil
        self.name = String(name)
    }
}
