/// A value in a header table or among a queue's arguments.
public indirect enum AMQPValue: Hashable, Sendable {
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case timestamp(UInt64)
    case array([AMQPValue])
    case table([String: AMQPValue])
    case null

    public var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    public var integer: Int? {
        if case .integer(let value) = self { Int(value) } else { nil }
    }
}

extension AMQPValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral
{
    public init(stringLiteral text: String) { self = .string(text) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(arrayLiteral values: AMQPValue...) { self = .array(values) }
    public init(dictionaryLiteral pairs: (String, AMQPValue)...) {
        self = .table(Dictionary(pairs) { _, last in last })
    }
}

/// What travels with a message's body.
public struct MessageProperties: Hashable, Sendable {
    public var contentType: String?
    public var contentEncoding: String?
    public var headers: [String: AMQPValue]
    /// 2 is persistent.
    public var deliveryMode: UInt8?
    public var priority: UInt8?
    public var correlationID: String?
    public var replyTo: String?
    public var expiration: String?
    public var messageID: String?
    public var timestamp: UInt64?
    public var type: String?
    public var userID: String?
    public var appID: String?

    public init(
        contentType: String? = nil, headers: [String: AMQPValue] = [:], deliveryMode: UInt8? = 2,
        correlationID: String? = nil, replyTo: String? = nil, expiration: String? = nil, messageID: String? = nil
    ) {
        self.contentType = contentType
        self.headers = headers
        self.deliveryMode = deliveryMode
        self.correlationID = correlationID
        self.replyTo = replyTo
        self.expiration = expiration
        self.messageID = messageID
    }
}

/// A message as the broker hands it out.
public struct StoredMessage: Sendable {
    public let body: [UInt8]
    public let properties: MessageProperties
    public let redelivered: Bool
    public let exchange: String
    public let routingKey: String

    public var headers: [String: AMQPValue] { properties.headers }
    public var text: String { String(decoding: body, as: UTF8.self) }
    /// How often a quorum queue has taken this message back.
    public var deliveryCount: Int? { headers["x-delivery-count"]?.integer }
}
