/// A text that is not JSON. Says nothing of what the text holds.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where reading stopped, from 0.
    public let offset: Int

    public var description: String { "not JSON (byte \(offset))" }
}

extension JSONValue {
    /// Reads one value, with nothing but white space around it. Of fields with the same name the last one counts.
    public init(parsing bytes: some Collection<UInt8>) throws(JSONError) {
        var parser = JSONParser(Array(bytes))
        self = try parser.document()
    }

    public init(parsing text: String) throws(JSONError) {
        try self.init(parsing: Array(text.utf8))
    }
}

private struct JSONParser {
    /// What is nested deeper than any object of Kubernetes would end the stack.
    private static let mostLevels = 256

    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(JSONError) -> JSONValue {
        let value = try value(level: 0)
        skipSpace()
        guard index == bytes.count else { throw failure }
        return value
    }

    private var failure: JSONError { JSONError(offset: index) }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: byte) else { return false }
        index += 1
        return true
    }

    private mutating func value(level: Int) throws(JSONError) -> JSONValue {
        guard level <= Self.mostLevels else { throw failure }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(level: level + 1)
        case UInt8(ascii: "["): return try array(level: level + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let end = index + text.utf8CodeUnitCount
        guard end <= bytes.count, bytes[index..<end].elementsEqual("\(text)".utf8) else { throw failure }
        index = end
        return value
    }

    private mutating func object(level: Int) throws(JSONError) -> JSONValue {
        index += 1
        var fields: [String: JSONValue] = [:]
        skipSpace()
        if take("}") { return .object(fields) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure }
            let name = try string()
            skipSpace()
            guard take(":") else { throw failure }
            fields[name] = try value(level: level)
            skipSpace()
            if take("}") { return .object(fields) }
            guard take(",") else { throw failure }
        }
    }

    private mutating func array(level: Int) throws(JSONError) -> JSONValue {
        index += 1
        var values: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(values) }
        while true {
            values.append(try value(level: level))
            skipSpace()
            if take("]") { return .array(values) }
            guard take(",") else { throw failure }
        }
    }

    private mutating func string() throws(JSONError) -> String {
        index += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                guard let valid = String(validating: text, as: UTF8.self) else { throw failure }
                return valid
            case UInt8(ascii: "\\"): text += String(Character(try escaped())).utf8
            case 0..<0x20: throw failure
            default:
                text.append(byte)
                index += 1
            }
        }
        throw failure
    }

    /// What a backslash and the characters behind it stand for.
    private mutating func escaped() throws(JSONError) -> Unicode.Scalar {
        index += 1
        guard let byte = next else { throw failure }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "u"):
            let unit = try codeUnit()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            // The first half of a pair; as in Go, a half without its other one becomes the replacement character.
            guard unit < 0xDC00, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
                bytes[index + 1] == UInt8(ascii: "u")
            else { return "\u{FFFD}" }
            let start = index
            index += 2
            let second = try codeUnit()
            guard (0xDC00...0xDFFF).contains(second) else {
                index = start
                return "\u{FFFD}"
            }
            return Unicode.Scalar(0x10000 + (UInt32(unit - 0xD800) << 10) + UInt32(second - 0xDC00)) ?? "\u{FFFD}"
        default: throw failure
        }
    }

    private mutating func codeUnit() throws(JSONError) -> UInt16 {
        guard index + 4 <= bytes.count,
            bytes[index..<index + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt16(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
        else { throw failure }
        index += 4
        return unit
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = index
        var isWhole = true
        while let byte = next {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): isWhole = false
            default: return try number(bytes[start..<index], isWhole)
            }
            index += 1
        }
        return try number(bytes[start..<index], isWhole)
    }

    private func number(_ digits: ArraySlice<UInt8>, _ isWhole: Bool) throws(JSONError) -> JSONValue {
        let text = String(decoding: digits, as: UTF8.self)
        guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: ".") else { throw failure }
        if isWhole, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure }
        return .number(value)
    }
}
