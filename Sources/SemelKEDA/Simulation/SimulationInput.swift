/// Everything that a simulation begins with. The same input has the same result, on every machine.
public struct SimulationInput: Sendable {
    public var rules: ScalingRules
    /// KEDA looks at 0 and then every so many milliseconds. More than 0.
    public var pollingInterval: Int
    public var pendingRule: PendingRule
    /// In the order of the file.
    public var triggers: [SimulatedTrigger]
    public var queue: QueueKind
    public var arrivals: ArrivalSchedule
    public var pod: SimulatedPod
    public var worker: SimulatedWorker
    public var statistics: StatisticsAge?
    public var drains: [NodeDrain]
    /// How many finished Jobs KEDA leaves.
    public var historyLimits: (successful: Int, failed: Int)
    public var seed: UInt64

    /// What becomes of a message whose worker dies.
    public enum QueueKind: String, Sendable, Hashable {
        /// It waits again at once.
        case rabbitMQ
        /// It may be claimed when its lease is over. Before and after that it counts as held, not as waiting.
        case redisList, redisStream
        /// It waits again when its lease (the time-out of its visibility) is over.
        case sqs
    }

    public init(
        rules: ScalingRules, triggers: [SimulatedTrigger], queue: QueueKind, arrivals: ArrivalSchedule,
        pollingInterval: Int = 30_000, pendingRule: PendingRule = .phase, pod: SimulatedPod = SimulatedPod(),
        worker: SimulatedWorker = SimulatedWorker(), statistics: StatisticsAge? = nil, seed: UInt64 = 1
    ) {
        self.rules = rules
        self.triggers = triggers
        self.queue = queue
        self.arrivals = arrivals
        self.pollingInterval = pollingInterval
        self.pendingRule = pendingRule
        self.pod = pod
        self.worker = worker
        self.statistics = statistics
        self.seed = seed
        drains = []
        historyLimits = (100, 100)
    }
}

/// How old the counts are that a broker's statistics tell.
public struct StatisticsAge: Sendable, Hashable {
    /// In milliseconds: the age just after news, and just before the next.
    public let least: Int
    public let most: Int

    public init(least: Int, most: Int) {
        self.least = least
        self.most = most
    }

    /// RabbitMQ's management API, as it was measured.
    public static let management = StatisticsAge(least: 4_000, most: 9_500)
}

/// At a time, some pods are evicted.
public struct NodeDrain: Sendable, Hashable {
    /// In milliseconds.
    public let time: Int
    public let podCount: Int

    public init(time: Int, podCount: Int) {
        self.time = time
        self.podCount = podCount
    }
}

/// What a Job's pod does before its worker begins, and when it fails.
public struct SimulatedPod: Sendable, Hashable {
    /// From its creation to Running.
    public var pending: DurationDistribution
    public var readiness: Readiness
    public var backoffLimit: Int
    /// `restartPolicy: OnFailure`: the same pod tries again, and runs in the eyes of KEDA while it waits for that.
    public var restartsInPlace: Bool
    /// `podFailurePolicy` ignores a pod that was evicted: the same Job makes another one.
    public var ignoresEviction: Bool

    /// When the condition Ready comes.
    public enum Readiness: Sendable, Hashable {
        /// So many milliseconds after Running, whatever the worker does.
        case afterStart(Int)
        /// At the first look of the probe after the worker has claimed.
        case claimed(probeInterval: Int, firstProbe: Int)
    }

    public init(
        pending: DurationDistribution = .constant(2_000), readiness: Readiness = .afterStart(0), backoffLimit: Int = 6,
        restartsInPlace: Bool = false, ignoresEviction: Bool = false
    ) {
        self.pending = pending
        self.readiness = readiness
        self.backoffLimit = backoffLimit
        self.restartsInPlace = restartsInPlace
        self.ignoresEviction = ignoresEviction
    }
}

/// What a worker does once its pod runs. Times are in milliseconds.
public struct SimulatedWorker: Sendable, Hashable {
    public var task: DurationDistribution
    /// From Running to its first look at the queue.
    public var claimAfter: DurationDistribution
    /// For how long it waits for a message; `nil` for ever. On a Redis list it waits longer while messages are leased, as
    /// semel does.
    public var wait: Int?
    /// From its settlement to its exit.
    public var linger: Int
    /// For how long a message stays with a worker that died, where there are leases.
    public var lease: Int
    /// How likely it is that a worker dies in the middle of a task, from 0 to less than 1.
    public var crashProbability: Double
    /// The message is given up when so many workers have died of it.
    public var maxAttempts: Int
    /// The queue forgets a message when it is claimed: who dies loses it.
    public var isAtMostOnce: Bool

    public init(
        task: DurationDistribution = .constant(60_000), claimAfter: DurationDistribution = .constant(1_000),
        wait: Int? = 10_000, linger: Int = 0, lease: Int = 30_000, crashProbability: Double = 0, maxAttempts: Int = 5,
        isAtMostOnce: Bool = false
    ) {
        self.task = task
        self.claimAfter = claimAfter
        self.wait = wait
        self.linger = linger
        self.lease = lease
        self.crashProbability = crashProbability
        self.maxAttempts = maxAttempts
        self.isAtMostOnce = isAtMostOnce
    }
}
