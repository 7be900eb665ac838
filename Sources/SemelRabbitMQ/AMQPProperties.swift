import CRabbitMQ
import Semel

/// A message's properties, copied out of the connection's memory so that a retry or a dead letter can carry them on
/// with their types, which a `Message` no longer has.
final class AMQPProperties {
    /// Headers that semel writes and reads. AMQP has no field for how often a message was tried.
    enum Header {
        static let attempts = "x-semel-attempts"
        static let reason = "x-semel-reason"
        static let exit = "x-semel-exit"
        static let output = "x-semel-output"
        static let worker = "x-semel-worker"
        static let time = "x-semel-time"
        static let queue = "x-semel-queue"
        /// In a request: its sender wants to hear of every end, not only of a result.
        static let awaited = "x-semel-await"
        /// In the answer to such a request: the end, when it is not a result. The word is an ``Outcome``'s.
        static let outcome = "x-semel-outcome"

        /// Set anew by whoever writes them; an older copy would be wrong.
        static let replaced: Set = [attempts, reason, exit, output, worker, time, queue]
        /// The broker's own account of a message's way. A copy starts a new one: a quorum queue counts from 0 again,
        /// and an old `x-death` could make the broker see a cycle and drop the message.
        static let brokers: Set = [
            "x-delivery-count", "x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason",
            "x-last-death-exchange", "x-last-death-queue", "x-last-death-reason",
        ]
    }

    private let memory = AMQPMemory()
    private let properties: amqp_basic_properties_t

    init(copying source: amqp_basic_properties_t) {
        var copied = source
        let memory = memory
        // A field that the message does not have is whatever was in that memory before: the decoder does not touch it.
        func copy(_ field: inout amqp_bytes_t, _ flag: Int32) {
            field = source.has(flag) ? memory.bytes(field.buffer) : amqp_empty_bytes
        }
        // One by one: a list of key paths takes longer to make than to use.
        copy(&copied.content_type, AMQP_BASIC_CONTENT_TYPE_FLAG)
        copy(&copied.content_encoding, AMQP_BASIC_CONTENT_ENCODING_FLAG)
        copy(&copied.correlation_id, AMQP_BASIC_CORRELATION_ID_FLAG)
        copy(&copied.reply_to, AMQP_BASIC_REPLY_TO_FLAG)
        copy(&copied.expiration, AMQP_BASIC_EXPIRATION_FLAG)
        copy(&copied.message_id, AMQP_BASIC_MESSAGE_ID_FLAG)
        copy(&copied.type, AMQP_BASIC_TYPE_FLAG)
        copy(&copied.user_id, AMQP_BASIC_USER_ID_FLAG)
        copy(&copied.app_id, AMQP_BASIC_APP_ID_FLAG)
        copy(&copied.cluster_id, AMQP_BASIC_CLUSTER_ID_FLAG)
        copied.headers = source.has(AMQP_BASIC_HEADERS_FLAG) ? memory.copy(source.headers) : memory.table([])
        properties = copied
    }

    var messageID: String? { text(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id) }
    var contentType: String? { text(AMQP_BASIC_CONTENT_TYPE_FLAG, properties.content_type) }
    var replyTo: String? { text(AMQP_BASIC_REPLY_TO_FLAG, properties.reply_to) }
    var correlationID: String? { text(AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id) }
    var headers: [String: HeaderValue] { HeaderValue.table(properties.headers) }

    private func text(_ flag: Int32, _ bytes: amqp_bytes_t) -> String? {
        properties.has(flag) && bytes.len > 0 ? bytes.text : nil
    }

    /// The same properties for a copy of the message, with these headers added. Persistent, without a time to live (a
    /// dead letter must not evaporate) and without a user id (the broker checks it against the connection's).
    /// - Parameters:
    ///   - id: The message keeps the id that it was known by, also where its producer gave it none.
    ///   - additions: Made with `memory`, which must live as long as the result is used.
    func forCopy(id: String, adding additions: [amqp_table_entry_t], in memory: AMQPMemory) -> amqp_basic_properties_t {
        var copy = properties
        copy.message_id = memory.bytes(id)
        let dropped = Header.replaced.union(Header.brokers)
        let kept = UnsafeBufferPointer(start: properties.headers.entries, count: Int(properties.headers.num_entries))
            .filter { !dropped.contains($0.key.text) }
        copy.headers = memory.table(kept + additions)
        copy.delivery_mode = UInt8(AMQP_DELIVERY_PERSISTENT.rawValue)
        let added = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG
        let removed = AMQP_BASIC_EXPIRATION_FLAG | AMQP_BASIC_USER_ID_FLAG
        copy._flags |= amqp_flags_t(UInt32(bitPattern: added))
        copy._flags &= ~amqp_flags_t(UInt32(bitPattern: removed))
        return copy
    }
}

extension amqp_basic_properties_t {
    fileprivate func has(_ flag: Int32) -> Bool {
        _flags & amqp_flags_t(UInt32(bitPattern: flag)) != 0
    }
}
