/// What is known of the queue of `--queue`. What its protocol does not tell is `nil`.
public struct QueueFacts: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case rabbitMQ, redisList, redisStream, sqs

        var server: String {
            switch self {
            case .rabbitMQ: "RabbitMQ"
            case .redisList, .redisStream: "Redis"
            case .sqs: "SQS"
            }
        }
        /// Of a trigger.
        var parameter: String {
            switch self {
            case .rabbitMQ: "queueName"
            case .redisList: "listName"
            case .redisStream: "stream"
            case .sqs: "queueURL"
            }
        }
    }

    public let kind: Kind
    /// The queue's, the list's or the stream's own name.
    public let queue: String
    /// Why nobody can count it: it is not there, or is a key of another type. `nil` when all is well.
    public var trouble: String?
    /// Of the server: `3.10.8`.
    public var serverVersion: String?
    /// `classic`, `quorum` or `stream`.
    public var type: String?
    /// RabbitMQ's `x-delivery-limit`, when it is known whether there is one.
    public var deliveryLimit: Known<Int>?
    /// RabbitMQ's `x-dead-letter-exchange`, when it is known whether there is one. A policy may set another.
    public var deadLetterExchange: Known<String>?
    /// RabbitMQ's `x-consumer-timeout` in milliseconds, when it is known whether there is one.
    public var consumerTimeout: Known<Int>?
    /// Dead letters that semel has put aside.
    public var dead: Int?

    /// What has been asked for: there is one, or there is none.
    public enum Known<Value: Sendable & Hashable>: Sendable, Hashable {
        case absent
        case value(Value)
    }

    public init(_ kind: Kind, queue: String) {
        (self.kind, self.queue) = (kind, queue)
    }

    /// `(3, 10)`; `nil` when the version is not known or not a version.
    var serverRelease: (major: Int, minor: Int)? {
        let numbers = (serverVersion ?? "").split(separator: ".").prefix(2).compactMap { Int($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
    }
}
