/// Values that people write where a secret would go.
enum Placeholder {
    /// Whether the value is filled in later (`${TOKEN}`, `<password>`, `%s`), shows a shape (`xxxx`, `1234567890`)
    /// or says in words that it is not real.
    static func isPlaceholder(_ value: ArraySlice<UInt8>) -> Bool {
        isTemplate(value) || hasFewDistinctBytes(value) || isSequence(value) || saysSo(value)
    }

    static func isTemplate(_ value: ArraySlice<UInt8>) -> Bool {
        guard let first = value.first else { return true }
        if first == UInt8(ascii: "$") || first == UInt8(ascii: "{") { return true }
        let bytes = Array(value)
        for position in bytes.indices {
            let following = position + 1 < bytes.count ? bytes[position + 1] : 0
            switch bytes[position] {
            case Ascii.less, Ascii.greater:
                return true
            case UInt8(ascii: "$") where following == UInt8(ascii: "{") || following == UInt8(ascii: "("),
                UInt8(ascii: "{") where following == UInt8(ascii: "{"),
                UInt8(ascii: "#") where following == UInt8(ascii: "{"),
                Ascii.backslash where following == UInt8(ascii: "("):
                return true
            case Ascii.percent where formatLetters.contains(following) && bytes.count <= 4:
                return true
            default:
                continue
            }
        }
        return false
    }

    /// `xxxxxxxx`, `********`, `abababab`: nothing that is worth stealing uses fewer than four different bytes.
    static func hasFewDistinctBytes(_ value: ArraySlice<UInt8>) -> Bool {
        Set(value).count < 4
    }

    /// `1234567890`, `abcdefgh`: at least half of the value counts up or down by one.
    static func isSequence(_ value: ArraySlice<UInt8>) -> Bool {
        guard value.count > 1 else { return false }
        var steps = 0
        for (byte, following) in zip(value, value.dropFirst()) {
            let isStep = byte &+ 1 == following || following &+ 1 == byte
            let isWrap = byte == Ascii.nine && following == Ascii.zero
            if isStep || isWrap { steps += 1 }
        }
        return steps * 2 >= value.count - 1
    }

    static func saysSo(_ value: ArraySlice<UInt8>) -> Bool {
        let lowercased = value.map(Ascii.lowercased)
        return telltales.contains { lowercased.contains(literal: $0) }
    }

    private static let formatLetters = ByteSet("sdvq@(")

    private static let telltales: [StaticString] = [
        "example", "dummy", "placeholder", "changeme", "change-me", "change_me", "fake", "your", "redacted", "sample",
        "insert", "replace", "secret", "passw", "xxxx", "...", "***", "todo", "test", "mock", "not-a-real", "foobar",
        "deadbeef", "abcdef", "12345",
    ]
}
