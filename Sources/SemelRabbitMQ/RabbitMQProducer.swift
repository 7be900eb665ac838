import CRabbitMQ
import Glibc
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
        for message in messages { try check(message) }
        do throws(AMQPFailure) {
            try publish(messages, by: connected())
        } catch {
            disconnect()
            throw failure(error)
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
            try publisher.send(message.body, to: address.queue, properties(of: message, in: memory))
            written += message.body.count + Self.overhead
            guard written > Self.bytesBetweenLooks else { continue }
            written = 0
            try publisher.awaitRoom(to: address.queue)
        }
        try publisher.awaitConfirmations(to: address.queue)
    }

    /// - Parameter memory: Must live as long as the result is used.
    private func properties(of message: OutgoingMessage, in memory: AMQPMemory) -> amqp_basic_properties_t {
        var properties = amqp_basic_properties_t()
        // Without an id of its own a message would be given another one by every worker that claims it.
        properties.message_id = memory.bytes(message.id ?? MessageID.random())
        properties.timestamp = UInt64(time(nil))
        properties.delivery_mode = UInt8(AMQP_DELIVERY_PERSISTENT.rawValue)
        var flags = AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG
        if let contentType = message.contentType {
            properties.content_type = memory.bytes(contentType)
            flags |= AMQP_BASIC_CONTENT_TYPE_FLAG
        }
        if !message.headers.isEmpty {
            properties.headers = memory.table(
                message.headers.sorted { $0.key < $1.key }.map { memory.entry($0.key, $0.value) })
            flags |= AMQP_BASIC_HEADERS_FLAG
        }
        properties._flags = amqp_flags_t(UInt32(bitPattern: flags))
        return properties
    }

    /// AMQP has one byte for the length of a short string, and one frame for all properties.
    private func check(_ message: OutgoingMessage) throws(QueueFailure) {
        let short =
            [("id", message.id ?? ""), ("content type", message.contentType ?? "")]
            + message.headers.keys.map { ("name of header", $0) }
        for (what, text) in short where text.utf8.count > 255 {
            throw .misconfigured("the \(what) ‘\(text.prefix(20))…’ is longer than RabbitMQ's 255 bytes")
        }
        let size = message.headers.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        if size > 100_000 { throw .misconfigured("the headers are larger than the 100 kB that RabbitMQ takes") }
    }

    // MARK: Connection

    private func connected() throws(AMQPFailure) -> RabbitMQPublisher {
        if let publisher { return publisher }
        let opened = try open()
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

    private func failure(_ failure: AMQPFailure) -> QueueFailure {
        let place = "RabbitMQ at \(address.host):\(address.port)"
        switch failure {
        case .closed(404, _):
            return .misconfigured(
                "\(address.source): \(place) has no queue ‘\(address.queue)’; declare it, or let --declare do so")
        case .broken(let text) where text.hasPrefix(RabbitMQPublisher.noQueue):
            return .misconfigured("\(address.source): \(place): queue ‘\(address.queue)’ was deleted meanwhile")
        default: return failure.asQueueFailure(address)
        }
    }

    /// A message for a queue that is not there would only come back: better to know before the first one.
    private func open() throws(AMQPFailure) -> RabbitMQPublisher {
        do throws(AMQPFailure) {
            let publisher = try RabbitMQPublisher(address, log: log)
            try publisher.declare(address.queue, [], passive: true)
            return publisher
        } catch .closed(404, _) where declaring {
            // The broker ended that channel with its answer.
            let publisher = try RabbitMQPublisher(address, log: log)
            let memory = AMQPMemory()
            defer { memory.keep() }
            try publisher.declare(address.queue, [memory.entry("x-queue-type", "quorum")])
            return publisher
        }
    }
}
