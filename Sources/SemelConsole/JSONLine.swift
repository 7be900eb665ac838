import FoundationEssentials
import Semel

/// JSON of one line, with its keys in order.
enum JSONLine {
    /// `nil` for what JSON cannot say.
    static func bytes(of value: some Encodable) -> [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { Array($0) }
    }

    /// A header's value; a text is shown as it is.
    static func of(_ value: HeaderValue) -> String {
        if case .string(let text) = value { return text }
        return bytes(of: value).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}
