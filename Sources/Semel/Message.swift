/// What was queued.
public struct Message: Sendable {
    /// The producer's id where it gave one, else one that the queue or the worker made.
    public var id: String
    public var body: MessageBody
    /// The number of bytes that were queued. Larger than `body.count` (which is then 0) when the message is over the
    /// worker's limit and the queue spared itself the transfer.
    public var size: Int
    /// A media type, where the producer named one.
    public var contentType: String?
    public var headers: [String: HeaderValue]
    /// The how-manieth delivery of this message to a worker this is, from 1.
    public var attempt: Int
    /// The queue knows that the message was delivered before, but not how often. `attempt` is then the one that ended
    /// without a settlement: it has to be counted before another may begin.
    public var attemptIsUncounted: Bool

    public init(
        id: String, body: MessageBody, size: Int? = nil, contentType: String? = nil,
        headers: [String: HeaderValue] = [:], attempt: Int, attemptIsUncounted: Bool = false
    ) {
        self.id = id
        self.body = body
        self.size = size ?? body.count
        self.contentType = contentType
        self.headers = headers
        self.attempt = attempt
        self.attemptIsUncounted = attemptIsUncounted
    }

    /// The W3C trace context of the producer, where the message carries one.
    public var traceParent: String? {
        for (name, value) in headers where name.lowercased() == "traceparent" {
            if case .string(let text) = value { return text }
        }
        return nil
    }
}

/// A header's value, with the types that AMQP 0-9-1 field tables have and JSON can say.
public enum HeaderValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([HeaderValue])
    case table([String: HeaderValue])
}

extension HeaderValue: Codable {
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        // JSON has no word for these.
        case .double(let value) where !value.isFinite: try container.encode(String(value))
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .table(let values): try container.encode(values)
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let values = try? container.decode([HeaderValue].self) {
            self = .array(values)
        } else {
            self = .table(try container.decode([String: HeaderValue].self))
        }
    }
}

public enum MessageID {
    /// For a message whose producer gave it none: 32 hexadecimal digits.
    public static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 32) { text in
            for half in [0, 16] {
                var number = generator.next()
                for index in half..<half + 16 {
                    text[index] = digits[Int(number & 0xF)]
                    number >>= 4
                }
            }
            return 32
        }
    }
}
