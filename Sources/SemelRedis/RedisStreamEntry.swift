import FoundationEssentials
import Semel

/// A stream's entry, understood as a message.
///
/// The body is in the field that was named for it; in an entry without that field, in its only one; and where there are
/// several, a JSON object of all of them is the body. `id` and `content-type` are what they say, and all other fields
/// headers.
struct RedisStreamEntry {
    var id: String?
    var contentType: String?
    var headers: [String: HeaderValue] = [:]
    var bodyField: String?
    var body: [UInt8] = []
    /// The number of bytes that were queued: the body's, or where the server has kept a value back, that one's.
    var size = 0

    /// Fields that are never a body, or a part of one.
    private static let aboutMessage = ["id", "content-type", "traceparent", "tracestate"]

    /// - Parameter flat: Names and values in turns; an integer stands for a value that was kept back, and says its size.
    init(_ flat: [RedisValue], field: String) {
        let fields = stride(from: 0, to: flat.count - 1, by: 2).map { index in
            (name: flat[index].text ?? "", value: flat[index + 1])
        }
        var others: [(name: String, value: RedisValue)] = []
        for one in fields {
            switch one.name {
            case field: others.insert(one, at: 0)
            case "id": id = one.value.text.flatMap { $0.isEmpty ? nil : $0 }
            case "content-type": contentType = one.value.text
            default: others.append(one)
            }
        }
        let parts = others.filter { !Self.aboutMessage.contains($0.name) }
        if let found = others.first(where: { $0.name == field }) ?? (parts.count == 1 ? parts.first : nil) {
            bodyField = found.name
            if case .bytes(let bytes) = found.value { body = bytes }
            size = found.value.size
        } else if !parts.isEmpty {
            size = parts.map(\.value.size).reduce(0, +)
            if let text = Self.json(parts) {
                body = text
                size = text.count
                contentType = contentType ?? "application/json"
            }
        }
        let isBody = bodyField == nil ? Set(parts.map(\.name)) : [bodyField ?? ""]
        for (name, value) in others where !isBody.contains(name) { headers[name] = value.text.map { .string($0) } }
    }

    /// `nil` when a value was kept back.
    private static func json(_ parts: [(name: String, value: RedisValue)]) -> [UInt8]? {
        var values: [String: String] = [:]
        for (name, value) in parts {
            guard let text = value.text else { return nil }
            values[name] = text
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(values)).map { Array($0) }
    }
}

extension RedisValue {
    /// The size of a value, or the one that an integer says.
    fileprivate var size: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .integer(let size): Int(size)
        default: 0
        }
    }
}
