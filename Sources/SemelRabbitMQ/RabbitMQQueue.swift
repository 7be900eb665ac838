import CRabbitMQ
public import Logging
public import Semel

/// A RabbitMQ queue: AMQP 0-9-1 through librabbitmq, on a thread of its own.
///
/// A claim lasts as long as its channel. That thread reads frames between requests, so that heartbeats go both ways and
/// a closed channel is noticed at once, whatever the task does.
public actor RabbitMQQueue: MessageQueue {
    public nonisolated let name: String
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let address: RabbitMQAddress
    private let deadLettering: DeadLettering
    private let log: Logger

    /// Who puts a dead letter where.
    public enum DeadLettering: String, Sendable, CaseIterable {
        /// The worker publishes it to `NAME.dead`, with the reason.
        case queue
        /// The broker does, by the queue's dead letter exchange. Without one it drops the message.
        case broker
    }

    private enum State {
        case idle
        case claimed(RabbitMQClaim, AMQPChannel.Delivery, AMQPChannel)
        /// At most once: the message is off the queue already.
        case taken(AMQPChannel.Delivery)
        case lost(ClaimLoss)
        /// The connection has said goodbye. To take it apart would only delay the worker's end.
        case settled(AMQPChannel)
        case closed
    }

    private var state = State.idle
    private var isConsumer = false
    private static let consumerTag = "semel"

    public init(_ address: RabbitMQAddress, deadLettering: DeadLettering = .queue, log: Logger) throws(SystemError) {
        self.address = address
        self.deadLettering = deadLettering
        self.log = log
        name = address.name
        thread = try ThreadExecutor("semel-rabbitmq")
    }

    public func claim(_ request: ClaimRequest) async throws(QueueFailure) -> (any Claim)? {
        let cancelled = OneShot<Void>()
        // This method blocks its thread while it waits, as librabbitmq does, so the wish to stop comes from outside.
        let result = await withTaskCancellationHandler {
            Result { () throws(QueueFailure) in try connectAndClaim(request, cancelled) }
        } onCancel: {
            cancelled.fulfil(())
            thread.interrupt()
        }
        return try result.get()
    }

    public func close() async {
        if case .claimed(_, _, let channel) = state { channel.connection.close() }
        state = .closed
        // What it watches has a hold on this queue.
        thread.watch(nil)
        thread.stop()
    }

    // MARK: Claiming

    private func connectAndClaim(_ request: ClaimRequest, _ cancelled: OneShot<Void>) throws(QueueFailure)
        -> RabbitMQClaim?
    {
        do throws(AMQPFailure) {
            let connection = try AMQPConnection.open(address)
            let channel = AMQPChannel(connection)
            // The broker keeps their order, and the delivery is the answer to all of them.
            connection.cork(true)
            try channel.open()
            if request.wait != .upTo(.zero) { try consume(on: channel) }
            connection.cork(false)
            guard let delivery = try receive(request, on: channel, cancelled) else {
                connection.close()
                return nil
            }
            return try claim(delivery, on: channel, request)
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    private func consume(on channel: AMQPChannel) throws(AMQPFailure) {
        let memory = AMQPMemory()
        defer { memory.keep() }
        try channel.limitPrefetch()
        var consume = amqp_basic_consume_t()
        consume.queue = memory.bytes(address.queue)
        consume.consumer_tag = memory.bytes(Self.consumerTag)
        consume.arguments = memory.table([])
        try channel.connection.send(semel_basic_consume, consume)
        isConsumer = true
    }

    private func receive(_ request: ClaimRequest, on channel: AMQPChannel, _ cancelled: OneShot<Void>)
        throws(AMQPFailure) -> AMQPChannel.Delivery?
    {
        if case .upTo(.zero) = request.wait { return try channel.get(from: address.queue) }
        let end: ContinuousClock.Instant? = if case .upTo(let limit) = request.wait { .now + limit } else { nil }
        var hasBegun = false
        while cancelled.value == nil {
            while let event = try channel.next(until: .now) {
                switch event {
                case .answer(semel_basic_consume_ok):
                    hasBegun = true
                    request.onConnected?()
                case .delivery(let delivery): return delivery
                case .consumerCancelled: throw .closed(code: 404, text: "queue '\(address.queue)' was deleted")
                default: break
                }
            }
            if let end, ContinuousClock.now >= end { break }
            let visit = ContinuousClock.now + address.heartbeat / 3
            _ = thread.wait(for: channel.connection.descriptor, until: end.map { min($0, visit) } ?? visit)
        }
        return try lastDelivery(on: channel, hasBegun: hasBegun)
    }

    private func cancelConsumer(on channel: AMQPChannel, isAnswered: Bool) throws(AMQPFailure) {
        isConsumer = false
        let memory = AMQPMemory()
        defer { memory.keep() }
        try channel.connection.send(
            semel_basic_cancel,
            amqp_basic_cancel_t(consumer_tag: memory.bytes(Self.consumerTag), nowait: isAnswered ? 0 : 1))
    }

    /// Stops being a consumer; a message that was on its way by then is claimed after all.
    ///
    /// Not before it is one: a consumer that is cancelled before the broker has told itself of its beginning crashes
    /// the channel (541, seen with 3.10: rabbit_channel, consumer_monitor).
    private func lastDelivery(on channel: AMQPChannel, hasBegun: Bool) throws(AMQPFailure) -> AMQPChannel.Delivery? {
        var last: AMQPChannel.Delivery?
        let keep = { (event: AMQPChannel.Event) throws(AMQPFailure) in
            if case .delivery(let delivery) = event { last = delivery }
        }
        if !hasBegun { try channel.expect(semel_basic_consume_ok, to: "basic.consume", otherwise: keep) }
        try cancelConsumer(on: channel, isAnswered: true)
        try channel.expect(semel_basic_cancel_ok, to: "basic.cancel", otherwise: keep)
        return last
    }

    private func claim(_ delivery: AMQPChannel.Delivery, on channel: AMQPChannel, _ request: ClaimRequest)
        throws(AMQPFailure) -> RabbitMQClaim
    {
        let headers = delivery.properties.headers
        let attempts = RabbitMQAttempts(headers: headers, redelivered: delivery.redelivered)
        if attempts.isUncounted {
            log.warning("classic queues do not count deliveries: use a quorum queue", metadata: ["queue": "\(name)"])
        }
        let message = Message(
            id: delivery.properties.messageID ?? MessageID.random(), body: delivery.body,
            contentType: delivery.properties.contentType, headers: headers,
            attempt: attempts.number, attemptIsUncounted: attempts.isUncounted)
        let claim = RabbitMQClaim(queue: self, message: message)
        if request.delivery == .atMostOnce {
            if isConsumer { try cancelConsumer(on: channel, isAnswered: false) }
            try acknowledge(delivery, on: channel)
            channel.connection.close()
            state = .taken(delivery)
        } else {
            state = .claimed(claim, delivery, channel)
            thread.watch(
                ThreadExecutor.Watch(descriptor: channel.connection.descriptor, atLeastEvery: address.heartbeat / 3) {
                    self.assumeIsolated { $0.serve() }
                })
        }
        return claim
    }

    // MARK: Holding

    /// Reads what came, between requests: heartbeats, the end of the consumer, the end of the claim.
    private func serve() {
        guard case .claimed(let claim, _, let channel) = state else { return }
        do throws(AMQPFailure) {
            // The first thing after the message is handed over, so that it is not in the task's way. Nor is an answer.
            if isConsumer { try cancelConsumer(on: channel, isAnswered: false) }
            while let event = try channel.next(until: .now) {
                // Prefetch is 1 and the consumer was cancelled, so none should come; one that does is not ours.
                if case .delivery(let stray) = event { try refuse(stray, requeue: true, on: channel) }
                if case .consumerCancelled = event {
                    throw .closed(
                        code: 404,
                        text: """
                            queue '\(address.queue)' was deleted or moved, or its consumer timeout passed \
                            (RabbitMQ 4.3 and later: raise x-consumer-timeout)
                            """)
                }
            }
        } catch {
            lose(claim, channel, error)
        }
    }

    private func lose(_ claim: RabbitMQClaim, _ channel: AMQPChannel, _ failure: AMQPFailure) {
        let loss = ClaimLoss(RabbitMQAdvice.on(failure, serverVersion: channel.connection.serverVersion))
        state = .lost(loss)
        thread.watch(nil)
        channel.connection.close()
        claim.loss.fulfil(loss)
    }

    private func refuse(_ delivery: AMQPChannel.Delivery, requeue: Bool, on channel: AMQPChannel) throws(AMQPFailure) {
        let method = amqp_basic_nack_t(delivery_tag: delivery.tag, multiple: 0, requeue: requeue ? 1 : 0)
        try channel.connection.send(semel_basic_nack, method)
    }

    // MARK: Settling

    fileprivate func settle(_ claim: RabbitMQClaim, _ settlement: Settlement) throws(SettlementFailure) {
        serve()
        switch state {
        case .claimed(_, let delivery, _):
            let problem = publish(claim, delivery, settlement)
            // Publishing takes time, in which the claim may have been lost: look again.
            guard case .claimed(_, _, let channel) = state else { return try settle(claim, settlement) }
            try end(claim, delivery, on: channel, settlement, problem)
        case .taken(let delivery):
            if let problem = publish(claim, delivery, settlement) { throw .lost(ClaimLoss(problem)) }
        case .lost(let loss): throw .lost(loss)
        case .idle, .settled, .closed: throw .lost(ClaimLoss("the queue was closed"))
        }
    }

    private func end(
        _ claim: RabbitMQClaim, _ delivery: AMQPChannel.Delivery, on channel: AMQPChannel, _ settlement: Settlement,
        _ problem: String?
    ) throws(SettlementFailure) {
        do throws(AMQPFailure) {
            if problem != nil {
                try refuse(delivery, requeue: true, on: channel)
                try channel.close()
            } else if case .deadLetter = settlement, deadLettering == .broker {
                try refuse(delivery, requeue: false, on: channel)
                try channel.close()
            } else {
                try acknowledge(delivery, on: channel)
            }
        } catch {
            lose(claim, channel, error)
            throw .lost(claim.loss.value ?? ClaimLoss(error.reason))
        }
        thread.watch(nil)
        channel.connection.close()
        state = .settled(channel)
        // A release that could only be made by handing back is one all the same.
        if case .release = settlement { return }
        if let problem { throw .handedBack(problem) }
    }

    /// Acknowledges, and knows: basic.ack has no answer, but the channel's close has, and comes after it.
    private func acknowledge(_ delivery: AMQPChannel.Delivery, on channel: AMQPChannel) throws(AMQPFailure) {
        channel.connection.cork(true)
        try channel.connection.send(semel_basic_ack, amqp_basic_ack_t(delivery_tag: delivery.tag, multiple: 0))
        try channel.sendClose()
        channel.connection.cork(false)
        try channel.awaitClose()
    }

    /// Puts what has to outlive the message somewhere else, before it is acknowledged. Returns why that did not work.
    private func publish(_ claim: RabbitMQClaim, _ delivery: AMQPChannel.Delivery, _ settlement: Settlement) -> String?
    {
        do throws(AMQPFailure) {
            switch settlement {
            case .complete(result: nil): tell(of: .completed, delivery)
            case .release: try publisher().putBack(delivery, of: claim.message)
            case .complete(let result?):
                guard let replyTo = delivery.properties.replyTo else {
                    log.notice("the message names no reply_to: its result is not delivered")
                    break
                }
                try publisher().reply(result, to: replyTo, answering: delivery.properties)
            case .retry(let delay):
                try publisher().retry(delivery, of: claim.message, after: delay)
            case .deadLetter(let letter):
                if deadLettering == .queue || isTaken {
                    try publisher().deadLetter(delivery, of: claim.message, letter)
                }
                tell(of: .deadLettered, reason: letter.reason, delivery)
            }
            return nil
        } catch {
            // The queue was deleted, and its messages with it: there is nothing to hand back.
            if case .closed(404, _) = error, case .claimed(_, _, let channel) = state { lose(claim, channel, error) }
            return error.reason
        }
    }

    /// Tells whoever asked to be told. It is only news: without it the message's end is the same.
    private func tell(of outcome: Outcome, reason: String? = nil, _ delivery: AMQPChannel.Delivery) {
        typealias Header = AMQPProperties.Header
        guard let replyTo = delivery.properties.replyTo, delivery.properties.headers[Header.awaited] == .bool(true),
            let nothing = try? MessageBody([])
        else { return }
        var headers = [Header.outcome: outcome.rawValue]
        headers[Header.reason] = reason
        do throws(AMQPFailure) {
            try publisher().reply(nothing, headers, to: replyTo, answering: delivery.properties)
        } catch {
            log.warning("could not tell the requester", metadata: ["reason": "\(error.reason)"])
        }
    }

    /// Whether the message left the queue when it was claimed: then the broker has nothing left to dead-letter.
    private var isTaken: Bool {
        if case .taken = state { true } else { false }
    }

    /// On a connection of its own: RabbitMQ stops reading from publishers when it runs out of memory, and an
    /// acknowledgement on the same connection would wait with them.
    private func publisher() throws(AMQPFailure) -> RabbitMQPublisher {
        try RabbitMQPublisher(
            address, log: log,
            checkClaim: { () throws(AMQPFailure) in
                try self.assumeIsolated { queue in Result { () throws(AMQPFailure) in try queue.checkClaim() } }.get()
            }, meanwhile: { self.assumeIsolated { $0.serve() } })
    }

    /// What is published for a claim that is gone would be a second message. So the claim is looked at last.
    private func checkClaim() throws(AMQPFailure) {
        switch state {
        case .claimed(let claim, _, let channel):
            do throws(AMQPFailure) {
                try channel.checkThatItLives()
            } catch {
                lose(claim, channel, error)
                throw error
            }
        case .taken: break
        case .idle, .lost, .settled, .closed: throw .broken("the claim is lost")
        }
    }
}

struct RabbitMQClaim: Claim {
    let queue: RabbitMQQueue
    let message: Message
    let lease: Duration? = nil
    let loss = OneShot<ClaimLoss>()

    func settle(_ settlement: Settlement) async throws(SettlementFailure) {
        try await queue.settle(self, settlement)
    }
}

/// Which attempt a delivery is. A retry carries the number used so far in a header of its own; since then a quorum queue
/// counts returns and lost connections. A classic queue only says whether there were any.
struct RabbitMQAttempts: Hashable {
    let number: Int
    let isUncounted: Bool

    init(headers: [String: HeaderValue], redelivered: Bool) {
        let used = headers[AMQPProperties.Header.attempts]?.whole ?? 0
        let returned = headers["x-delivery-count"]?.whole
        number = Self.credible(used) + Self.credible(returned ?? 0) + 1
        isUncounted = returned == nil && redelivered
    }

    /// Anybody can write any number into a header.
    private static func credible(_ count: Int) -> Int {
        min(max(0, count), Int(Int32.max))
    }
}

enum RabbitMQAdvice {
    /// The reason in words that a stranger can act on.
    static func on(_ failure: AMQPFailure, serverVersion: String?) -> String {
        guard case .closed(_, let text) = failure, text.contains("delivery acknowledgement"), text.contains("timed out")
        else { return failure.reason }
        let version = (serverVersion ?? "").split(separator: ".").compactMap { Int($0) }
        let perQueue = version.first.map { $0 > 3 || ($0 == 3 && version.count > 1 && version[1] >= 12) } ?? false
        let how =
            perQueue
            ? "raise it with the queue argument x-consumer-timeout or a policy with consumer-timeout (milliseconds)"
            : "raise it with consumer_timeout (milliseconds) in rabbitmq.conf"
        return "RabbitMQ's delivery acknowledgement timeout passed while the task ran; \(how): \(text)"
    }
}

extension HeaderValue {
    var whole: Int? {
        if case .integer(let value) = self { Int(exactly: value) } else { nil }
    }
}
