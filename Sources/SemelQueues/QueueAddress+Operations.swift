public import Logging
import NIOCore
import NIOPosix
public import Semel
import SemelRabbitMQ
import SemelRedis
import SemelSQS
import SemelSpool

extension QueueAddress {
    /// Puts messages into this queue.
    ///
    /// - Parameter declaring: Makes a RabbitMQ queue, durable and of type quorum, or an SQS queue, when there is none. A
    ///   spool and a Redis list come into being with their first message anyway.
    public func producer(declaring: Bool = false, log: Logger) throws(SystemError) -> any MessageProducer {
        switch self {
        case .rabbitMQ(let address): return try RabbitMQProducer(address, declaring: declaring, log: log)
        case .redis(let address):
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            return ProducerWithLoop(producer: RedisProducer(address, on: group), group: group)
        case .sqs(let address):
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            return ProducerWithLoop(
                producer: SQSProducer(address, on: group, declaring: declaring, log: log), group: group)
        case .spool(let address): return try SpoolProducer(address)
        }
    }

    /// Puts one message into this queue and waits for what becomes of it.
    ///
    /// - Parameter declaring: As for ``producer(declaring:log:)``.
    public func requester(declaring: Bool = false, log: Logger) throws(SystemError) -> any MessageRequester {
        switch self {
        case .rabbitMQ(let address): return try RabbitMQRequester(address, declaring: declaring, log: log)
        case .redis(let address):
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            return RequesterWithLoop(requester: RedisRequester(address, on: group), group: group)
        case .sqs(let address):
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            return RequesterWithLoop(
                requester: SQSRequester(address, on: group, declaring: declaring, log: log), group: group)
        case .spool(let address): return try SpoolRequester(address)
        }
    }

    /// The dead letters of this queue.
    public func deadLetters(log: Logger) throws(SystemError) -> any DeadLetterStore {
        switch self {
        case .rabbitMQ(let address): return try RabbitMQDeadLetters(address, log: log)
        case .redis(let address):
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            return DeadLettersWithLoop(store: RedisDeadLetters(address, on: group), group: group)
        case .sqs(let address):
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            return DeadLettersWithLoop(store: SQSDeadLetters(address, on: group, log: log), group: group)
        case .spool(let address): return try SpoolDeadLetters(address)
        }
    }

    /// Looks into this queue.
    public func inspector(log: Logger) throws(SystemError) -> any QueueInspector {
        switch self {
        case .rabbitMQ(let address): return try RabbitMQInspector(address)
        case .redis(let address):
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            return InspectorWithLoop(inspector: RedisInspector(address, on: group), group: group)
        case .sqs(let address):
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            return InspectorWithLoop(inspector: SQSInspector(address, on: group, log: log), group: group)
        case .spool(let address): return try SpoolInspector(address)
        }
    }
}

/// Ends its event loop when it is closed.
private struct ProducerWithLoop: MessageProducer {
    let producer: any MessageProducer
    let group: MultiThreadedEventLoopGroup

    func enqueue(_ messages: [OutgoingMessage]) async throws(QueueFailure) {
        try await producer.enqueue(messages)
    }

    func close() async {
        await producer.close()
        // Fails only when it is ended twice.
        try? await group.shutdownGracefully()
    }
}

/// Ends its event loop when it is closed.
private struct RequesterWithLoop: MessageRequester {
    let requester: any MessageRequester
    let group: MultiThreadedEventLoopGroup

    func enqueue(_ message: OutgoingMessage) async throws(QueueFailure) {
        try await requester.enqueue(message)
    }

    func end() async throws(QueueFailure) -> RequestEnd? {
        try await requester.end()
    }

    func close() async {
        await requester.close()
        try? await group.shutdownGracefully()
    }
}

/// Ends its event loop when it is closed.
private struct InspectorWithLoop: QueueInspector {
    let inspector: any QueueInspector
    let group: MultiThreadedEventLoopGroup

    func counts() async throws(QueueFailure) -> QueueCounts {
        try await inspector.counts()
    }

    func close() async {
        await inspector.close()
        try? await group.shutdownGracefully()
    }
}

/// Ends its event loop when it is closed.
private struct DeadLettersWithLoop: DeadLetterStore {
    let store: any DeadLetterStore
    let group: MultiThreadedEventLoopGroup

    func visit(_ decide: @escaping @Sendable (StoredDeadLetter) -> DeadLetterAction) async throws(QueueFailure) {
        try await store.visit(decide)
    }

    func close() async {
        await store.close()
        try? await group.shutdownGracefully()
    }
}
