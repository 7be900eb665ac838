import CRabbitMQ
import Logging
import Semel

/// Publishes on a connection of its own, and knows that the broker has what was published: persistent, mandatory,
/// confirmed.
final class RabbitMQPublisher {
    private let address: RabbitMQAddress
    private let log: Logger
    private let meanwhile: () -> Void
    private let checkClaim: () throws(AMQPFailure) -> Void
    private(set) var channel: AMQPChannel
    private var unconfirmed = Unconfirmed()
    private var blocked: String?
    private var returned = false
    private var replies: [AMQPChannel.Delivery] = []

    /// - Parameters:
    ///   - checkClaim: Called right before each message: fails when it should not exist any more.
    ///   - meanwhile: Called about twice a second while the broker is waited for.
    init(
        _ address: RabbitMQAddress, log: Logger, checkClaim: @escaping () throws(AMQPFailure) -> Void = {},
        meanwhile: @escaping () -> Void = {}
    ) throws(AMQPFailure) {
        self.address = address
        self.log = log
        self.checkClaim = checkClaim
        self.meanwhile = meanwhile
        channel = try Self.open(address, meanwhile)
    }

    deinit {
        channel.connection.close()
    }

    private static func open(_ address: RabbitMQAddress, _ meanwhile: @escaping () -> Void) throws(AMQPFailure)
        -> AMQPChannel
    {
        let channel = AMQPChannel(try AMQPConnection.open(address), meanwhile: meanwhile)
        try channel.open()
        // A broker that blocks publishers stops reading in the middle of what they publish, and goes on later, even if
        // they have given up meanwhile. So the first thing to be published is nothing, to nobody: if what comes after
        // it is answered, the broker does not block.
        try channel.connection.publish(
            UnsafeRawBufferPointer(start: nil, count: 0), to: "", mandatory: false, amqp_basic_properties_t())
        try channel.connection.send(semel_confirm_select, amqp_confirm_select_t(nowait: 0))
        var blocked: String?
        do throws(AMQPFailure) {
            try channel.expect(
                semel_confirm_select_ok, to: "confirm.select",
                otherwise: { (event) throws(AMQPFailure) in if case .blocked(let why) = event { blocked = why } })
        } catch {
            throw Self.failure(error, blocked: blocked)
        }
        return channel
    }

    /// The socket, to be polled between calls.
    var descriptor: CInt { channel.connection.descriptor }

    // MARK: What semel publishes

    func retry(_ delivery: AMQPChannel.Delivery, of message: Message, after delay: Duration) throws(AMQPFailure) {
        let tier = RetryTier(atLeast: delay)
        let memory = AMQPMemory()
        defer { memory.keep() }
        let queue = address.retryQueue(tier.delay)
        try checkThatQueueIsThere()
        // What expires here is dead-lettered back to the queue that it came from.
        try declareUnlessThere(
            queue,
            [
                memory.entry("x-message-ttl", tier.delay.milliseconds),
                memory.entry("x-dead-letter-exchange", ""),
                memory.entry("x-dead-letter-routing-key", address.queue),
                memory.entry("x-dead-letter-strategy", "at-least-once"),
                memory.entry("x-overflow", "reject-publish"),
            ])
        try publishCopy(delivery, of: message, attemptsUsed: message.attempt, to: queue)
    }

    /// Puts the message back as one that this worker never had. A refusal with requeue would count as an attempt, on
    /// quorum queues before 4.3 as on classic ones; a copy does not, but goes to the end of the queue.
    func putBack(_ delivery: AMQPChannel.Delivery, of message: Message) throws(AMQPFailure) {
        try checkThatQueueIsThere()
        try publishCopy(delivery, of: message, attemptsUsed: message.attempt - 1, to: address.queue)
    }

    /// Fails with 404 when it is not: a copy that is meant for it would be lost.
    private func checkThatQueueIsThere() throws(AMQPFailure) {
        _ = try channel.count(of: address.queue)
    }

    /// A dead letter back to its queue, as if it had never been tried.
    func revive(_ delivery: AMQPChannel.Delivery, id: String) throws(AMQPFailure) {
        let memory = AMQPMemory()
        defer { memory.keep() }
        try publish(delivery.body, to: address.queue, delivery.properties.forCopy(id: id, adding: [], in: memory))
    }

    private func publishCopy(
        _ delivery: AMQPChannel.Delivery, of message: Message, attemptsUsed: Int, to queue: String
    ) throws(AMQPFailure) {
        let memory = AMQPMemory()
        defer { memory.keep() }
        let used = memory.entry(AMQPProperties.Header.attempts, Int64(attemptsUsed))
        try publish(delivery.body, to: queue, delivery.properties.forCopy(id: message.id, adding: [used], in: memory))
    }

