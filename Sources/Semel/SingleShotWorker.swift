import Glibc
public import Logging

/// One worker: it claims one message, runs one task on it, settles it, and is done. The life of a message is
/// ``run()``, read from top to bottom.
public struct SingleShotWorker<Work: SingleShotTask>: Sendable {
    private let queue: any MessageQueue
    private let task: Work
    private let policy: WorkerPolicy
    let status: WorkerStatus
    private let stop: StopRequest
    private let log: Logger

    public init(
        queue: any MessageQueue, task: Work, policy: WorkerPolicy, status: WorkerStatus, stop: StopRequest, log: Logger
    ) {
        self.queue = queue
        self.task = task
        self.policy = policy
        self.status = status
        self.stop = stop
        self.log = log
    }

    public func run() async -> Report {
        let report = await live()
        conclude(report)
        return report
    }

    /// From the start to the settlement.
    func live() async -> Report {
        do {
            guard let claim = try await claim() else { return nothingClaimed() }
            return await work(on: claim)
        } catch {
            return Report(outcome: error.outcome, reason: error.reason)
        }
    }

    /// Shows and tells what it came to.
    func conclude(_ report: Report) {
        status.ended(report.outcome, reason: report.reason)
        tell(report)
    }

    /// Keeps the final status readable for a while; a stop request ends it early. Only where a message was claimed:
    /// nobody waits for the status of a worker that found nothing.
    public func linger() async {
        guard policy.linger > .zero, status.snapshot.messageID != nil else { return }
        await Life.sleep(for: policy.linger, orUntil: stop.first)
    }

    private func claim() async throws(QueueFailure) -> (any Claim)? {
        let claimed = OneShot<Result<(any Claim)?, QueueFailure>>()
        let claiming = Life.task {
            do throws(QueueFailure) {
                claimed.fulfil(.success(try await queue.claim(policy.request)))
            } catch {
                claimed.fulfil(.failure(error))
            }
        }
        let preparing = Life.task { task.prepare(status) }
        let stopping = Life.task {
            guard await stop.first.wait() != nil else { return }
            claiming.cancel()
            // A queue that hangs in a name look-up or a handshake cannot be interrupted, only left behind; what it may
            // claim in that moment goes back when this process ends.
            await Life.sleep(for: min(policy.grace, .seconds(5)), orUntil: stop.second)
            claimed.fulfil(.success(nil))
        }
        let result = await claimed.wait() ?? .success(nil)
        stopping.cancel()
        await stopping.value
        guard let claim = try result.get() else { return nil }
        policy.request.onConnected?()
        await preparing.value
        return claim
    }

    private func work(on claim: any Claim) async -> Report {
        let message = claim.message
        let deadline = policy.timeout.map { Timestamp.now + $0 }
        status.claimed(
            message, maxAttempts: policy.retry.maxAttempts, deadline: deadline, lease: claim.lease)
        if let verdict = unrun(message) {
            log.claimed(claim)
            return await settle(claim, verdict)
        }
        let supervision = Supervision(
            task: task, claim: claim, policy: policy, stop: stop, log: log,
            context: TaskContext(
                deadline: deadline, maxAttempts: policy.retry.maxAttempts, queueName: queue.name,
                graceOver: OneShot(), status: status))
        let (result, interruption) = await supervision.run()
        if let loss = claim.loss.value { status.claimLost(loss) }
        let verdict = Verdict(
            result, interruption: interruption, attempt: message.attempt, policy: policy.retry,
            delivery: policy.request.delivery)
        var output: MessageBody?
        if case .succeeded(let result) = result { output = result }
        return await settle(claim, verdict, result: output)
    }

    /// The verdict on a message whose task must not even start.
    private func unrun(_ message: Message) -> Verdict? {
        if message.size > policy.request.maxMessageBytes {
            let limit = policy.request.maxMessageBytes
            return Verdict(
                deadLetteredBecause: "the message has \(message.size) bytes, --max-message-bytes allows \(limit)")
        }
        if policy.request.delivery == .atMostOnce, message.attempt > 1 || message.attemptIsUncounted {
            return Verdict(
                deadLetteredBecause: "at most once: another worker had the message before and may have run it",
                attemptsUsed: max(1, message.attempt - 1))
        }
        if message.attemptIsUncounted {
            return Verdict(counting: message.attempt, of: policy.retry.maxAttempts)
        }
        // Only a worker that did not settle leaves such a message behind.
        if message.attempt > policy.retry.maxAttempts {
            return Verdict(
                deadLetteredBecause:
                    "\(message.attempt - 1) attempts ended without a settlement: their workers were killed, ran out of "
                    + "memory, or had to hand the message back",
                attemptsUsed: message.attempt - 1)
        }
        return nil
    }

    private func settle(_ claim: any Claim, _ verdict: Verdict, result: MessageBody? = nil) async -> Report {
        let message = claim.message
        var report = Report(
            outcome: verdict.outcome, messageId: message.id, attempt: message.attempt, taskExit: verdict.exit,
            seconds: status.snapshot.ran.seconds, reason: verdict.reason)
        let settlement: Settlement
        switch verdict.fate {
        case .none: return report
        case .complete: settlement = .complete(result: result)
        case .release: settlement = .release
        case .retry: settlement = .retry(after: policy.retry.delay(afterAttempt: message.attempt))
        case .deadLetter:
            settlement = .deadLetter(
                DeadLetter(
                    reason: verdict.reason ?? verdict.outcome.meaning,
                    attempts: verdict.attemptsUsed ?? message.attempt, exit: verdict.exit, output: status.lastOutput,
                    worker: Host.name, time: Timestamp.now.rfc3339))
        }
        do {
            try await settle(claim, settlement)
        } catch {
            switch error {
            case .unconfirmed(let why):
                report.outcome = .lost
                report.reason = "the settlement could not be confirmed: \(why)"

            case .lost(let loss):
                status.claimLost(loss)
                report.outcome = .lost
                report.reason = Verdict.doesNotCount(loss)
            case .handedBack(let why):
                report.isHandedBack = true
                // What was to be a completion or a dead letter is another attempt now; the other ends stay what they are.
                if [.completed, .deadLettered].contains(report.outcome) { report.outcome = .retry }
                let reasons = [report.reason, "handed back to the queue: \(why)"]
                report.reason = reasons.compactMap { $0 }.joined(separator: "; ")
            }
        }
        return report
    }

