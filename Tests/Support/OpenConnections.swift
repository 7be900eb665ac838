public import Foundation

/// A connection to a broker that stays open, for whoever times what comes after a message. Blocking; for one thread
/// at a time.
public final class RabbitMQConnection {
    private let connection: AMQPConnection
    private static let patience = Duration.seconds(120)

    init(port: Int) throws {
        connection = try AMQPConnection(port: port, timeout: Self.patience)
    }

    /// Publishes persistent messages and waits until the broker has them.
    public func publish(_ bodies: [Data], to queue: String) throws {
        connection.extend(by: Self.patience)
        try connection.publish(bodies, exchange: "", routingKey: queue, properties: MessageProperties())
    }

    /// Publishes a persistent message and does not wait. For a connection that never waits for others.
    public func send(_ body: Data, to queue: String) throws {
        connection.extend(by: Self.patience)
        try connection.publishUnconfirmed(body, routingKey: queue, properties: MessageProperties())
    }

    /// How many messages are ready, and how many consumers wait for one.
    public func counts(of queue: String) throws -> (ready: Int, consumers: Int) {
        connection.extend(by: Self.patience)
        return try connection.counts(of: queue)
    }
}

extension RabbitMQServer {
    public func connection() throws -> RabbitMQConnection {
        try RabbitMQConnection(port: port)
    }
}

/// The same for Redis.
public final class RedisConnection {
    private let client: RedisClient

    init(port: Int, password: String?) throws {
        client = try RedisClient(port: port, password: password, timeout: .seconds(3600))
    }

    /// Runs one command; a refusal is thrown.
    @discardableResult
    public func command(_ words: RedisArgument...) throws -> RedisValue {
        try command(words)
    }

    /// Runs one command; a refusal is thrown.
    @discardableResult
    public func command(_ words: [RedisArgument]) throws -> RedisValue {
        let reply = try client.send([words])[0]
        if case .error(let message) = reply {
            throw RedisError(description: message)
        }
        return reply
    }
}

extension RedisServer {
    public func connection() throws -> RedisConnection {
        try RedisConnection(port: port, password: password)
    }
}
