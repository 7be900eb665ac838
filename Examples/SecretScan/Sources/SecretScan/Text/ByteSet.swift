/// A set of byte values, one bit each, so that membership is a shift and a mask.
struct ByteSet: Sendable {
    private var words = SIMD4<UInt64>(repeating: 0)

    init(_ characters: String, ranges: ClosedRange<UInt8>...) {
        for byte in characters.utf8 { insert(byte) }
        for range in ranges {
            for byte in range { insert(byte) }
        }
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        (words[Int(byte &>> 6)] &>> UInt64(byte & 63)) & 1 == 1
    }

    func union(_ other: ByteSet) -> ByteSet {
        var result = self
        result.words |= other.words
        return result
    }

    func union(_ characters: String) -> ByteSet {
        union(ByteSet(characters))
    }

    private mutating func insert(_ byte: UInt8) {
        words[Int(byte >> 6)] |= 1 << UInt64(byte & 63)
    }
}

extension ByteSet {
    static let digits = ByteSet("", ranges: Ascii.zero...Ascii.nine)
    static let uppercase = ByteSet("", ranges: Ascii.upperA...Ascii.upperZ)
    static let lowercase = ByteSet("", ranges: Ascii.lowerA...Ascii.lowerZ)
    static let letters = uppercase.union(lowercase)
    static let alphanumerics = letters.union(digits)
    static let identifiers = alphanumerics.union("_")
    static let base64 = alphanumerics.union("+/")
    static let base64URL = alphanumerics.union("-_")
    static let base32 = uppercase.union("234567")
    static let hexadecimal = digits.union("abcdefABCDEF")
    static let blanks = ByteSet(" \t")
}

/// The byte values that the matchers name.
enum Ascii {
    static let newline = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")
    static let percent = UInt8(ascii: "%")
    static let dot = UInt8(ascii: ".")
    static let dash = UInt8(ascii: "-")
    static let slash = UInt8(ascii: "/")
    static let colon = UInt8(ascii: ":")
    static let equals = UInt8(ascii: "=")
    static let at = UInt8(ascii: "@")
    static let backslash = UInt8(ascii: "\\")
    static let underscore = UInt8(ascii: "_")
    static let less = UInt8(ascii: "<")
    static let greater = UInt8(ascii: ">")
    static let zero = UInt8(ascii: "0")
    static let nine = UInt8(ascii: "9")
    static let upperA = UInt8(ascii: "A")
    static let upperZ = UInt8(ascii: "Z")
    static let lowerA = UInt8(ascii: "a")
    static let lowerZ = UInt8(ascii: "z")

    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= upperA && byte <= upperZ ? byte | 0x20 : byte
    }
}

extension [UInt8] {
    /// Whether the bytes of `literal` stand somewhere in this array. `String` would compare by characters, at many
    /// times the cost.
    func contains(literal: StaticString) -> Bool {
        literal.withUTF8Buffer { needle in
            guard let first = needle.first, count >= needle.count else { return needle.isEmpty }
            for start in 0...(count - needle.count) where self[start] == first {
                if self[start..<(start + needle.count)].elementsEqual(needle) { return true }
            }
            return false
        }
    }
}
