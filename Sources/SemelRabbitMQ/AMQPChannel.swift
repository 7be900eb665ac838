import CRabbitMQ
import Semel

/// The frames of a connection's channel, put together to what they mean.
final class AMQPChannel {
    enum Event {
        case delivery(Delivery)
        /// `basic.get` found nothing.
        case nothingThere
        /// The answer to a request, by its method number.
        case answer(UInt32)
        case declared(messages: Int)
        /// The broker ended the consumer: its queue was deleted, or moved.
        case consumerCancelled
        case blocked(String)
        case unblocked
        /// The broker has this message; with `multiple`, and all that were published before it.
        case confirmed(tag: UInt64, multiple: Bool)
        case notTaken
        /// No queue of that name took a mandatory message.
        case returned(String)
    }

    struct Delivery {
        let tag: UInt64
        let redelivered: Bool
        let properties: AMQPProperties
        let body: MessageBody
    }

    let connection: AMQPConnection
    /// Called about twice a second while ``wait`` waits: for another connection of the same thread.
    private let meanwhile: () -> Void
    static let pulse = Duration.milliseconds(500)

    init(_ connection: AMQPConnection, meanwhile: @escaping () -> Void = {}) {
        self.connection = connection
        self.meanwhile = meanwhile
    }

    /// Its answer is read with the others: nothing asks for a wait in between.
    func open() throws(AMQPFailure) {
        try connection.send(semel_channel_open, amqp_channel_open_t(out_of_band: amqp_empty_bytes))
    }

    /// The next event, or `nil` when none came until `end`.
    func next(until end: ContinuousClock.Instant) throws(AMQPFailure) -> Event? {
        while true {
            guard let frame = try connection.nextFrame(until: end) else { return nil }
            defer { connection.releaseBuffers() }
            guard frame.frame_type == UInt8(AMQP_FRAME_METHOD) else { continue }
            if let event = try event(frame.payload.method) { return event }
        }
    }

