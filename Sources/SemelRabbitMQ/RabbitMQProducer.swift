public import Logging
public import Semel

/// Publishes into a RabbitMQ queue: persistent, mandatory, and confirmed by the broker. Many messages are on their way
/// at a time.
public actor RabbitMQProducer: MessageProducer {
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let address: RabbitMQAddress
    private let declaring: Bool
    private let log: Logger
    private var publisher: RabbitMQPublisher?

    /// After this many bytes on the wire it looks for what the broker has to say: it may have blocked publishers.
    private static let bytesBetweenLooks = 64 << 10
    /// What a message is on the wire besides its body, about.
    private static let overhead = 256

    /// - Parameter declaring: Makes the queue, durable and of type quorum, when there is none.
    public init(_ address: RabbitMQAddress, declaring: Bool = false, log: Logger) throws(SystemError) {
        self.address = address
        self.declaring = declaring
        self.log = log
        thread = try ThreadExecutor("semel-rabbitmq")
    }

    public func enqueue(_ messages: [OutgoingMessage]) async throws(QueueFailure) {
        for message in messages { try message.check() }
        do throws(AMQPFailure) {
            try publish(messages, by: connected())
        } catch {
            disconnect()
            throw error.asEnqueuingFailure(address)
        }
    }

    public func close() async {
        disconnect()
        thread.stop()
    }

    // MARK: Publishing

    private func publish(_ messages: [OutgoingMessage], by publisher: RabbitMQPublisher) throws(AMQPFailure) {
        var written = 0
        for message in messages {
            let memory = AMQPMemory()
            defer { memory.keep() }
            try publisher.send(message.body, to: address.queue, message.properties(in: memory))
            written += message.body.count + Self.overhead
            guard written > Self.bytesBetweenLooks else { continue }
            written = 0
            try publisher.awaitRoom(to: address.queue)
        }
        try publisher.awaitConfirmations(to: address.queue)
    }

    // MARK: Connection

    private func connected() throws(AMQPFailure) -> RabbitMQPublisher {
        if let publisher { return publisher }
        let opened = try RabbitMQPublisher.open(address, declaring: declaring, log: log)
        publisher = opened
        // Between messages: heartbeats both ways, and the broker's end.
        thread.watch(
            ThreadExecutor.Watch(descriptor: opened.descriptor, atLeastEvery: address.heartbeat / 3) {
                self.assumeIsolated { $0.serve() }
            })
        return opened
    }

    private func serve() {
        do throws(AMQPFailure) {
            try publisher?.serve()
        } catch {
            log.debug("the connection ended, the next message opens another", metadata: ["reason": "\(error.reason)"])
            disconnect()
        }
    }

    private func disconnect() {
        thread.watch(nil)
        publisher = nil
    }
}
