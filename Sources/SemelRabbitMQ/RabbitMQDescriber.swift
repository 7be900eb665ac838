import CRabbitMQ
public import Semel

/// What a queue of RabbitMQ is, as far as AMQP can be made to tell.
public struct RabbitMQDescription: Sendable {
    public enum Argument: Sendable, Hashable {
        /// The broker would not say: the user may not configure the queue.
        case unknown
        case absent
        case value(String)
    }

    /// `3.10.8`
    public var serverVersion: String?
    /// `classic`, `quorum` or `stream`.
    public var type: String?
    public var deliveryLimit = Argument.unknown
    /// Of the queue itself; a policy's is not seen.
    public var deadLetterExchange = Argument.unknown
    /// In milliseconds. RabbitMQ knows it from 3.12 on.
    public var consumerTimeout = Argument.unknown
}

/// Asks what arguments a queue has.
///
/// AMQP has no question for that. But a declaration with another value than the queue's is refused, and the refusal names
/// the right one. The values asked with are none that a queue can have, so that none can come into being: not even when
/// it is deleted between two questions. The broker logs each refusal as an error.
public actor RabbitMQDescriber {
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let address: RabbitMQAddress

    public init(_ address: RabbitMQAddress) throws(SystemError) {
        self.address = address
        thread = try ThreadExecutor("semel-rabbitmq")
    }

    /// Can be called once. Throws `misconfigured` when there is no such queue.
    public func describe() async throws(QueueFailure) -> RabbitMQDescription {
        defer { thread.stop() }
        do throws(AMQPFailure) {
            let connection = try AMQPConnection.open(address)
            defer { connection.close() }
            return try describe(connection)
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    private func describe(_ connection: AMQPConnection) throws(AMQPFailure) -> RabbitMQDescription {
        var description = RabbitMQDescription(serverVersion: connection.serverVersion)
        let channel = AMQPChannel(connection)
        try channel.open()
        _ = try channel.count(of: address.queue)
        try channel.close()
        var questions = Questions(queue: address.queue, connection: connection)
        switch try questions.value(of: "x-queue-type") {
        case .unknown: return description
        case .absent: description.type = "classic"
        case .value(let type): description.type = type
        }
        description.deadLetterExchange = try questions.value(of: "x-dead-letter-exchange")
        if description.type == "quorum" {
            description.deliveryLimit = try questions.value(of: "x-delivery-limit")
        }
        if let version = connection.serverVersion, Self.knowsConsumerTimeout(version) {
            description.consumerTimeout = try questions.value(of: "x-consumer-timeout")
        }
        return description
    }

    private static func knowsConsumerTimeout(_ version: String) -> Bool {
        let numbers = version.split(separator: ".").prefix(2).compactMap { Int($0) }
        return numbers.count == 2 && (numbers[0], numbers[1]) >= (3, 12)
    }
}

/// Declarations that the broker has to refuse, and what it said to them.
private struct Questions {
    let queue: String
    let connection: AMQPConnection
    private var isDurable = true
    /// What is known so far, to be repeated as it is: the broker complains of one difference at a time.
    private var known: [(name: String, value: Value)] = []
    private var absent: Set<String> = []

    private static let textArguments: Set = ["x-queue-type", "x-dead-letter-exchange"]

    private enum Value {
        case text(String)
        case number(Int64)
    }

    init(queue: String, connection: AMQPConnection) {
        self.queue = queue
        self.connection = connection
    }

    mutating func value(of name: String) throws(AMQPFailure) -> RabbitMQDescription.Argument {
        for _ in 0..<20 {
            if let entry = known.first(where: { $0.name == name }) {
                switch entry.value {
                case .text(let text): return .value(text)
                case .number(let number): return .value("\(number)")
                }
            }
            if absent.contains(name) { return .absent }
            guard let refusal = try refusal(asking: name), note(refusal) else { return .unknown }
        }
        return .unknown
    }

    /// What the broker says to a declaration that is impossible in this argument.
    private func refusal(asking name: String) throws(AMQPFailure) -> String? {
        let memory = AMQPMemory()
        defer { memory.keep() }
        var entries = known.map { entry in
            switch entry.value {
            case .text(let text): memory.entry(entry.name, text)
            case .number(let number): memory.entry(entry.name, number)
            }
        }
        // Of the wrong type: refused as well where there is no queue.
        entries.append(Self.textArguments.contains(name) ? memory.entry(name, Int64(0)) : memory.entry(name, "?"))
        let channel = AMQPChannel(connection)
        try channel.open()
        do throws(AMQPFailure) {
            try channel.declare(queue, entries, durable: isDurable)
            return nil
        } catch .closed(406, let text) {
            try connection.send(semel_channel_close_ok, amqp_channel_close_ok_t(dummy: 0))
            return text
        } catch .closed(403, _) {
            try connection.send(semel_channel_close_ok, amqp_channel_close_ok_t(dummy: 0))
            return nil
        } catch {
            throw error
        }
    }

    /// Reads `inequivalent arg 'x-max-length' for queue …: received none but current is the value '9' of type
    /// 'signedint'`, and `…: received '0' but current is 'quorum'` of an argument that was asked for; false when it says
    /// something else.
    private mutating func note(_ refusal: String) -> Bool {
        guard let mark = refusal.firstRange(of: "inequivalent arg '") else { return false }
        let name = String(refusal[mark.upperBound...].prefix { $0 != "'" })
        guard let present = refusal.ranges(of: "but current is ").last else { return false }
        let value = refusal[present.upperBound...]
        if name == "durable" {
            // Asked for twice, it has said the same thing both times.
            guard isDurable else { return false }
            isDurable = false
            return true
        }
        if value.hasPrefix("none") {
            absent.insert(name)
            return true
        }
        let type = value.ranges(of: "' of type '").last
        guard let open = value.firstIndex(of: "'"), let close = type?.lowerBound ?? value.lastIndex(of: "'"),
            open < close
        else { return false }
        let text = String(value[value.index(after: open)..<close])
        let isText = type.map { value[$0.upperBound...].hasPrefix("longstr") } ?? Self.textArguments.contains(name)
        guard isText || Int64(text) != nil, !known.contains(where: { $0.name == name }) else { return false }
        known.append((name, isText ? .text(text) : .number(Int64(text) ?? 0)))
        return true
    }
}
