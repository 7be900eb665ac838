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
    /// Before the ceiling: the task has to be stopped when another worker gets the message.
    private static let ceilingWarning = Duration.seconds(3_600)
    /// A poll that has begun has to be waited for: it may bring a message. SQS could wait for 20 seconds; a worker that is
    /// stopped should not.
    private static let longestPoll = Duration.seconds(4)
    /// For how long a claim is tried again while SQS does not answer or is busy.
    private static let patience = Duration.seconds(5)

    public init(_ address: SQSAddress, on group: any EventLoopGroup, status: WorkerStatus?, log: Logger) {
        self.address = address
        self.status = status
        self.log = log
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
        lease = min(request.lease, Self.longestClaim)
        do throws(SQSFailure) {
            return try await waitForClaim(request)
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    private func waitForClaim(_ request: ClaimRequest) async throws(SQSFailure) -> SQSClaim? {
        let end: ContinuousClock.Instant? = if case .upTo(let limit) = request.wait { .now + limit } else { nil }
        var backoff = Backoff()
        var patienceEnds: ContinuousClock.Instant?
        while !Task.isCancelled {
            let rest = end.map { $0 - .now } ?? Self.longestPoll
            do throws(SQSFailure) {
                if let claim = try await poll(request, for: rest) { return claim }
                patienceEnds = nil
                backoff = Backoff()
            } catch {
                let limit = patienceEnds ?? .now + Self.patience
                patienceEnds = limit
                guard error.isPassing, ContinuousClock.now < limit else { throw error }
                tell("could not ask for a message, trying again", error)
                try? await Life.sleep(for: backoff.next())
                continue
            }
            if let end, ContinuousClock.now >= end { return nil }
        }
        return nil
    }

    /// One long poll. What it brings after a cancellation is handed back.
    private func poll(_ request: ClaimRequest, for rest: Duration) async throws(SQSFailure) -> SQSClaim? {
        let url = try await client.queueURL()
        // A poll of no time at all would ask some of SQS' servers only, and may find nothing where there is something.
        let seconds = max(1, min(min(rest, Self.longestPoll), lease / 3).wholeSeconds)
        let asked = ContinuousClock.now
        let question = SQSWire.ReceiveMessage(
            queueUrl: url, waitTimeSeconds: seconds, visibilityTimeout: lease.wholeSeconds,
            receiveRequestAttemptId: address.isFIFO ? MessageID.random() : nil)
        let polling = Life.task { [client] () async -> Result<SQSWire.Received, SQSFailure> in
            do throws(SQSFailure) {
                let limit = Duration.seconds(seconds) + SQSClient.patience
                // The same attempt at a FIFO queue brings the same message again, should its first answer be lost.
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
        if claim.atMostOnce {
            // Off the queue before the task runs.
            try await delete(claim)
            return claim
        }
        if .now > leaseEnds - lease * 2 / 3 {
            // The answer was long in coming, and nobody knows for how much of that time the message was hidden.
            do throws(SQSFailure) { try await extend(claim) } catch {
                guard error.isLoss else { throw error }
                return nil
            }
        }
        keeping = Life.task { await self.keep(claim) }
        return claim
    }

    // MARK: Holding

    private func keep(_ claim: SQSClaim) async {
        var pause = max(.zero, leaseEnds - lease * 2 / 3 - .now)
        var isWarned = false
        // The task has to be stopped by the time that another worker may get the message.
        let ceiling = claim.received + Self.longestClaim - .seconds(60)
        while true {
            do { try await Life.sleep(for: min(pause, max(.zero, ceiling - .now))) } catch { return }
            let now = ContinuousClock.now
            if now >= ceiling { return lose(claim, Self.atCeiling) }
            guard now < leaseEnds else { return lose(claim, overslept) }
            if !isWarned, now >= ceiling - Self.ceilingWarning {
                isWarned = true
                log.warning("SQS takes the message away after 12 hours; set --timeout below that")
            }
            do throws(SQSFailure) {
                try await extend(claim)
                pause = lease / 3
                trouble = nil
                status?.leaseExtended()
            } catch {
                if error.isLoss { return lose(claim, Self.loss(error)) }
                guard ContinuousClock.now < leaseEnds else {
                    return lose(
                        claim, ClaimLoss("the lease ended while SQS could not be asked to extend it: \(error.reason)"))
                }
                tell("could not extend the lease, trying again", error)
                pause = min(lease / 20, .seconds(1))
            }
        }
    }

    private func lose(_ claim: SQSClaim, _ loss: ClaimLoss) {
        claim.loss.fulfil(loss)
    }

    private var overslept: ClaimLoss {
        ClaimLoss("the lease ended before it could be extended: \(trouble ?? "this process was kept from running")")
    }

    private static let atCeiling = ClaimLoss(
        "SQS holds a message for 12 hours at the most, and they are nearly over; set --timeout below that")

    static func loss(_ failure: SQSFailure) -> ClaimLoss {
        ClaimLoss("the lease ended and another worker may have the message, or it was deleted: \(failure.reason)")
    }

    func extend(_ claim: SQSClaim) async throws(SQSFailure) {
        let asked = ContinuousClock.now
        try await changeVisibility(of: claim, to: lease)
        leaseEnds = asked + lease
    }

    /// - Parameter span: From now on; cut to what is left of the 12 hours, over which SQS would refuse it.
    func changeVisibility(of claim: SQSClaim, to span: Duration) async throws(SQSFailure) {
        let most = Int((claim.received + Self.longestClaim - .now).seconds) - 1
        let _: SQSWire.Nothing = try await client.call(
            "ChangeMessageVisibility",
            SQSWire.ChangeMessageVisibility(
                queueUrl: claim.queueURL, receiptHandle: claim.handle,
                visibilityTimeout: max(0, min(span.wholeSeconds, most))),
            within: limit)
    }

    func delete(_ claim: SQSClaim) async throws(SQSFailure) {
        let _: SQSWire.Nothing = try await client.call(
            "DeleteMessage", SQSWire.DeleteMessage(queueUrl: claim.queueURL, receiptHandle: claim.handle),
            within: limit)
    }

    /// No longer than the lease has left: what comes after would be about somebody else's claim. And no longer than a third
    /// of it, so that there is time for another attempt on a new connection.
    var limit: Duration { max(.milliseconds(100), min(SQSClient.patience, lease / 3, leaseEnds - .now)) }

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

extension Duration {
    /// Rounded up.
    var wholeSeconds: Int {
        Int(components.seconds) + (components.attoseconds > 0 ? 1 : 0)
    }
}
