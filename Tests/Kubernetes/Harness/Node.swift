import Foundation

/// A value of a manifest: JSON, looked into by keys and places.
enum Node: Sendable, Hashable, Codable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([Node])
    case map([String: Node])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([Node].self) {
            self = .list(list)
        } else {
            self = .map(try container.decode([String: Node].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let flag): try container.encode(flag)
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .map(let map): try container.encode(map)
        }
    }

    /// What is at a path such as `spec.triggers.0.metadata`; null when nothing is.
    subscript(_ path: String) -> Node {
        path.split(separator: ".").reduce(self) { node, key in
            switch node {
            case .map(let map): map[String(key)] ?? .null
            case .list(let list): Int(key).flatMap { list.indices.contains($0) ? list[$0] : nil } ?? .null
            default: .null
            }
        }
    }

    /// For whoever reads it as YAML, where a slash must not be escaped.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// With another text wherever this one is a value.
    func replacing(_ text: String, with other: String) -> Node {
        switch self {
        case .text(text): .text(other)
        case .list(let list): .list(list.map { $0.replacing(text, with: other) })
        case .map(let map): .map(map.mapValues { $0.replacing(text, with: other) })
        default: self
        }
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
    var items: [Node] { if case .list(let list) = self { list } else { [] } }
    var map: [String: Node] { if case .map(let map) = self { map } else { [:] } }
}

extension Node: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    init(stringLiteral value: String) { self = .text(value) }
    init(booleanLiteral value: Bool) { self = .flag(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
    init(arrayLiteral elements: Node...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, Node)...) {
        self = .map(Dictionary(elements) { _, last in last })
    }
    init(nilLiteral: ()) { self = .null }
}
