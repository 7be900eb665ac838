import Semel
import SemelKEDA
public import SemelKubernetes

/// A field that is not as it is wanted.
public struct FieldDifference: Sendable, Hashable {
    /// `spec.jobTemplate.spec.template.spec.containers[work].image`
    public let path: String
    /// `nil` for what is not there, and for what may be secret.
    public let before: String?
    public let after: String?

    /// What an object's labels, annotations and `spec` differ in, in the order of the fields' names. Everything else is the
    /// cluster's own.
    public static func between(_ before: JSONValue, _ after: JSONValue) -> [FieldDifference] {
        var found: [FieldDifference] = []
        for path in [["metadata", "labels"], ["metadata", "annotations"], ["spec"]] {
            let values = [before, after].map { object in path.reduce(Optional(object)) { $0?[$1] } }
            compare(values[0], values[1], path.joined(separator: "."), &found)
        }
        return found
    }

    private static func compare(
        _ before: JSONValue?, _ after: JSONValue?, _ path: String, _ found: inout [FieldDifference]
    ) {
        guard before != after else { return }
        if let one = before?.object, let other = after?.object {
            for name in Set(one.keys).union(other.keys).sorted() {
                compare(one[name], other[name], "\(path).\(name)", &found)
            }
        } else if let one = before?.array.flatMap(byName), let other = after?.array.flatMap(byName) {
            for name in Set(one.keys).union(other.keys).sorted() {
                compare(one[name], other[name], "\(path)[\(name)]", &found)
            }
            // The same elements in another order.
            if found.last?.path.hasPrefix("\(path)[") != true {
                found.append(FieldDifference(path: path, before: nil, after: nil))
            }
        } else {
            let isShown = isShown(path)
            found.append(
                FieldDifference(
                    path: path, before: isShown ? before.flatMap(word) : nil, after: isShown ? after.flatMap(word) : nil
                ))
        }
    }

    /// The elements of a list whose elements have names, such as containers and variables.
    private static func byName(_ elements: [JSONValue]) -> [String: JSONValue]? {
        let pairs = elements.compactMap { element in element["name"]?.string.map { ($0, element) } }
        guard pairs.count == elements.count, Set(pairs.map(\.0)).count == pairs.count else { return nil }
        return Dictionary(pairs) { first, _ in first }
    }

    /// A variable, a word of a command, an annotation and a header of a probe may be anybody's password.
    private static func isShown(_ path: String) -> Bool {
        if GroupVariables.names.contains(where: { path.hasSuffix(".env[\($0)].value") }) { return true }
        let secretive = [".env", ".args", ".command", ".httpHeaders", "metadata.annotations"]
        return !secretive.contains { path.contains($0) }
    }

    private static func word(_ value: JSONValue) -> String? {
        switch value {
        case .null, .object, .array: nil
        case .string(let text): text.onOneLine
        case .bool, .integer, .number: value.text
        }
    }

    /// `spec.suspend: false → true`; just the name when neither can be shown.
    public var text: String {
        guard before != nil || after != nil else { return path }
        return "\(path): \(before ?? "-") → \(after ?? "-")"
    }
}
