import CRabbitMQ
import Glibc
import Logging
import Semel

// What everybody who puts messages into a queue has in common.

extension OutgoingMessage {
    /// AMQP has one byte for the length of a short string, and one frame for all properties.
    func check() throws(QueueFailure) {
        let short =
            [("id", id ?? ""), ("content type", contentType ?? "")] + headers.keys.map { ("name of header", $0) }
        for (what, text) in short where text.utf8.count > 255 {
            throw .misconfigured("the \(what) ‘\(text.prefix(20))…’ is longer than RabbitMQ's 255 bytes")
        }
        let size = headers.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        if size > 100_000 { throw .misconfigured("the headers are larger than the 100 kB that RabbitMQ takes") }
    }

    /// - Parameters:
    ///   - additions: Headers besides the message's own. Made with `memory`, which must live as long as the result is
    ///     used.
    func properties(adding additions: [amqp_table_entry_t] = [], in memory: AMQPMemory) -> amqp_basic_properties_t {
        var properties = amqp_basic_properties_t()
        // Without an id of its own a message would be given another one by every worker that claims it.
        properties.message_id = memory.bytes(id ?? MessageID.random())
        properties.timestamp = UInt64(time(nil))
        properties.delivery_mode = UInt8(AMQP_DELIVERY_PERSISTENT.rawValue)
        var flags = AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG
        if let contentType {
            properties.content_type = memory.bytes(contentType)
            flags |= AMQP_BASIC_CONTENT_TYPE_FLAG
        }
        let own = headers.sorted { $0.key < $1.key }.map { memory.entry($0.key, $0.value) }
        if !own.isEmpty || !additions.isEmpty {
            properties.headers = memory.table(own + additions)
            flags |= AMQP_BASIC_HEADERS_FLAG
        }
        properties._flags = amqp_flags_t(UInt32(bitPattern: flags))
        return properties
    }
}

extension RabbitMQPublisher {
    /// A message for a queue that is not there would only come back: better to know before the first one.
    static func open(_ address: RabbitMQAddress, declaring: Bool, log: Logger) throws(AMQPFailure)
        -> RabbitMQPublisher
    {
        do throws(AMQPFailure) {
            let publisher = try RabbitMQPublisher(address, log: log)
            _ = try publisher.channel.count(of: address.queue)
            return publisher
        } catch .closed(404, _) where declaring {
            // The broker ended that channel with its answer.
            let publisher = try RabbitMQPublisher(address, log: log)
            let memory = AMQPMemory()
            defer { memory.keep() }
            try publisher.channel.declare(address.queue, [memory.entry("x-queue-type", "quorum")])
            return publisher
        }
    }
}

extension AMQPFailure {
    /// What it means to somebody who puts messages into this queue.
    func asEnqueuingFailure(_ address: RabbitMQAddress) -> QueueFailure {
        switch self {
        case .closed(404, _):
            return .misconfigured(
                "\(address.source): \(address.place) has no queue ‘\(address.queue)’; declare it, or let --declare do so"
            )
        case .broken(let text) where text.hasPrefix(RabbitMQPublisher.noQueue):
            return .misconfigured("\(address.source): \(address.place): queue ‘\(address.queue)’ was deleted meanwhile")
        default: return asQueueFailure(address)
        }
    }
}
