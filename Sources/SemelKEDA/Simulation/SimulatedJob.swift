/// A Job and its present pod.
struct SimulatedJob {
    enum Stage: UInt8 {
        /// No Job: the place is free.
        case none
        /// The pod is pending.
        case podPending
        /// The pod runs, and its worker has not looked for a message yet.
        case starting
        case waiting
        case working
        /// The message is settled.
        case lingering
        /// The pod has failed, and the Job rests before it tries again.
        case backingOff
    }

    var stage = Stage.none
    var isReady = false
    /// The pod that failed is gone, or stays failed.
    var hasLostPod = false
    var hasClaimed = false
    /// Whether the worker waits beyond its time for what is leased.
    var waitsForLeases = false
    /// Changes with every pod, so that events of one that is gone are known.
    var stamp: UInt32 = 0
    /// How many Jobs were made before this one.
    var number = 0
    /// How many pods it had before this one.
    var earlierPods = 0
    var failures = 0
    var runningSince = 0
    var claimedAt = 0
    /// When the worker stops waiting.
    var deadline = 0
    var message = SimulatedMessage(index: 0, arrival: 0)

    var podRuns: Bool { stage == .starting || stage == .waiting || stage == .working || stage == .lingering }
}

/// The unfinished Jobs. Places are used again, so that memory is for the most there were at a time.
struct JobTable {
    private var jobs: [SimulatedJob] = []
    private var free: [Int] = []
    private let pendingRule: PendingStages
    /// R
    private(set) var count = 0
    /// P
    private(set) var pendingCount = 0
    private(set) var waitingCount = 0

    init(_ pendingRule: PendingStages) {
        self.pendingRule = pendingRule
    }

    var slots: Range<Int> { 0..<jobs.count }

    subscript(_ slot: Int) -> SimulatedJob { jobs[slot] }

    /// Makes a change, and keeps the counts right.
    mutating func change(_ slot: Int, _ change: (inout SimulatedJob) -> Void) {
        count(jobs[slot], -1)
        change(&jobs[slot])
        count(jobs[slot], 1)
    }

    private mutating func count(_ job: SimulatedJob, _ sign: Int) {
        guard job.stage != .none else { return }
        count += sign
        if job.stage == .waiting { waitingCount += sign }
        if pendingRule.isPending(job) { pendingCount += sign }
    }

    mutating func create(number: Int) -> Int {
        let slot = free.popLast() ?? jobs.count
        if slot == jobs.count { jobs.append(SimulatedJob()) }
        let stamp = jobs[slot].stamp
        change(slot) { job in
            job = SimulatedJob()
            job.stamp = stamp &+ 1
            job.number = number
            job.stage = .podPending
        }
        return slot
    }

    mutating func remove(_ slot: Int) {
        change(slot) { $0.stage = .none }
        free.append(slot)
    }
}

/// Which Jobs KEDA takes for pending, by the state of their pods.
struct PendingStages {
    private let whilePodIsPending: Bool
    private let whileRunning: Bool
    private let whileReady: Bool
    private let whileFailed: Bool

    init(_ rule: PendingRule, _ version: KEDAVersion) {
        let scheduled: Set = ["PodScheduled"]
        let running = scheduled.union(["PodReadyToStartContainers", "Initialized"])
        whilePodIsPending = rule.isPending([PodState(.pending, conditions: scheduled)], version)
        whileRunning = rule.isPending([PodState(.running, conditions: running)], version)
        whileReady = rule.isPending(
            [PodState(.running, conditions: running.union(["ContainersReady", "Ready"]))], version)
        whileFailed = rule.isPending([PodState(.failed, conditions: scheduled)], version)
    }

    /// Whether it matters to KEDA when a pod becomes ready.
    var looksAtReadiness: Bool { whileRunning != whileReady }

    func isPending(_ job: SimulatedJob) -> Bool {
        switch job.stage {
        case .none: false
        case .podPending: whilePodIsPending
        case .starting, .waiting, .working, .lingering: job.isReady ? whileReady : whileRunning
        // Where a pod restarts its container, it runs all the while.
        case .backingOff: job.hasLostPod ? whileFailed : whileRunning
        }
    }
}
