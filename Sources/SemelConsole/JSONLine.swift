import FoundationEssentials
import Semel

/// JSON of one line, with its keys in order.
enum JSONLine {
    /// Empty for what JSON cannot say.
    static func bytes(of value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map(Array.init) ?? []
    }

    /// A header's value; a text is shown as it is.
    static func of(_ value: HeaderValue) -> String {
        if case .string(let text) = value { return text }
        return String(decoding: bytes(of: value), as: UTF8.self)
    }
}
