/// What a simulation came to. Times are in milliseconds from its beginning.
public struct SimulationResult: Sendable {
    public enum Fate: UInt8, Sendable, Hashable, CaseIterable {
        /// Nobody came for it, or whoever came has not settled it.
        case left
        case done
        /// Too many workers died of it.
        case deadLettered
        /// Its worker died, and the queue had forgotten it.
        case lost
    }

    public internal(set) var jobsCreated = 0
    /// Jobs that ended, or are there at the end, without ever having claimed a message.
    public internal(set) var idleJobs = 0
    public internal(set) var succeededJobs = 0
    public internal(set) var failedJobs = 0
    /// The most that were unfinished at a time.
    public internal(set) var peakJobs = 0
    /// Pods that ran, of Jobs that had more than one and of all others.
    public internal(set) var podCount = 0
    public internal(set) var crashes = 0
    public internal(set) var evictions = 0
    public internal(set) var polls = 0

    public internal(set) var settlements = Settlements()
    /// Of each message, in the order in which they came.
    public internal(set) var fates: [Fate] = []
    /// From a message's arrival to its first claim, of all that were claimed.
    public internal(set) var waiting = Percentiles([])
    /// When the last message was settled; `nil` when some are left, or there were none.
    public internal(set) var drainedAt: Int?
    /// When the last Job ended.
    public internal(set) var endedAt = 0
    /// From Running to their end, all pods together.
    public internal(set) var podTime = 0
    /// The part of ``podTime`` in which a task ran.
    public internal(set) var taskTime = 0
    /// Finished Jobs that are still there at the end, as the history limits leave them.
    public internal(set) var keptJobs: (successful: Int, failed: Int) = (0, 0)
    public internal(set) var timeline = Timeline()

    public struct Settlements: Sendable, Hashable {
        public internal(set) var done = 0
        public internal(set) var deadLettered = 0
        public internal(set) var lost = 0

        public var total: Int { done + deadLettered + lost }
    }

    public var messageCount: Int { fates.count }
    public var left: Int { messageCount - settlements.total }
}

/// Of a set of durations in milliseconds; all 0 when there is none.
public struct Percentiles: Sendable, Hashable {
    public let mean: Double
    /// Half of them are not longer.
    public let p50: Int
    public let p90: Int
    public let p99: Int
    public let longest: Int

    public init(_ values: [Int]) {
        let sorted = values.sorted()
        func rank(_ share: Double) -> Int {
            sorted.isEmpty ? 0 : sorted[max(0, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
        }
        mean = sorted.isEmpty ? 0 : Double(sorted.reduce(0, +)) / Double(sorted.count)
        (p50, p90, p99, longest) = (rank(0.5), rank(0.9), rank(0.99), sorted.last ?? 0)
    }
}

/// How queue and Jobs went over time: the most in each of a few hundred spans of the same length.
public struct Timeline: Sendable, Hashable {
    public struct Sample: Sendable, Hashable {
        /// Messages that wait.
        public internal(set) var queue = 0
        /// Unfinished Jobs.
        public internal(set) var jobs = 0
        /// Those of them that have looked for a message and found none.
        public internal(set) var waitingJobs = 0

        mutating func raise(to other: Sample) {
            queue = max(queue, other.queue)
            jobs = max(jobs, other.jobs)
            waitingJobs = max(waitingJobs, other.waitingJobs)
        }
    }

    private static let mostSamples = 1_024

    public private(set) var samples: [Sample] = []
    /// Of one sample, in milliseconds.
    public private(set) var span = 100
    private var present = Sample()

    /// - Parameter time: Never earlier than before.
    mutating func add(_ sample: Sample, at time: Int) {
        while time / span >= Self.mostSamples { halve() }
        while samples.count <= time / span { samples.append(present) }
        samples[samples.count - 1].raise(to: sample)
        present = sample
    }

    private mutating func halve() {
        span *= 2
        samples = stride(from: 0, to: samples.count, by: 2).map { index in
            var sample = samples[index]
            if index + 1 < samples.count { sample.raise(to: samples[index + 1]) }
            return sample
        }
    }
}