    func deadLetter(_ delivery: AMQPChannel.Delivery, of message: Message, _ letter: DeadLetter) throws(AMQPFailure) {
        let memory = AMQPMemory()
        defer { memory.keep() }
        let queue = address.deadQueue
        // From 4.0 on a quorum queue drops what was looked at 20 times; looking at dead letters is no delivery.
        try declareUnlessThere(queue, isServer(atLeast: (4, 0)) ? [memory.entry("x-delivery-limit", -1)] : [])
        var headers = [
            memory.entry(AMQPProperties.Header.attempts, Int64(letter.attempts)),
            memory.entry(AMQPProperties.Header.reason, letter.reason),
            memory.entry(AMQPProperties.Header.output, letter.output.joined(separator: "\n")),
            memory.entry(AMQPProperties.Header.worker, letter.worker),
            memory.entry(AMQPProperties.Header.time, letter.time),
            memory.entry(AMQPProperties.Header.queue, address.queue),
        ]
        if let exit = letter.exit { headers.append(memory.entry(AMQPProperties.Header.exit, Int64(exit))) }
        try publish(delivery.body, to: queue, delivery.properties.forCopy(id: message.id, adding: headers, in: memory))
    }

    /// Answers a request, as AMQP's request-reply pattern has it. Nobody waits for an answer to a queue that is gone.
    func reply(
        _ result: MessageBody, _ headers: [String: String] = [:], to queue: String, answering request: AMQPProperties
    ) throws(AMQPFailure) {
        let memory = AMQPMemory()
        defer { memory.keep() }
        var properties = amqp_basic_properties_t()
        if !headers.isEmpty {
            properties.headers = memory.table(headers.map { memory.entry($0.key, $0.value) })
            properties._flags |= amqp_flags_t(UInt32(bitPattern: AMQP_BASIC_HEADERS_FLAG))
        }
        if let id = request.correlationID ?? request.messageID {
            properties.correlation_id = memory.bytes(id)
            properties._flags |= amqp_flags_t(UInt32(bitPattern: AMQP_BASIC_CORRELATION_ID_FLAG))
        }
        do throws(AMQPFailure) {
            try publish(result, to: queue, properties)
        } catch .broken(let text) where text.hasPrefix(Self.noQueue) {
            log.warning("nobody waits for the result", metadata: ["reply_to": "\(queue)"])
        } catch .closed(541, _) where queue.hasPrefix(Self.replyTo) {
            // What looks like the name of a waiting channel but is none crashes ours (3.10).
            log.warning("nobody waits for the result", metadata: ["reply_to": "\(queue)"])
        }
    }

