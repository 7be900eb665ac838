/// A ScaledJob and its Jobs on this machine: what KEDA and the Job controller do, without a clock and without
/// processes. What happens is told to it; what it returns is to be done.
public struct DeskScaledJob: Sendable {
    /// Numbers of a whole run.
    public struct Tally: Sendable, Hashable {
        public var created = 0
        public var complete = 0
        public var failed = 0
        /// Deleted before they had ended.
        public var deleted = 0
        /// The most Jobs that were unfinished at a time.
        public var peak = 0
        public var polls = 0
    }

    public private(set) var scaledJob: ScaledJob
    /// From 1.
    public private(set) var generation = 1
    /// Finished ones, too, as long as the history limits keep them.
    public private(set) var jobs: [DeskJob] = []
    public private(set) var tally = Tally()
    private let version: KEDAVersion
    private var jobRules: DeskJobRules
    /// Jobs that were deleted; their pods end.
    private var leaving: [DeskJob] = []
    private var isDraining = false
    private var nextJob = 1
    private var nextPod = 1

    public init(_ scaledJob: ScaledJob, _ version: KEDAVersion = .newest) {
        self.scaledJob = scaledJob
        self.version = version
        jobRules = DeskJobRules(scaledJob.job)
    }

    public var unfinished: [DeskJob] { jobs.filter { !$0.isFinished } }

    /// Whether there is neither an unfinished Job nor a pod of a deleted one.
    public var isQuiet: Bool { leaving.isEmpty && jobs.allSatisfy(\.isFinished) }

    public var rules: ScalingRules { scaledJob.rules(version) }

    public func pod(_ id: DeskPod.ID) -> DeskPod? {
        (jobs + leaving).lazy.flatMap(\.pods).first { $0.id == id }
    }

    public func job(of id: DeskPod.ID) -> DeskJob? {
        (jobs + leaving).first { $0.pod(id) != nil }
    }

    /// When ``step(_:)`` is to be called at the latest; `nil` when only something that happens can change anything.
    public var nextTime: Duration? { jobs.compactMap(\.nextTime).min() }

    // MARK: KEDA

    /// One poll: decides, creates Jobs, and removes finished ones that are beyond the history limits.
    ///
    /// - Parameter metrics: Of every trigger that could be read.
    public mutating func polled(_ metrics: [TriggerMetric], _ now: Duration) -> [DeskCommand] {
        // A paused ScaledJob keeps its history, too.
        guard !isDraining, !scaledJob.isPaused else { return [] }
        let running = unfinished
        let rule = scaledJob.pendingRule
        let pending = running.count { rule.isPending($0.pods.map(\.seen), version) }
        let decision = rules.decide(metrics, running: Int64(running.count), pending: Int64(pending))
        tally.polls += 1
        var commands = [DeskCommand.tell(.polled(decision))]
        for _ in 0..<decision.create { commands += create(now) }
        commands += step(now)
        return commands + removeHistory()
    }

    private mutating func create(_ now: Duration) -> [DeskCommand] {
        let job = DeskJob(
            name: "\(scaledJob.name)-\(nextJob)", generation: generation, created: now, rules: jobRules)
        nextJob += 1
        jobs.append(job)
        tally.created += 1
        tally.peak = max(tally.peak, unfinished.count)
        return [.tell(.jobCreated(job.name))]
    }

    private mutating func removeHistory() -> [DeskCommand] {
        let limits = scaledJob.historyLimits
        let finished = jobs.compactMap { job -> (name: String, isComplete: Bool, at: Duration)? in
            guard case .finished(let verdict, let at) = job.state else { return nil }
            return (job.name, verdict == .complete, at)
        }.sorted { $0.at < $1.at }
        let surplus =
            finished.filter(\.isComplete).dropLast(limits.successful)
            + finished.filter { !$0.isComplete }.dropLast(limits.failed)
        return remove(Set(surplus.map(\.name)), "beyond the history limit")
    }

