/// What a person writes for a span of time or a number of bytes.
public enum Units {
    /// Reads `500ms`, `10s`, `1.5m`, `2h`; `0` needs no unit. `nil` for anything else, negative values included.
    public static func duration(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        let scales: [(suffix: String, milliseconds: Double)] = [
            ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000),
        ]
        for (suffix, milliseconds) in scales where text.hasSuffix(suffix) {
            guard let number = decimal(text.dropLast(suffix.count)), number * milliseconds < 1e15 else { return nil }
            return .milliseconds(Int64((number * milliseconds).rounded()))
        }
        return nil
    }

    /// Reads `1000`, `64KiB`, `128MiB`, `1GiB` (powers of 1024) and `10kB`, `10MB`, `1GB` (powers of 1000).
    public static func bytes(_ text: String) -> Int? {
        let scales: [(suffix: String, factor: Double)] = [
            ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("", 1),
        ]
        for (suffix, factor) in scales where text.hasSuffix(suffix) {
            guard let number = decimal(text.dropLast(suffix.count)), number * factor < 1e15 else { return nil }
            return Int(number * factor)
        }
        return nil
    }

    /// `12.5s`, `3m`, `250ms`: the shortest of the forms that ``duration(_:)`` reads.
    public static func text(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        return switch milliseconds {
        case 0: "0"
        case let ms where ms % 3_600_000 == 0: "\(ms / 3_600_000)h"
        case let ms where ms % 60_000 == 0: "\(ms / 60_000)m"
        case let ms where ms % 1_000 == 0: "\(ms / 1_000)s"
        case let ms where ms > 1_000: "\(Double(ms) / 1_000)s"
        default: "\(milliseconds)ms"
        }
    }

    private static func decimal(_ digits: Substring) -> Double? {
        let numerals = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let first = digits.utf8.first, numerals.contains(first) else { return nil }
        for byte in digits.utf8 where !numerals.contains(byte) && byte != UInt8(ascii: ".") { return nil }
        return Double(digits)
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero.
    public var milliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }

    /// Seconds with their fraction, as metrics and JSON want them.
    public var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
