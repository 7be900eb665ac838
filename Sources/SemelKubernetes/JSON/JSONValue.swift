/// A JSON value as the API server sends it, with every field that nobody here knows.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number that is written without fraction and exponent and fits.
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
    public var object: [String: JSONValue]? { if case .object(let fields) = self { fields } else { nil } }
    public var isNull: Bool { self == .null }

    /// Also of a number that was written as `3.0`.
    public var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }

    /// An object's field: `nil` when there is none, when it is null, and when this is no object. Setting one makes an
    /// object of whatever was here; setting `nil` takes the field away.
    public subscript(_ field: String) -> JSONValue? {
        get {
            guard case .object(let fields) = self, let value = fields[field], value != .null else { return nil }
            return value
        }
        set {
            var fields = object ?? [:]
            // Without this the dictionary would be copied for the change.
            self = .null
            fields[field] = newValue
            self = .object(fields)
        }
    }

    /// What is inside an object's objects; setting makes those that are missing.
    public subscript(_ path: String...) -> JSONValue? {
        get { self[path: path[...]] }
        set { self[path: path[...]] = newValue }
    }

    private subscript(path path: ArraySlice<String>) -> JSONValue? {
        get { path.isEmpty ? self : self[path[path.startIndex]]?[path: path.dropFirst()] }
        set {
            guard let first = path.first else {
                self = newValue ?? .null
                return
            }
            guard path.count > 1 else {
                self[first] = newValue
                return
            }
            // Nothing is taken out of what is not there.
            if newValue == nil && self[first] == nil { return }
            var inner = self[first] ?? .object([:])
            inner[path: path.dropFirst()] = newValue
            self[first] = inner
        }
    }

    /// An object of texts, such as labels; what is no text is left out.
    public var texts: [String: String] { object?.compactMapValues(\.string) ?? [:] }

    public init(_ texts: [String: String]) {
        self = .object(texts.mapValues { .string($0) })
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(nilLiteral: ()) { self = .null }

    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }
}
