/// The numbers in what a rule says: what becomes of a few messages with all that is written here.
struct LintStory: Sendable {
    /// The messages, in words.
    static let words = "15 messages of 5 minutes, 10 at once and 5 after 2 minutes,"

    let result: SimulationResult

    /// `: … make about 325 Jobs, 310 of them idle, up to 100 at a time`, when there are more Jobs than messages.
    var floods: String {
        guard result.jobsCreated > result.messageCount else { return "" }
        let idle = result.idleJobs > 0 ? ", \(result.idleJobs) of them idle" : ""
        return ": \(Self.words) make about \(result.jobsCreated) Jobs\(idle), up to \(result.peakJobs) at a time"
    }

    /// `: of … one waits 190 s for its Job`
    var waits: String {
        ": of \(Self.words) one waits \((result.waiting.longest + 999) / 1_000) s for its Job"
    }
}

extension LintSubject {
    /// From a pod's creation until it runs.
    static let pendingSeconds = 2

    /// A standing number of Jobs beyond which a simulation would keep whoever lints waiting.
    private static let mostStandingJobs = 10_000

    /// - Parameter claimAfter: Seconds from a pod's start until its worker looks for a message.
    /// - Returns: `nil` when there are too many Jobs to follow.
    func story(claimAfter seconds: Int = 3) -> LintStory? {
        guard job.limits.minimum <= Self.mostStandingJobs else { return nil }
        // No worker dies here, so that it makes no difference which broker it is.
        var input = SimulationInput(
            rules: job.rules(version), triggers: triggers.compactMap(\.simulated), queue: .rabbitMQ,
            arrivals: ArrivalSchedule([
                ArrivalSchedule.Batch(time: 0, count: 10), ArrivalSchedule.Batch(time: 120_000, count: 5),
            ]),
            pollingInterval: job.pollingSeconds * 1_000)
        input.pendingRule = isPendingUntilClaimed ? .conditions(["Ready"]) : .phase
        input.pod.pending = .constant(Self.pendingSeconds * 1_000)
        input.pod.readiness = .claimed(probeInterval: 1_000, firstProbe: 0)
        input.worker.task = .constant(300_000)
        input.worker.claimAfter = .constant(seconds * 1_000)
        input.worker.wait = waitSeconds.map { $0 * 1_000 }
        input.worker.linger = lingerSeconds * 1_000
        input.statistics = triggers.contains(where: \.isStale) ? .management : nil
        return LintStory(result: input.run())
    }

    /// How many Jobs a minimum makes in an hour of an empty queue; `nil` when they never end.
    var standingJobsAnHour: Int64? {
        guard let waitSeconds else { return nil }
        let life = Self.pendingSeconds + 3 + waitSeconds
        // They are replaced by the first poll after their end.
        let period = (life / job.pollingSeconds + 1) * job.pollingSeconds
        return job.limits.minimum * Int64((3_600 + period - 1) / period)
    }

    /// `nil` when it waits for ever.
    private var waitSeconds: Int? {
        if worker?.waitsForever == true { return nil }
        return Self.seconds(worker?.duration("SEMEL_WAIT") ?? .seconds(10))
    }

    private var lingerSeconds: Int { Self.seconds(worker?.linger ?? .zero) }

    /// A day is as long as for ever here.
    private static func seconds(_ span: Duration) -> Int {
        Int(min(span, .seconds(86_400)).components.seconds)
    }
}

extension LintTrigger {
    fileprivate var simulated: SimulatedTrigger? {
        let count: SimulatedTrigger.Count
        switch counted {
        case .ready: count = .ready
        case .held: count = .held
        case .readyAndHeld: count = .readyAndHeld
        case .other: return nil
        }
        return SimulatedTrigger(count, isStale: isStale, target: resolved.target, activation: resolved.activation)
    }
}