    func publish(_ body: MessageBody, to queue: String, _ properties: amqp_basic_properties_t) throws(AMQPFailure) {
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try body.bytes() } catch { throw .broken(error.description) }
        try checkClaim()
        try send(bytes, to: queue, properties)
        try awaitConfirmations(to: queue)
    }

    // MARK: How it publishes

    /// Without waiting for the confirmation: see ``awaitConfirmations(to:)``.
    func send(_ bytes: [UInt8], to queue: String, _ properties: amqp_basic_properties_t) throws(AMQPFailure) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(AMQPFailure) in
                try channel.connection.publish(buffer, to: queue, mandatory: true, properties)
            }
        }
        do throws(AMQPFailure) { try result.get() } catch { throw cause(of: error) }
        unconfirmed.add(size: bytes.count)
    }

    static let noQueue = "no queue took it"

    /// Waits until the broker has everything that was sent.
    func awaitConfirmations(to queue: String) throws(AMQPFailure) {
        while !unconfirmed.isEmpty { try awaitNews(of: queue) }
        defer { returned = false }
        if returned { throw .broken("\(Self.noQueue): \(queue)") }
    }

    /// Waits while too much is on its way, or the broker blocks publishers.
    func awaitRoom(to queue: String) throws(AMQPFailure) {
        try serve()
        if blocked == nil && !unconfirmed.isFull { return }
        while blocked != nil || unconfirmed.isHalfFull { try awaitNews(of: queue) }
    }

    /// Takes in what the broker has said, without waiting.
    func serve() throws(AMQPFailure) {
        while let event = try channel.next(until: .now) { try note(event) }
    }

    // MARK: Replies

    /// The broker's name for this channel as a place to reply to: no queue, and no right is needed for it.
    static let replyTo = "amq.rabbitmq.reply-to"

    /// From now on what is published may name ``replyTo``.
    func acceptReplies() throws(AMQPFailure) {
        let memory = AMQPMemory()
        defer { memory.keep() }
        var consume = amqp_basic_consume_t()
        consume.queue = memory.bytes(Self.replyTo)
        consume.no_ack = 1
        consume.arguments = memory.table([])
        try channel.connection.send(semel_basic_consume, consume)
    }

    /// Those that came since the last call.
    func takeReplies() throws(AMQPFailure) -> [AMQPChannel.Delivery] {
        try serve()
        defer { replies = [] }
        return replies
    }

    private func awaitNews(of queue: String) throws(AMQPFailure) {
        do throws(AMQPFailure) {
            try channel.wait(for: "a publishing to \(queue)") { (event) throws(AMQPFailure) -> Void? in
                try note(event)
                return switch event {
                case .confirmed, .unblocked: ()
                default: nil
                }
            }
        } catch {
            throw Self.failure(error, blocked: blocked)
        }
    }

    private static func failure(_ failure: AMQPFailure, blocked: String?) -> AMQPFailure {
        blocked.map { .broken("the broker blocks publishers (\($0)): \(failure.reason)") } ?? failure
    }

    private func note(_ event: AMQPChannel.Event) throws(AMQPFailure) {
        switch event {
        case .confirmed(let tag, let multiple): unconfirmed.remove(tag, multiple: multiple)
        case .notTaken: throw .broken("the broker did not take a message; is its queue full?")
        case .returned: returned = true
        case .blocked(let why): blocked = why
        case .unblocked: blocked = nil
        case .delivery(let reply): replies.append(reply)
        default: break
        }
    }

    /// A failed write only says that the broker hung up; mostly it has said why before.
    private func cause(of failure: AMQPFailure) -> AMQPFailure {
        do throws(AMQPFailure) {
            try serve()
        } catch {
            if case .closed = error { return error }
        }
        return Self.failure(failure, blocked: blocked)
    }

    /// Makes a durable queue of semel's, unless there is one of that name: whoever made it by hand knew what they wanted.
    /// It is of type quorum, whatever the user's is, so that it has copies where there are several nodes; before 3.10
    /// those knew no times to live.
    private func declareUnlessThere(_ queue: String, _ arguments: [amqp_table_entry_t]) throws(AMQPFailure) {
        do throws(AMQPFailure) {
            _ = try channel.count(of: queue)
        } catch .closed(404, _) {
            // With that answer the broker has ended the channel.
            channel.connection.close()
            channel = try Self.open(address, meanwhile)
            unconfirmed = Unconfirmed()
            let memory = AMQPMemory()
            defer { memory.keep() }
            let onlyQuorum: Set = ["x-dead-letter-strategy", "x-overflow", "x-delivery-limit"]
            if isServer(atLeast: (3, 10)) {
                try channel.declare(queue, arguments + [memory.entry("x-queue-type", "quorum")])
            } else {
                try channel.declare(queue, arguments.filter { !onlyQuorum.contains($0.key.text) })
            }
            log.info("made a queue; waiting until the broker has written it down", metadata: ["queue": "\(queue)"])
            try rest(Self.untilRemembered)
        }
    }

    /// A node that is killed forgets the quorum queues that it made in its last moments, with all that was confirmed in
    /// them: their names are in a table of ra's (ra_directory), which dets keeps in memory for three seconds.
    private static let untilRemembered = Duration.milliseconds(3_500)

    /// Waits, and goes on to hear what the broker says.
    private func rest(_ span: Duration) throws(AMQPFailure) {
        let end = ContinuousClock.now + span
        while ContinuousClock.now < end {
            while let event = try channel.next(until: min(end, .now + AMQPChannel.pulse)) { try note(event) }
            meanwhile()
        }
    }

    private func isServer(atLeast wanted: (Int, Int)) -> Bool {
        let version = (channel.connection.serverVersion ?? "").split(separator: ".").compactMap { Int($0) }
        return version.count > 1 && (version[0], version[1]) >= wanted
    }
}

/// The delays that retry queues exist for: a queue for each, so that no message waits behind a slower one.
struct RetryTier: Hashable {
    let delay: Duration

    static let ladder: [Duration] =
        [100, 200, 500].map { .milliseconds($0) } + [1, 2, 5, 10, 20, 30].map { .seconds($0) }
        + [1, 2, 5, 10, 20, 30].map { .seconds($0 * 60) } + [1, 2, 5, 10, 24].map { .seconds($0 * 3600) }

    /// The next one up; a day at the most.
    init(atLeast delay: Duration) {
        self.delay = Self.ladder.first { $0 >= delay } ?? .seconds(86_400)
    }
}
