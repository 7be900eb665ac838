import Semel

/// Why KEDA would refuse a trigger, or why it cannot be understood here: one line.
public struct TriggerError: Error, Sendable, Hashable, CustomStringConvertible {
    public let position: Position
    /// `spec.triggers[0].metadata.value`
    public let path: String
    public let message: String

    public init(position: Position, path: String, message: String) {
        self.position = position
        self.path = path
        self.message = message
    }

    public var description: String { "\(position): \(path): \(message)".onOneLine }

    public var finding: Finding { Finding(.invalid, at: position, path: path, message) }
}

/// A trigger's parameters, looked up where KEDA looks: in its metadata, in its authentication and in the environment of
/// the Job's container, in the order that each parameter has of its own. An empty value is none.
struct TriggerParameters {
    enum Place {
        case metadata, authentication, environment
    }

    let trigger: ScaledJob.Trigger
    let authentication: [String: ResolvedText]
    let environment: [String: ResolvedText]
    /// Why parameters that are nowhere may be somewhere in the cluster; `nil` when they are certainly absent.
    let hiddenSource: String?
    /// The same of the container's variables: some of them are taken from an object that is not in the files.
    var hiddenVariables: String?

    var path: String { "spec.triggers[\(trigger.index)]" }

    func text(_ name: String, _ places: [Place]) -> ResolvedText? {
        for place in places {
            let found: ResolvedText? =
                switch place {
                case .metadata: trigger.metadata[name].map { .known(SecretText($0.value)) }
                case .authentication: authentication[name]
                case .environment: variable(for: name)
                }
            switch found {
            case .known(let text):
                let trimmed = text.revealed.trimmed
                if !trimmed.isEmpty { return .known(SecretText(trimmed)) }
            case .unknown: return found
            case nil: break
            }
        }
        guard let hiddenSource, places.contains(.authentication) else { return nil }
        return .unknown(hiddenSource)
    }

    /// `hostFromEnv: RABBITMQ_URL` is the variable's value. A variable that is not there is no error yet.
    private func variable(for name: String) -> ResolvedText? {
        guard let variable = trigger.metadata["\(name)FromEnv"]?.value.trimmed else { return nil }
        return environment[variable] ?? hiddenVariables.map { .unknown($0) }
    }

    func required(_ name: String, _ places: [Place]) throws(TriggerError) -> ResolvedText {
        guard let text = text(name, places) else { throw missing(name, places) }
        return text
    }

    /// Text that is in the metadata, if anywhere, and no secret.
    func metadata(_ name: String) -> String? {
        text(name, [.metadata])?.text?.revealed
    }

    func requiredMetadata(_ name: String) throws(TriggerError) -> String {
        guard let text = metadata(name) else { throw missing(name, [.metadata]) }
        return text
    }

    func integer(_ name: String) throws(TriggerError) -> Int64? {
        guard let text = metadata(name) else { return nil }
        guard let number = GoNumbers.jsonInteger(text) else { throw error(name, "\(text.quoted)is not a whole number") }
        return number
    }

    func number(_ name: String) throws(TriggerError) -> Double? {
        guard let text = metadata(name) else { return nil }
        guard let number = GoNumbers.jsonNumber(text) else { throw error(name, "\(text.quoted)is not a number") }
        return number
    }

    /// KEDA takes `true` and `false` and no other words, which are right elsewhere.
    func flag(_ name: String) throws(TriggerError) -> Bool? {
        switch metadata(name) {
        case nil: return nil
        case "true": return true
        case "false": return false
        case let text?: throw error(name, "\(text.quoted)is neither true nor false")
        }
    }

    private func missing(_ name: String, _ places: [Place]) -> TriggerError {
        var ways: [String] = []
        if places.contains(.metadata) { ways.append("in the metadata") }
        if places.contains(.authentication) { ways.append("in a TriggerAuthentication") }
        if places.contains(.environment) { ways.append("as \(name)FromEnv") }
        if let variable = trigger.metadata["\(name)FromEnv"], places.contains(.environment) {
            // Some write the address itself here, password included.
            guard variable.value.trimmed.isVariableName else {
                return error("\(name)FromEnv", "is not the name of a variable of the Job's container")
            }
            return error(
                "\(name)FromEnv", "the Job's container has no variable ‘\(variable.value)’ with a value")
        }
        return error(name, "is missing; give it \(ways.joined(separator: ", or "))")
    }

    func error(_ name: String, _ message: String) -> TriggerError {
        let field = trigger.metadata[name]
        return TriggerError(
            position: field?.position ?? trigger.position, path: field?.path ?? "\(path).metadata.\(name)",
            message: message)
    }

    func error(_ message: String) -> TriggerError {
        TriggerError(position: trigger.position, path: path, message: message)
    }
}

extension String {
    /// `‘one’ ` for the beginning of a message. Nothing, when it may be an address with a password in it.
    var quoted: String {
        let isHarmless = count <= 40 && !contains("@") && !contains("://")
        return isHarmless ? "‘\(onOneLine)’ " : ""
    }

    /// What Kubernetes takes for the name of a variable.
    fileprivate var isVariableName: Bool {
        guard let first = utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    var trimmed: String {
        String(trimmingPrefix(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// `a, b`: parts without the blanks around them.
    var commaSeparated: [String] {
        split(separator: ",").map { String($0).trimmed }
    }
}
