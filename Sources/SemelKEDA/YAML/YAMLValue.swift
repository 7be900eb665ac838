/// A value in a YAML file, and where it is. What it holds may be secret, so it does not print itself.
public struct YAMLValue: Sendable, CustomStringConvertible, CustomReflectable {
    public indirect enum Content: Sendable {
        case scalar(YAMLScalar)
        case list([YAMLValue])
        case object([YAMLField])
    }

    public let content: Content
    public let position: Position

    public init(_ content: Content, at position: Position) {
        self.content = content
        self.position = position
    }

    public var description: String { "\(typeName) at \(position)" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    public var isNull: Bool {
        if case .scalar(let scalar) = content { scalar.kind == .null } else { false }
    }

    public var elements: [YAMLValue]? {
        if case .list(let values) = content { values } else { nil }
    }

    public var fields: [YAMLField]? {
        if case .object(let fields) = content { fields } else { nil }
    }

    /// A scalar's characters, whatever type they have.
    public var text: String? {
        if case .scalar(let scalar) = content { scalar.text } else { nil }
    }

    /// The value of a field; `nil` when there is none, or when this is no object.
    public subscript(_ name: String) -> YAMLValue? {
        fields?.first { $0.name == name }?.value
    }

    /// What to call it in a message: `a number`.
    public var typeName: String {
        switch content {
        case .list: "a list"
        case .object: "an object"
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: "empty"
            case .boolean: "a boolean"
            case .integer, .float: "a number"
            case .string: "text"
            }
        }
    }
}

public struct YAMLField: Sendable {
    public let name: String
    /// Of the name.
    public let position: Position
    public let value: YAMLValue
}

/// A scalar with the type that Kubernetes' tools give it: they read YAML 1.1, where `on` and `y` are booleans.
public struct YAMLScalar: Sendable {
    public enum Kind: Sendable, Hashable {
        case null, boolean, integer, float, string
    }

    /// As it is written, without quotes.
    public let text: String
    public let kind: Kind

    /// - Parameter isPlain: Neither quoted nor a block, and without a tag.
    init(_ text: String, isPlain: Bool) {
        self.text = text
        kind = isPlain ? Self.kind(of: text) : .string
    }

    public var boolean: Bool? {
        guard kind == .boolean else { return nil }
        return ["y", "yes", "true", "on"].contains(text.lowercased())
    }

    /// `nil` also when it is too large.
    public var integer: Int64? {
        kind == .integer ? Self.integer(text) : nil
    }

    private static let nulls: Set = ["", "~", "null", "Null", "NULL"]
    private static let booleans: Set = [
        "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON",
        "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF",
    ]
    private static let specialFloats: Set = [
        ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN",
    ]

    private static func kind(of text: String) -> Kind {
        if nulls.contains(text) { return .null }
        if booleans.contains(text) { return .boolean }
        guard let first = text.utf8.first, first < 0x3A else { return .string }
        if integer(text) != nil { return .integer }
        return specialFloats.contains(text) || isFloat(text) ? .float : .string
    }

    /// `12`, `-1_000`, `0x1f`, `0b11`, `0o17` and `017`.
    private static func integer(_ text: String) -> Int64? {
        let plain = text.filter { $0 != "_" }
        let isNegative = plain.first == "-"
        var digits = isNegative || plain.first == "+" ? plain.dropFirst() : plain[...]
        var radix = 10
        for (prefix, value) in [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)]
        where digits.hasPrefix(prefix) {
            digits = digits.dropFirst(2)
            radix = value
        }
        if radix == 10, digits.count > 1, digits.first == "0" {
            digits = digits.dropFirst()
            radix = 8
        }
        guard let first = digits.first, first.isHexDigit else { return nil }
        return Int64((isNegative ? "-" : "") + digits, radix: radix)
    }

    private static func isFloat(_ text: String) -> Bool {
        let unsigned = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
        guard let first = unsigned.first, first == "." || "0"..."9" ~= first else { return false }
        return unsigned.allSatisfy { "0"..."9" ~= $0 || ".eE+-".contains($0) } && Double(String(unsigned)) != nil
    }
}
