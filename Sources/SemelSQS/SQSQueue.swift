public import Logging
public import NIOCore
public import Semel

/// A queue of Amazon SQS, or of a server that speaks as it does.
///
/// A claim is a lease: the time for which SQS hides the message, extended at a third of its length. SQS may take a
/// settlement with a receipt handle that is no longer good, and delete what another worker holds by now. So this
/// machine's monotonic clock decides: nothing is extended or settled once the lease is over.
public actor SQSQueue: MessageQueue {
    public nonisolated let name: String
    private let address: SQSAddress
    let client: SQSClient
    let deadLetters: SQSDeadLetterTarget
    private let status: WorkerStatus?
    let log: Logger
    private let ceiling: SQSCeiling
    private(set) var keeping: Task<Void, Never>?
    private(set) var lease = Duration.zero
    /// By this machine's monotonic clock; counted from before the request was sent, so never later than SQS' own.
    var leaseEnds = ContinuousClock.now
    /// What was said last about trouble with SQS.
    private(set) var trouble: String?
    var isSettled = false
    /// What has to outlive the message, a result or a dead letter, has been sent.
    var isSaved = false

    /// SQS hides a message for 12 hours in all, counted from when it was received.
    /// Source: Amazon SQS API Reference, ChangeMessageVisibility.
    public static let longestClaim = Duration.seconds(43_200)
    /// A poll that has begun has to be waited for: it may bring a message. SQS could wait for 20 seconds; a worker that is
    /// stopped should not.
    private static let longestPoll = Duration.seconds(4)
    private static let shortestPoll = Duration.seconds(1)
    /// Between two polls that a server answers at once.
    private static let longestPause = Duration.seconds(1)
    /// For how long a claim is tried again while SQS does not answer or is busy.
    private static let patience = Duration.seconds(5)

    public init(_ address: SQSAddress, on group: any EventLoopGroup, status: WorkerStatus?, log: Logger) {
        self.init(address, on: group, status: status, log: log, ceiling: .ofSQS)
    }

    /// - Parameter ceiling: Another than SQS' own for tests, which cannot wait for 12 hours.
    init(
        _ address: SQSAddress, on group: any EventLoopGroup, status: WorkerStatus?, log: Logger, ceiling: SQSCeiling
    ) {
        self.address = address
        self.status = status
        self.log = log
        self.ceiling = ceiling
        client = SQSClient(address, on: group, log: log)
        deadLetters = SQSDeadLetterTarget(client: client)
        name = address.name
    }

    public func close() async {
        keeping?.cancel()
        await keeping?.value
        await client.close()
    }

    // MARK: Claiming

    public func claim(_ request: ClaimRequest) async throws(QueueFailure) -> (any Claim)? {
        lease = min(request.lease, ceiling.span)
        do throws(SQSFailure) {
            return try await waitForClaim(request)
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    private func waitForClaim(_ request: ClaimRequest) async throws(SQSFailure) -> SQSClaim? {
        let end: ContinuousClock.Instant? = if case .upTo(let limit) = request.wait { .now + limit } else { nil }
        var backoff = Backoff()
        var pause = Backoff(to: Self.longestPause)
        var patienceEnds: ContinuousClock.Instant?
        // The same attempt at a FIFO queue brings the same message again, should its first answer be lost.
        var attempt = MessageID.random()
        while !Task.isCancelled {
            let asked = ContinuousClock.now
            let rest = end.map { $0 - asked } ?? Self.longestPoll
            do throws(SQSFailure) {
                if let claim = try await poll(request, for: rest, attempt: attempt) { return claim }
                patienceEnds = nil
                backoff = Backoff()
                attempt = MessageID.random()
            } catch {
                let limit = patienceEnds ?? .now + Self.patience
                patienceEnds = limit
                guard error.isPassing, ContinuousClock.now < limit else { throw error }
                tell("could not ask for a message, trying again", error)
                try? await Life.sleep(for: backoff.next())
                continue
            }
            let now = ContinuousClock.now
            if let end, now >= end { return nil }
            guard now - asked < Self.shortestPoll / 2 else {
                pause = Backoff(to: Self.longestPause)
                continue
            }
            // A server that speaks as SQS does, but does not wait for a message.
            try? await Life.sleep(for: min(pause.next(), end.map { $0 - now } ?? Self.longestPause))
        }
        return nil
    }

    /// One long poll. What it brings after a cancellation is handed back.
    private func poll(_ request: ClaimRequest, for rest: Duration, attempt: String)
        async throws(SQSFailure) -> SQSClaim?
    {
        let url = try await client.queueURL()
        // A poll of no time at all would ask some of SQS' servers only, and may find nothing where there is something.
        let seconds = max(Self.shortestPoll.wholeSeconds, min(min(rest, Self.longestPoll), lease / 3).wholeSeconds)
        let asked = ContinuousClock.now
        let question = SQSWire.ReceiveMessage(
            queueUrl: url, waitTimeSeconds: seconds, visibilityTimeout: lease.wholeSeconds,
            receiveRequestAttemptId: address.isFIFO ? attempt : nil)
        let polling = Life.task { [client] () async -> Result<SQSWire.Received, SQSFailure> in
            do throws(SQSFailure) {
                let limit = Duration.seconds(seconds) + SQSClient.patience
                return .success(try await client.call("ReceiveMessage", question, within: limit))
            } catch {
                return .failure(error)
            }
        }
        // Not cancelled with this one: it has to be heard of.
        let received = try await polling.value.get()
        request.onConnected?()
        guard let message = received.messages?.first else { return nil }
        leaseEnds = asked + lease
        let claim: SQSClaim
        do throws(SystemError) {
            claim = try SQSClaim(queue: self, message, at: url, request, asked)
        } catch {
            throw .unusable(error.description)
        }
        guard !Task.isCancelled else {
            try? await changeVisibility(of: claim, to: .zero)
            return nil
        }
        return try await hold(claim)
    }

    private func hold(_ claim: SQSClaim) async throws(SQSFailure) -> SQSClaim? {
        do throws(SQSFailure) {
            if .now > leaseEnds - lease * 2 / 3 {
                // The answer was long in coming, and nobody knows for how much of that time the message was hidden.
                leaseEnds = .now + lease / 3
                try await extend(claim)
            }
            // Off the queue before the task runs.
            if claim.atMostOnce { try await delete(claim) }
        } catch {
            guard error.isLoss else { throw error }
            return nil
        }
        if !claim.atMostOnce { keeping = Life.task { await self.keep(claim) } }
        return claim
    }

    // MARK: Holding

    private func keep(_ claim: SQSClaim) async {
        var nextExtension = leaseEnds - lease * 2 / 3
        let stop = ceiling.stop(of: claim)
        var warning: ContinuousClock.Instant? = stop - ceiling.warning
        var backoff = Backoff(within: lease)
        while true {
            let next = min(nextExtension, stop, warning ?? stop)
            do { try await Life.sleep(for: max(.zero, next - .now)) } catch { return }
            let now = ContinuousClock.now
            if now >= stop { return lose(claim, ceiling.loss) }
            guard now < leaseEnds else { return lose(claim, overslept()) }
            if let due = warning, now >= due {
                warning = nil
                log.warning("\(ceiling.forecast)")
            }
            guard now >= nextExtension else { continue }
            do throws(SQSFailure) {
                try await extend(claim)
                nextExtension = leaseEnds - lease * 2 / 3
                (trouble, backoff) = (nil, Backoff(within: lease))
                status?.leaseExtended()
            } catch {
                if error.isLoss { return lose(claim, loss(error)) }
                guard ContinuousClock.now < leaseEnds else { return lose(claim, overslept(error)) }
                tell("could not extend the lease, trying again", error)
                nextExtension = .now + backoff.next()
            }
        }
    }

    private func lose(_ claim: SQSClaim, _ loss: ClaimLoss) {
        claim.loss.fulfil(loss)
    }

    /// - Parameter last: What was said last; it may be only that there was no time left for an answer.
    private func overslept(_ last: SQSFailure = .tooLate) -> ClaimLoss {
        ClaimLoss("the lease ended before it could be extended: \(trouble ?? last.reason)")
    }

    func loss(_ failure: SQSFailure) -> ClaimLoss {
        if failure.isOfCeiling { return ceiling.loss }
        return ClaimLoss(
            "the lease ended and another worker may have the message, or it was deleted: \(failure.reason)")
    }

    func extend(_ claim: SQSClaim) async throws(SQSFailure) {
        let asked = ContinuousClock.now
        try await changeVisibility(of: claim, to: lease)
        leaseEnds = min(asked + lease, ceiling.end(of: claim))
    }

    /// - Parameter span: From now on; cut to what is left of the 12 hours, over which SQS would refuse it.
    func changeVisibility(of claim: SQSClaim, to span: Duration) async throws(SQSFailure) {
        let most = Int((ceiling.end(of: claim) - .now).seconds) - 1
        try await ask(
            "ChangeMessageVisibility",
            SQSWire.ChangeMessageVisibility(
                queueUrl: claim.queueURL, receiptHandle: claim.handle,
                visibilityTimeout: max(0, min(span.wholeSeconds, most))))
    }

    func delete(_ claim: SQSClaim) async throws(SQSFailure) {
        try await ask(
            "DeleteMessage", SQSWire.DeleteMessage(queueUrl: claim.queueURL, receiptHandle: claim.handle))
    }

    /// Asks with the claim's receipt handle. What SQS does with one whose time is over is not said: it may do as it is told
    /// or only say so. So it is not asked after the lease, and an answer that comes after it counts for nothing.
    private func ask(_ action: String, _ input: some Encodable & Sendable) async throws(SQSFailure) {
        let end = leaseEnds
        let _: SQSWire.Nothing = try await client.call(action, input, within: try limit)
        guard ContinuousClock.now < end else { throw .tooLate }
    }

    /// For what is asked while the claim lasts. No longer than the lease has left: what comes after would be about somebody
    /// else's claim. And no longer than a third of it, so that there is time for another attempt on a new connection.
    var limit: Duration {
        get throws(SQSFailure) {
            let left = leaseEnds - .now
            guard left > .zero else { throw .tooLate }
            return min(SQSClient.patience, lease / 3, left)
        }
    }

    /// Once for each kind of trouble, however often something is tried again.
    func tell(_ words: Logger.Message, _ failure: SQSFailure) {
        if trouble != failure.reason { log.warning(words, metadata: ["reason": "\(failure.reason)"]) }
        trouble = failure.reason
    }
}

struct SQSClaim: Claim {
    let queue: SQSQueue
    let message: Message
    /// As it was sent: for its dead letter.
    let original: SQSWire.Message
    let queueURL: String
    let received: ContinuousClock.Instant
    /// `nil` at most once: the message is off the queue.
    let lease: Duration?
    let loss = OneShot<ClaimLoss>()

    var handle: String { original.receiptHandle }
    var atMostOnce: Bool { lease == nil }

    func attribute(_ name: String) -> String? { original.messageAttributes?[name]?.stringValue }

    func settle(_ settlement: Settlement) async throws(SettlementFailure) {
        try await queue.settle(self, settlement)
    }

    /// - Parameter asked: Before the request was sent that brought the message.
    init(
        queue: SQSQueue, _ original: SQSWire.Message, at url: String, _ request: ClaimRequest,
        _ asked: ContinuousClock.Instant
    ) throws(SystemError) {
        self.queue = queue
        self.original = original
        queueURL = url
        received = asked
        lease = request.delivery == .atMostOnce ? nil : request.lease
        let body = SQSContent.body(of: original)
        let attributes = original.messageAttributes ?? [:]
        message = Message(
            id: attributes[SQSContent.Name.id]?.stringValue ?? original.messageId,
            body: try MessageBody(body),
            contentType: attributes[SQSContent.Name.contentType]?.stringValue,
            headers: SQSContent.headers(of: original),
            attempt: max(1, Int(original.attributes?["ApproximateReceiveCount"] ?? "") ?? 1))
    }
}

/// For how long SQS hides a message from others in all, whatever it is asked, and what is done before that is over.
struct SQSCeiling: Sendable {
    /// From when the message was received.
    var span: Duration
    /// So long before it is over the task is stopped, so that it does not run beside another worker's.
    var reserve: Duration
    /// So long before that it is said in the log.
    var warning: Duration

    static let ofSQS = SQSCeiling(span: SQSQueue.longestClaim, reserve: .seconds(60), warning: .seconds(3_600))

    func end(of claim: SQSClaim) -> ContinuousClock.Instant { claim.received + span }

    func stop(of claim: SQSClaim) -> ContinuousClock.Instant { end(of: claim) - reserve }

    var forecast: String {
        "SQS takes the message away after \(Units.text(span)); in \(Units.text(warning)) the task is stopped; "
            + "set --timeout below that"
    }

    var loss: ClaimLoss {
        ClaimLoss(
            "SQS holds a message for \(Units.text(span)) at the most, which are nearly over; set --timeout below that")
    }
}

extension Duration {
    /// Rounded up.
    var wholeSeconds: Int {
        Int(components.seconds) + (components.attoseconds > 0 ? 1 : 0)
    }
}
