import SemelKubernetes

/// Which objects a list or a watch is about.
struct StandInSelector: Sendable {
    private enum Requirement: Sendable {
        case labelIn(String, [String])
        case labelNotIn(String, [String])
        case labelExists(String)
        case labelMissing(String)
        case field([String], String, isEqual: Bool)
    }

    private var requirements: [Requirement] = []
    var isEmpty: Bool { requirements.isEmpty }

    init(labels: String, fields: String) throws {
        for part in Self.parts(of: labels) { requirements.append(try Self.label(part)) }
        for part in fields.split(separator: ",") {
            let isEqual = !part.contains("!=")
            let sides = part.split(separator: isEqual ? (part.contains("==") ? "==" : "=") : "!=", maxSplits: 1)
            guard let path = sides.first else { throw StandInRefusal.badRequest("invalid selector: '\(part)'") }
            requirements.append(
                .field(
                    path.split(separator: ".").map(String.init), sides.count > 1 ? String(sides[1]) : "",
                    isEqual: isEqual))
        }
    }

    /// Commas inside parentheses separate values.
    private static func parts(of text: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var depth = 0
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        return (parts + [part]).map { $0.trimmed }.filter { !$0.isEmpty }
    }

    private static func label(_ part: String) throws -> Requirement {
        for word in [" notin ", " in "] {
            guard let range = part.firstRange(of: word) else { continue }
            let key = String(part[..<range.lowerBound]).trimmed
            let list = String(part[range.upperBound...]).trimmed
            guard list.hasPrefix("("), list.hasSuffix(")") else {
                throw StandInRefusal.badRequest("unable to parse requirement: found '\(list)', expected: '('")
            }
            let values = list.dropFirst().dropLast().split(separator: ",").map { String($0).trimmed }
            return word == " in " ? .labelIn(key, values) : .labelNotIn(key, values)
        }
        if part.hasPrefix("!") { return .labelMissing(String(part.dropFirst()).trimmed) }
        for sign in ["!=", "==", "="] {
            guard let range = part.firstRange(of: sign) else { continue }
            let key = String(part[..<range.lowerBound]).trimmed
            let value = String(part[range.upperBound...]).trimmed
            return sign == "!=" ? .labelNotIn(key, [value]) : .labelIn(key, [value])
        }
        return .labelExists(part)
    }

    func matches(_ object: JSONValue) -> Bool {
        let labels = object["metadata", "labels"]?.texts ?? [:]
        return requirements.allSatisfy { requirement in
            switch requirement {
            case .labelIn(let key, let values): labels[key].map { values.contains($0) } ?? false
            // As in Kubernetes an object without the label is not in any list.
            case .labelNotIn(let key, let values): labels[key].map { !values.contains($0) } ?? true
            case .labelExists(let key): labels[key] != nil
            case .labelMissing(let key): labels[key] == nil
            case .field(let path, let value, let isEqual):
                (path.reduce(object) { $0?[$1] }?.string ?? "" == value) == isEqual
            }
        }
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }
}