    private mutating func remove(_ names: Set<String>, _ why: String) -> [DeskCommand] {
        guard !names.isEmpty else { return [] }
        let removed = jobs.filter { names.contains($0.name) }
        jobs.removeAll { names.contains($0.name) }
        return removed.map { .tell(.jobDeleted($0.name, why)) }
    }

    /// The file says something else than before. Without `gradual` KEDA deletes the Jobs of the spec that was.
    ///
    /// - Parameter isOtherSpec: Whether `spec` has changed; a Secret's value, for example, makes no new generation.
    public mutating func changed(_ scaledJob: ScaledJob, isOtherSpec: Bool, _ now: Duration) -> [DeskCommand] {
        self.scaledJob = scaledJob
        jobRules = DeskJobRules(scaledJob.job)
        guard isOtherSpec else { return [] }
        generation += 1
        let told = [DeskCommand.tell(.changed(generation: generation, isGradual: scaledJob.rollsOutGradually))]
        guard !scaledJob.rollsOutGradually else { return told }
        return told + deleteAll("the ScaledJob has changed and its rollout is not gradual")
    }

    private mutating func deleteAll(_ why: String) -> [DeskCommand] {
        var commands: [DeskCommand] = []
        for var job in jobs {
            commands.append(.tell(.jobDeleted(job.name, why)))
            guard !job.isFinished else { continue }
            tally.deleted += 1
            commands += job.stopPods()
            if !job.pods.allSatisfy(\.hasEnded) { leaving.append(job) }
        }
        jobs = []
        return commands
    }

    /// The command is about to end: no further Job, and every worker is asked to end.
    public mutating func drain() -> [DeskCommand] {
        isDraining = true
        for index in jobs.indices where !jobs[index].isFinished { tally.deleted += 1 }
        let unfinished = jobs.filter { !$0.isFinished }
        jobs.removeAll { !$0.isFinished }
        return unfinished.flatMap { job -> [DeskCommand] in
            var job = job
            let commands = job.stopPods()
            if !job.pods.allSatisfy(\.hasEnded) { leaving.append(job) }
            return commands
        }
    }

    // MARK: Pods

    /// Its process runs.
    public mutating func started(_ id: DeskPod.ID, _ now: Duration) -> [DeskCommand] {
        change(id) { $0.started(id, now) }
    }

    /// Its readiness probe says something else than before.
    public mutating func probed(_ id: DeskPod.ID, isReady: Bool) -> [DeskCommand] {
        change(id) { $0.probed(id, isReady: isReady) }
    }

    /// Its process has ended.
    public mutating func ended(_ id: DeskPod.ID, _ exit: DeskExit, _ now: Duration) -> [DeskCommand] {
        let commands = change(id) { $0.ended(id, exit, now) }
        leaving.removeAll { $0.pods.allSatisfy(\.hasEnded) }
        return commands + step(now)
    }

    private mutating func change(
        _ id: DeskPod.ID, _ change: (inout DeskJob) -> [DeskCommand]
    ) -> [DeskCommand] {
        if let index = jobs.firstIndex(where: { $0.pod(id) != nil }) { return change(&jobs[index]) }
        if let index = leaving.firstIndex(where: { $0.pod(id) != nil }) { return change(&leaving[index]) }
        return []
    }

    /// Does what is due at this time.
    public mutating func step(_ now: Duration) -> [DeskCommand] {
        var commands: [DeskCommand] = []
        for index in jobs.indices { commands += step(index, now) }
        let outlived = jobs.filter { job in
            guard case .finished(_, let at) = job.state, let limit = job.rules.timeToLive else { return false }
            return now >= at + limit
        }
        return commands + remove(Set(outlived.map(\.name)), "ttlSecondsAfterFinished")
    }

    private mutating func step(_ index: Int, _ now: Duration) -> [DeskCommand] {
        let commands = jobs[index].step(now, &nextPod)
        for case .tell(.jobFinished(_, let verdict)) in commands {
            if verdict == .complete { tally.complete += 1 } else { tally.failed += 1 }
        }
        return commands
    }
}