    /// A stop leaves the settlement the grace that a task has, and enough for a broker that is slow to answer; a second
    /// one leaves it a moment.
    private func settle(_ claim: any Claim, _ settlement: Settlement) async throws(SettlementFailure) {
        let settled = OneShot<Result<Void, SettlementFailure>>()
        let settling = Life.task {
            do throws(SettlementFailure) {
                settled.fulfil(.success(try await claim.settle(settlement)))
            } catch {
                settled.fulfil(.failure(error))
            }
        }
        let hurrying = Life.task {
            guard await stop.first.wait() != nil else { return }
            await Life.sleep(for: max(policy.grace, .seconds(20)), orUntil: stop.second)
            guard !Task.isCancelled else { return }
            if stop.second.value != nil { try? await Life.sleep(for: .seconds(5)) }
            settling.cancel()
            settled.fulfil(.failure(.unconfirmed("the queue did not answer before the worker had to stop")))
        }
        let result = await settled.wait() ?? .failure(.unconfirmed("the worker was cancelled"))
        hurrying.cancel()
        await hurrying.value
        try result.get()
    }

    private func nothingClaimed() -> Report {
        stop.first.value.map { .stopped(by: $0) } ?? Report(outcome: .idle)
    }

    private func tell(_ report: Report) {
        var facts: Logger.Metadata = [:]
        if let id = report.messageId { facts["messageId"] = "\(id)" }
        if let attempt = report.attempt { facts["attempt"] = "\(attempt)" }
        if report.messageId != nil { facts["seconds"] = "\(report.seconds)" }
        if let reason = report.reason { facts["reason"] = "\(reason)" }
        facts["exit"] = "\(report.outcome.exitCode)"
        switch report.outcome {
        case .completed, .idle: log.info("\(report.outcome.rawValue)", metadata: facts)
        case .terminated, .interrupted, .retry: log.warning("\(report.outcome.rawValue)", metadata: facts)
        default: log.error("\(report.outcome.rawValue)", metadata: facts)
        }
    }
}

/// All that a worker is told before it starts.
public struct WorkerPolicy: Sendable {
    public enum OnStop: String, Sendable, CaseIterable {
        case stop
        case finish
    }

    public var request: ClaimRequest
    public var retry: RetryPolicy
    /// The task is stopped when it runs longer; `nil` for no limit.
    public var timeout: Duration?
    /// For how long a task that was asked to stop may go on before it is killed.
    public var grace: Duration
    public var onTerm: OnStop
    public var onLost: OnStop
    public var linger: Duration

    public init(
        request: ClaimRequest = ClaimRequest(), retry: RetryPolicy = RetryPolicy(), timeout: Duration? = nil,
        grace: Duration = .seconds(20), onTerm: OnStop = .stop, onLost: OnStop = .stop, linger: Duration = .zero
    ) {
        self.request = request
        self.retry = retry
        self.timeout = timeout
        self.grace = grace
        self.onTerm = onTerm
        self.onLost = onLost
        self.linger = linger
    }
}

/// Somebody wants the worker to end: the first request begins the ending, the second one hurries it.
public final class StopRequest: Sendable {
    public let first = OneShot<StopSignal>()
    public let second = OneShot<StopSignal>()

    public init() {}

    public func receive(_ signal: StopSignal) {
        if !first.fulfil(signal) { second.fulfil(signal) }
    }
}

extension Logger {
    func claimed(_ claim: any Claim) {
        let message = claim.message
        info(
            "claimed",
            metadata: ["messageId": "\(message.id)", "attempt": "\(message.attempt)", "bytes": "\(message.size)"])
    }
}

extension Report {
    static func stopped(by signal: StopSignal) -> Report {
        Report(outcome: signal.outcome, reason: "stopped by \(signal.rawValue) before a message was claimed")
    }
}

extension QueueFailure {
    public var outcome: Outcome {
        switch self {
        case .unreachable: .unreachable
        case .refused: .refused
        case .misconfigured: .misconfigured
        }
    }
}

extension Verdict {
    init(deadLetteredBecause reason: String, attemptsUsed: Int? = nil) {
        self.attemptsUsed = attemptsUsed
        outcome = .deadLettered
        fate = .deadLetter
        self.reason = reason
    }

    /// An attempt that ended without a settlement, on a queue that does not count: it is written down by a retry, without
    /// running the task. Otherwise a message that kills every worker would do so for ever.
    init(counting attempt: Int, of maximum: Int) {
        let isLast = attempt >= maximum
        outcome = isLast ? .deadLettered : .retry
        fate = isLast ? .deadLetter : .retry
        reason =
            "attempt \(attempt) of \(maximum) ended without a settlement; counted now, since the queue does not"
    }
}

/// The machine, or in Kubernetes the pod.
package enum Host {
    package static var name: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