    /// Waits for an event that `match` accepts; others are handed to `otherwise`.
    func wait<Result>(
        for what: String, within limit: Duration = AMQPConnection.patience,
        otherwise: (Event) throws(AMQPFailure) -> Void = { (_) throws(AMQPFailure) in },
        _ match: (Event) throws(AMQPFailure) -> Result?
    ) throws(AMQPFailure) -> Result {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            guard let event = try next(until: min(end, .now + Self.pulse)) else {
                meanwhile()
                continue
            }
            if let result = try match(event) { return result }
            try otherwise(event)
        }
        throw .broken("the broker did not answer \(what) within \(Units.text(limit))")
    }

    /// Waits for the answer that is one method.
    func expect(
        _ answer: UInt32, to what: String,
        otherwise: (Event) throws(AMQPFailure) -> Void = { (_) throws(AMQPFailure) in }
    ) throws(AMQPFailure) {
        try wait(for: what, otherwise: otherwise) { (event) throws(AMQPFailure) -> Void? in
            if case .answer(answer) = event { () } else { nil }
        }
    }

    /// Takes one message that is there, without ever being a consumer.
    func get(from queue: String) throws(AMQPFailure) -> Delivery? {
        let memory = AMQPMemory()
        defer { memory.keep() }
        try connection.send(semel_basic_get, amqp_basic_get_t(ticket: 0, queue: memory.bytes(queue), no_ack: 0))
        return try wait(for: "basic.get") { (event) throws(AMQPFailure) in
            switch event {
            case .delivery(let delivery): .some(.some(delivery))
            case .nothingThere: .some(.none)
            default: nil
            }
        }
    }

    /// Makes a durable queue, if there is none of that name; 406 when there is one of another kind.
    func declare(_ queue: String, _ arguments: [amqp_table_entry_t], durable: Bool = true) throws(AMQPFailure) {
        _ = try declare(queue, arguments, passive: false, durable: durable)
    }

    /// How many messages are ready; 404 when there is no such queue.
    func count(of queue: String) throws(AMQPFailure) -> Int {
        try declare(queue, [], passive: true)
    }

    private func declare(
        _ queue: String, _ arguments: [amqp_table_entry_t], passive: Bool, durable: Bool = true
    ) throws(AMQPFailure) -> Int {
        let memory = AMQPMemory()
        defer { memory.keep() }
        var method = amqp_queue_declare_t()
        method.queue = memory.bytes(queue)
        method.durable = durable ? 1 : 0
        method.passive = passive ? 1 : 0
        method.arguments = memory.table(arguments)
        try connection.send(semel_queue_declare, method)
        return try wait(for: "queue.declare") { (event) throws(AMQPFailure) in
            if case .declared(let messages) = event { messages } else { nil }
        }
    }

    /// Asks for at most one unacknowledged message.
    func limitPrefetch() throws(AMQPFailure) {
        try connection.send(semel_basic_qos, amqp_basic_qos_t(prefetch_size: 0, prefetch_count: 1, global: 0))
    }

    /// Returns when the broker has answered on this very channel. One that was cut off without a word looks like one on
    /// which there is nothing to say; so it is asked something that changes nothing.
    func checkThatItLives() throws(AMQPFailure) {
        try limitPrefetch()
        try expect(semel_basic_qos_ok, to: "basic.qos")
    }

    /// Closes the channel and waits for the broker's word: it has then seen all that was sent before.
    func close() throws(AMQPFailure) {
        try sendClose()
        try awaitClose()
    }

    func sendClose() throws(AMQPFailure) {
        var method = amqp_channel_close_t()
        method.reply_code = UInt16(AMQP_REPLY_SUCCESS)
        method.reply_text = amqp_empty_bytes
        try connection.send(semel_channel_close, method)
    }

    func awaitClose() throws(AMQPFailure) {
        try expect(semel_channel_close_ok, to: "channel.close")
    }

    private func event(_ method: amqp_method_t) throws(AMQPFailure) -> Event? {
        switch method.id {
        case semel_basic_deliver:
            let deliver = try method.arguments(amqp_basic_deliver_t.self)
            return .delivery(try content(deliver.delivery_tag, deliver.redelivered != 0))
        case semel_basic_get_ok:
            let got = try method.arguments(amqp_basic_get_ok_t.self)
            return .delivery(try content(got.delivery_tag, got.redelivered != 0))
        case semel_basic_get_empty: return .nothingThere
        case semel_basic_cancel: return .consumerCancelled
        case semel_basic_ack:
            let ack = try method.arguments(amqp_basic_ack_t.self)
            return .confirmed(tag: ack.delivery_tag, multiple: ack.multiple != 0)
        case semel_basic_nack: return .notTaken
        case semel_basic_return:
            let text = try method.arguments(amqp_basic_return_t.self).reply_text.text
            _ = try content(0, false)
            return .returned(text)
        case semel_queue_declare_ok:
            let declared = try method.arguments(amqp_queue_declare_ok_t.self)
            return .declared(messages: Int(declared.message_count))
        case semel_connection_blocked:
            return .blocked(try method.arguments(amqp_connection_blocked_t.self).reason.text)
        case semel_connection_unblocked: return .unblocked
        case semel_channel_close:
            let close = try method.arguments(amqp_channel_close_t.self)
            throw .closed(code: close.reply_code, text: close.reply_text.text)
        case semel_connection_close:
            let close = try method.arguments(amqp_connection_close_t.self)
            throw .closed(code: close.reply_code, text: close.reply_text.text)
        default: return .answer(method.id)
        }
    }

    /// Reads the header and body frames that follow a delivery.
    private func content(_ tag: UInt64, _ redelivered: Bool) throws(AMQPFailure) -> Delivery {
        let header = try frame(AMQP_FRAME_HEADER)
        guard let decoded = header.payload.properties.decoded else { throw .broken("a message without its properties") }
        let properties = AMQPProperties(copying: decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee)
        let size = Int(header.payload.properties.body_size)
        connection.releaseBuffers()
        let builder = try local { () throws(SystemError) in try MessageBodyBuilder() }
        var received = 0
        while received < size {
            let fragment = try frame(AMQP_FRAME_BODY).payload.body_fragment
            received += fragment.len
            try local { () throws(SystemError) in try builder.append(fragment.buffer) }
            connection.releaseBuffers()
        }
        let body = try local { () throws(SystemError) in try builder.finish() }
        return Delivery(tag: tag, redelivered: redelivered, properties: properties, body: body)
    }

    /// A failure of this machine ends the connection like one of the broker's.
    private func local<Result>(_ work: () throws(SystemError) -> Result) throws(AMQPFailure) -> Result {
        do throws(SystemError) { return try work() } catch { throw .broken(error.description) }
    }

    private func frame(_ type: CInt) throws(AMQPFailure) -> amqp_frame_t {
        let end = ContinuousClock.now + AMQPConnection.patience
        while let frame = try connection.nextFrame(until: end) {
            if frame.frame_type == UInt8(type) { return frame }
            // Only the connection's own channel may speak in the middle of a message.
            guard frame.channel == 0, frame.frame_type == UInt8(AMQP_FRAME_METHOD) else {
                throw .broken("the broker sent a frame out of order")
            }
            _ = try event(frame.payload.method)
        }
        throw .broken("the broker stopped in the middle of a message")
    }
}

extension amqp_method_t {
    /// What came with it, which must be the structure that belongs to its number.
    func arguments<Method>(_ type: Method.Type) throws(AMQPFailure) -> Method {
        guard let decoded else { throw .broken("a method without its arguments") }
        return decoded.assumingMemoryBound(to: type).pointee
    }
}
