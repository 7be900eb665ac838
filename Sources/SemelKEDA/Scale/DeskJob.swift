/// A Job on this machine, and what Kubernetes' Job controller does with its pods. No clock: the time is given, as the
/// time since the command began.
public struct DeskJob: Sendable {
    public enum Verdict: Sendable, Hashable {
        case complete
        /// `BackoffLimitExceeded`, `DeadlineExceeded` or `PodFailurePolicy`.
        case failed(String)
    }

    public enum State: Sendable, Hashable {
        case active
        /// It is clear how it ends; pods are still being stopped.
        case ending(Verdict)
        case finished(Verdict, at: Duration)
    }

    public let name: String
    /// Of the ScaledJob that it was made by.
    public let generation: Int
    public let created: Duration
    public private(set) var state = State.active
    public private(set) var pods: [DeskPod] = []
    /// Pods that succeeded.
    public private(set) var successes = 0
    /// Pods that failed and count.
    public private(set) var failures = 0
    public let rules: DeskJobRules
    private var nextPod = Duration.zero
    private var podCount = 0

    init(name: String, generation: Int, created: Duration, rules: DeskJobRules) {
        self.name = name
        self.generation = generation
        self.created = created
        self.rules = rules
    }

    /// What KEDA counts.
    public var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    public var restarts: Int { pods.reduce(0) { $0 + $1.restarts } }

    func pod(_ id: DeskPod.ID) -> Int? { pods.firstIndex { $0.id == id } }

    // MARK: What happens to a pod

    mutating func started(_ id: DeskPod.ID, _ now: Duration) -> [DeskCommand] {
        guard let index = pod(id), pods[index].state == .starting else { return [] }
        pods[index].state = .running(since: now, isReady: false)
        return [.tell(.podStarted(pods[index]))]
    }

    mutating func probed(_ id: DeskPod.ID, isReady: Bool) -> [DeskCommand] {
        guard let index = pod(id), case .running(let since, let wasReady) = pods[index].state, wasReady != isReady
        else { return [] }
        pods[index].state = .running(since: since, isReady: isReady)
        return isReady ? [.tell(.podReady(pods[index]))] : []
    }

    /// The container has ended. Nothing else is decided here: see ``step(_:_:)``.
    mutating func ended(_ id: DeskPod.ID, _ exit: DeskExit, _ now: Duration) -> [DeskCommand] {
        guard let index = pod(id), !pods[index].hasEnded else { return [] }
        let succeeded = exit == .exited(0)
        let counts = !pods[index].isStopping || isOverdue(pods[index], now)
        pods[index].state = succeeded ? .succeeded : .failed
        let told = [DeskCommand.tell(.podEnded(pods[index], exit))]
        if succeeded {
            successes += 1
        } else if case .active = state, counts {
            failed(index, exit, now)
        }
        return told
    }

    private mutating func failed(_ index: Int, _ exit: DeskExit, _ now: Duration) {
        if rules.restartsContainers, !pods[index].isStopping {
            // Kubernetes starts it again, sees that this was once too often, and ends it: left out here.
            guard restarts < rules.backoffLimit else { return decide(.failed("BackoffLimitExceeded")) }
            pods[index].state = .waiting(until: now + DeskJobRules.pauseBeforeRestart(restarts: pods[index].restarts))
            pods[index].restarts += 1
            return
        }
        switch rules.failurePolicy?.verdict(on: exit, of: rules.containerName) ?? .count {
        case .failJob: decide(.failed("PodFailurePolicy"))
        case .ignore:
            nextPod = now + DeskJobRules.pauseAfterIgnored
            // There is no limit to their number.
            pods.remove(at: index)
        case .count: countFailure(now)
        }
    }

    private mutating func countFailure(_ now: Duration) {
        failures += 1
        nextPod = now + DeskJobRules.pauseBeforePod(failures: failures)
        if failures > rules.backoffLimit { decide(.failed("BackoffLimitExceeded")) }
    }

    private mutating func decide(_ verdict: Verdict) {
        if case .active = state { state = .ending(verdict) }
    }

    // MARK: What the Job does

    /// Brings the Job to where it has to be at this time.
    mutating func step(_ now: Duration, _ nextNumber: inout Int) -> [DeskCommand] {
        var commands: [DeskCommand] = []
        if case .active = state {
            if isEnough { decide(.complete) }
            if let limit = deadline, now >= created + limit { decide(.failed("DeadlineExceeded")) }
        }
        if case .active = state { commands = runPods(now, &nextNumber) }
        if case .ending(let verdict) = state {
            commands += stopPods()
            guard pods.allSatisfy(\.hasEnded) else { return commands }
            state = .finished(verdict, at: now)
            commands.append(.tell(.jobFinished(name, verdict)))
        }
        return commands
    }

    /// The time of a suspended Job does not run.
    private var deadline: Duration? { rules.isSuspended ? nil : rules.activeDeadline }

    private var isEnough: Bool {
        if let completions = rules.completions { return successes >= completions }
        return successes > 0 && pods.allSatisfy(\.hasEnded)
    }

    private mutating func runPods(_ now: Duration, _ nextNumber: inout Int) -> [DeskCommand] {
        guard !rules.isSuspended else { return [] }
        var commands: [DeskCommand] = []
        for index in pods.indices {
            if isOverdue(pods[index], now), !pods[index].isStopping {
                commands += stop(index)
                // It waited for its next start: no process tells its end.
                if pods[index].hasEnded { countFailure(now) }
            } else if case .waiting(let until) = pods[index].state, now >= until {
                pods[index].state = .starting
                commands.append(.start(pods[index].id))
            }
        }
        guard case .active = state else { return commands }
        while now >= nextPod, pods.count(where: { !$0.hasEnded }) < wanted {
            podCount += 1
            let pod = DeskPod(id: DeskPod.ID(number: nextNumber), name: "\(name)-\(podCount)", created: now)
            nextNumber += 1
            pods.append(pod)
            commands.append(.start(pod.id))
        }
        return commands
    }

    /// How many pods are to run at this moment.
    private var wanted: Int {
        if let completions = rules.completions { return min(rules.parallelism, completions - successes) }
        return successes > 0 ? 0 : rules.parallelism
    }

    private func isOverdue(_ pod: DeskPod, _ now: Duration) -> Bool {
        rules.podDeadline.map { now >= pod.created + $0 && !pod.hasEnded } ?? false
    }

    /// Ends what runs; a pod without a process has ended then.
    mutating func stopPods() -> [DeskCommand] {
        pods.indices.filter { !pods[$0].hasEnded && !pods[$0].isStopping }.flatMap { stop($0) }
    }

    private mutating func stop(_ index: Int) -> [DeskCommand] {
        pods[index].isStopping = true
        if case .waiting = pods[index].state { pods[index].state = .failed }
        return pods[index].hasEnded ? [] : [.stop(pods[index].id, grace: rules.gracePeriod)]
    }

    /// When something is to be done without anything happening before.
    var nextTime: Duration? {
        switch state {
        case .finished(_, let at): return rules.timeToLive.map { at + $0 }
        case .ending: return nil
        case .active: break
        }
        var times = pods.compactMap { pod -> Duration? in
            if case .waiting(let until) = pod.state { until } else { nil }
        }
        if let limit = rules.podDeadline {
            times += pods.filter { !$0.hasEnded && !$0.isStopping }.map { $0.created + limit }
        }
        if let limit = deadline { times.append(created + limit) }
        if !rules.isSuspended, pods.count(where: { !$0.hasEnded }) < wanted { times.append(nextPod) }
        return times.min()
    }
}
