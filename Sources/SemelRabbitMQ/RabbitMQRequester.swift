import CRabbitMQ
public import Logging
public import Semel

/// Publishes a message with `reply_to` and `correlation_id`, and waits for the reply on the channel that published it.
///
/// The broker knows the waiting channel by a name of its own (direct reply-to), so that nothing has to be declared; but
/// the reply can only come as long as that channel lives.
public actor RabbitMQRequester: MessageRequester {
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let address: RabbitMQAddress
    private let declaring: Bool
    private let log: Logger
    private var request: (id: String, publisher: RabbitMQPublisher)?

    /// - Parameter declaring: Makes the queue, durable and of type quorum, when there is none.
    public init(_ address: RabbitMQAddress, declaring: Bool = false, log: Logger) throws(SystemError) {
        self.address = address
        self.declaring = declaring
        self.log = log
        thread = try ThreadExecutor("semel-rabbitmq")
    }

    public func enqueue(_ message: OutgoingMessage) async throws(QueueFailure) {
        try message.check()
        var message = message
        let id = message.id ?? MessageID.random()
        message.id = id
        do throws(AMQPFailure) {
            let publisher = try RabbitMQPublisher.open(address, declaring: declaring, log: log)
            try publisher.acceptReplies()
            let memory = AMQPMemory()
            defer { memory.keep() }
            var properties = message.properties(
                adding: [memory.entry(AMQPProperties.Header.awaited, true)], in: memory)
            properties.reply_to = memory.bytes(RabbitMQPublisher.replyTo)
            properties.correlation_id = memory.bytes(id)
            let added = AMQP_BASIC_REPLY_TO_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG
            properties._flags |= amqp_flags_t(UInt32(bitPattern: added))
            try publisher.send(message.body, to: address.queue, properties)
            try publisher.awaitConfirmations(to: address.queue)
            request = (id, publisher)
        } catch {
            throw error.asEnqueuingFailure(address)
        }
    }

    public func end() async throws(QueueFailure) -> RequestEnd? {
        let cancelled = OneShot<Void>()
        // This method blocks its thread while it waits, as librabbitmq does, so the wish to stop comes from outside.
        let result = await withTaskCancellationHandler {
            Result { () throws(QueueFailure) in try waitForReply(cancelled) }
        } onCancel: {
            cancelled.fulfil(())
            thread.interrupt()
        }
        return try result.get()
    }

    public func close() async {
        request = nil
        thread.stop()
    }

    private func waitForReply(_ cancelled: OneShot<Void>) throws(QueueFailure) -> RequestEnd? {
        guard let (id, publisher) = request else { return nil }
        do throws(AMQPFailure) {
            while cancelled.value == nil {
                for reply in try publisher.takeReplies() where reply.properties.correlationID == id {
                    return try Self.end(reply)
                }
                _ = thread.wait(for: publisher.descriptor, until: .now + address.heartbeat / 3)
            }
            return nil
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    private static func end(_ reply: AMQPChannel.Delivery) throws(AMQPFailure) -> RequestEnd {
        let headers = reply.properties.headers
        func text(_ name: String) -> String? {
            if case .string(let text) = headers[name] { text } else { nil }
        }
        switch text(AMQPProperties.Header.outcome).flatMap({ Outcome(rawValue: $0) }) {
        case .completed: return .completed(result: nil)
        case .deadLettered: return .deadLettered(reason: text(AMQPProperties.Header.reason) ?? "")
        default:
            do throws(SystemError) {
                return .completed(result: try reply.body.bytes())
            } catch {
                throw .broken(error.description)
            }
        }
    }
}
