public import Logging

/// One worker after the other in one process (`--max-messages`). Each claims a message on a queue object of its own and is
/// a ``SingleShotWorker`` from start to end, so that every promise about a message is kept as it is there.
///
/// What comes after a worker is in ``following(_:)``, how the process ends in ``ending(_:)``.
public struct WorkerSeries<Work: SingleShotTask>: Sendable {
    private let length: SeriesLength
    private let task: Work
    private let policy: WorkerPolicy
    private let board: StatusBoard
    private let stop: StopRequest
    private let log: Logger
    private let makeQueue: @Sendable (WorkerStatus) throws(SystemError) -> any MessageQueue
    private let record: @Sendable (Report) -> Void

    /// How long to wait before a queue is asked again that could not be reached or has just taken a claim away.
    private let backOff = RetryPolicy(delay: .seconds(1)...(.seconds(30)))
    /// A queue whose connection hangs is left to itself after this.
    private static var closingTime: Duration { .seconds(5) }

    /// - Parameters:
    ///   - makeQueue: Makes the queue of one worker, which serves one claim.
    ///   - record: Is given the report of each message, and of an end without one.
    public init(
        _ length: SeriesLength, task: Work, policy: WorkerPolicy, board: StatusBoard, stop: StopRequest, log: Logger,
        queue makeQueue: @escaping @Sendable (WorkerStatus) throws(SystemError) -> any MessageQueue,
        record: @escaping @Sendable (Report) -> Void
    ) {
        self.length = length
        self.task = task
        var policy = policy
        policy.request.onConnected = { board.connected() }
        self.policy = policy
        self.board = board
        self.stop = stop
        self.log = log
        self.makeQueue = makeQueue
        self.record = record
    }

    /// Returns what the process is to end with.
    public func run() async -> Outcome {
        var course = Course()
        while true {
            let (worker, report) = await live()
            if report.messageId != nil {
                course.last = worker
                if report.outcome != .completed { course.blemish = report.outcome }
            }
            let step = following(report)
            course.setbacks = step == .pause ? course.setbacks + 1 : 0
            switch step {
            case .next: break
            case .pause: await Life.sleep(for: backOff.delay(afterAttempt: course.setbacks), orUntil: stop.first)
            case .end: return await end(report, course)
            }
        }
    }

    /// What is known of the workers so far.
    private struct Course {
        /// The outcome of the last message that was not completed.
        var blemish: Outcome?
        /// How many pauses there were in a row.
        var setbacks = 0
        /// The last one that had a message.
        var last: SingleShotWorker<Work>?
    }

    private enum Step {
        case next
        case pause
        case end
    }

    private var isEndless: Bool { length == .endless }

    /// A message that was settled is no reason to end, whatever it came to. A queue that does not want this worker is, and
    /// so is a task that cannot be started.
    private func following(_ report: Report) -> Step {
        if stop.first.value != nil { return .end }
        if case .messages(let limit) = length, board.count >= limit { return .end }
        switch report.outcome {
        // What was handed back is there again at once, and would be claimed again at once.
        case .completed, .deadLettered, .timedOut, .retry: return report.isHandedBack ? .pause : .next
        case .lost: return .pause
        case .idle: return isEndless ? .next : .end
        case .unreachable: return isEndless ? .pause : .end
        case .usage, .refused, .misconfigured, .internalError, .interrupted, .terminated: return .end
        }
    }

    /// What ended the series, if it was cut short; else the last message that was not completed. A long-lived worker that
    /// was drained has done what it was there for, whatever its messages came to.
    private func outcome(_ report: Report, _ course: Course) -> Outcome {
        switch report.outcome {
        case .usage, .refused, .misconfigured, .internalError: report.outcome
        case .interrupted, .terminated, .unreachable: isDrained(report) ? .completed : report.outcome
        case .idle where course.last == nil && !isEndless: .idle
        default: isEndless ? .completed : course.blemish ?? .completed
        }
    }

    /// Whether a long-lived worker was told to stop when it had no message.
    private func isDrained(_ report: Report) -> Bool {
        isEndless && report.messageId == nil && stop.first.value != nil
            && [.idle, .interrupted, .terminated, .unreachable].contains(report.outcome)
    }

    // MARK: One of them

    private func live() async -> (SingleShotWorker<Work>?, Report) {
        if let signal = stop.first.value { return (nil, .stopped(by: signal)) }
        let status = board.next()
        do throws(SystemError) {
            let queue = try makeQueue(status)
            let worker = SingleShotWorker(
                queue: queue, task: task, policy: policy, status: status, stop: stop, log: log)
            let report = await worker.live()
            if !passOver(report) { worker.conclude(report) }
            if report.messageId != nil {
                board.ended(report.outcome)
                record(report)
            }
            // Last: whatever hangs there, what became of the message has been told.
            await close(queue)
            return (worker, report)
        } catch {
            let report = Report(outcome: .internalError, reason: error.description)
            status.ended(report.outcome, reason: report.reason)
            log.error("\(report.outcome.rawValue)", metadata: ["reason": "\(error)"])
            return (nil, report)
        }
    }

    /// What is an end for a single worker, and nothing of the kind for a long-lived one.
    private func passOver(_ report: Report) -> Bool {
        guard isEndless, !isDrained(report) else { return isEndless }
        switch report.outcome {
        case .unreachable:
            let reason = report.reason ?? report.outcome.meaning
            board.unreachable(reason)
            log.warning("the queue cannot be reached, trying again", metadata: ["reason": "\(reason)"])
            return true
        case .idle:
            log.debug("no message, waiting again")
            return true
        default: return false
        }
    }

    private func close(_ queue: any MessageQueue) async {
        let closed = OneShot<Void>()
        _ = Life.task {
            await queue.close()
            closed.fulfil(())
        }
        await Life.sleep(for: Self.closingTime, orUntil: closed)
    }

    // MARK: The end

    private func end(_ report: Report, _ course: Course) async -> Outcome {
        let outcome = outcome(report, course)
        if report.messageId == nil { recordEnd(report, course) }
        var facts: Logger.Metadata = ["messages": "\(board.count)", "exit": "\(outcome.exitCode)"]
        for (outcome, count) in board.snapshot.messages ?? [:] { facts[outcome.rawValue] = "\(count)" }
        if let signal = stop.first.value { facts["reason"] = "\(signal.rawValue)" }
        log.info("ended", metadata: facts)
        await course.last?.linger()
        return outcome
    }

    /// An end without a message. One that nothing is wrong with has something to say only where there was no message at all.
    private func recordEnd(_ report: Report, _ course: Course) {
        guard report.outcome == .idle || isDrained(report) else { return record(report) }
        if let last = course.last {
            board.showAgain(last.status)
        } else {
            let signal = stop.first.value.map { Report.stopped(by: $0).reason } ?? nil
            record(Report(outcome: .idle, reason: signal))
        }
    }
}

public enum SeriesLength: Sendable, Hashable {
    /// So many messages, or until none came in time.
    case messages(Int)
    /// Until somebody wants it to stop. Then it drains: the task that runs goes on or is stopped, as the policy says.
    case endless
}
