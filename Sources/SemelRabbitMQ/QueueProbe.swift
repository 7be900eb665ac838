import CRabbitMQ
import Semel

/// Asks how many messages queues hold, many at once.
///
/// The broker ends the channel on which it is asked for a queue that is not there. So every question has a channel of
/// its own; all go out together, and the answers are one round trip away.
final class QueueProbe {
    enum Answer {
        case messages(Int)
        /// 404 when there is no such queue.
        case refused(code: UInt16, text: String)
    }

    let connection: AMQPConnection
    private var open: Set<amqp_channel_t> = []

    init(_ connection: AMQPConnection) {
        self.connection = connection
    }

    /// The answers are in the order of the queues.
    func ask(_ queues: [String]) throws(AMQPFailure) -> [Answer] {
        var answers: [Answer] = []
        var rest = queues[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(connection.channelMax))
            answers += try askTogether(batch)
            rest = rest.dropFirst(batch.count)
        }
        return answers
    }

    /// Takes in what the broker says between questions.
    func serve() throws(AMQPFailure) {
        while let frame = try connection.nextFrame(until: .now) { try note(frame) }
    }

    private func askTogether(_ queues: [String]) throws(AMQPFailure) -> [Answer] {
        for (queue, channel) in zip(queues, amqp_channel_t(1)...) { try ask(queue, on: channel) }
        var answers: [amqp_channel_t: Answer] = [:]
        let end = ContinuousClock.now + AMQPConnection.patience
        while answers.count < queues.count {
            guard let frame = try connection.nextFrame(until: end) else {
                throw .broken("the broker did not answer queue.declare within \(Units.text(AMQPConnection.patience))")
            }
            if let answer = try note(frame) { answers[frame.channel] = answer }
        }
        return answers.sorted { $0.key < $1.key }.map(\.value)
    }

    private func ask(_ queue: String, on channel: amqp_channel_t) throws(AMQPFailure) {
        if open.insert(channel).inserted {
            try connection.send(semel_channel_open, amqp_channel_open_t(out_of_band: amqp_empty_bytes), on: channel)
        }
        let memory = AMQPMemory()
        defer { memory.keep() }
        var method = amqp_queue_declare_t()
        method.queue = memory.bytes(queue)
        method.passive = 1
        method.arguments = memory.table([])
        try connection.send(semel_queue_declare, method, on: channel)
    }

    /// The answer that this frame is, if it is one.
    @discardableResult
    private func note(_ frame: amqp_frame_t) throws(AMQPFailure) -> Answer? {
        defer { connection.releaseBuffers() }
        guard frame.frame_type == UInt8(AMQP_FRAME_METHOD) else { return nil }
        let method = frame.payload.method
        switch method.id {
        case semel_queue_declare_ok:
            return .messages(Int(try method.arguments(amqp_queue_declare_ok_t.self).message_count))
        case semel_channel_close:
            let close = try method.arguments(amqp_channel_close_t.self)
            open.remove(frame.channel)
            try connection.send(semel_channel_close_ok, amqp_channel_close_ok_t(dummy: 0), on: frame.channel)
            return .refused(code: close.reply_code, text: close.reply_text.text)
        case semel_connection_close:
            let close = try method.arguments(amqp_connection_close_t.self)
            throw .closed(code: close.reply_code, text: close.reply_text.text)
        default: return nil
        }
    }
}
