extension SimulationInput {
    /// Simulates from the first poll until nothing can happen any more.
    public func run() -> SimulationResult {
        var run = SimulationRun(self)
        return run.run()
    }
}

/// One simulation. What happens at the same time happens in this order: messages come, Jobs go on, nodes are drained,
/// KEDA looks.
struct SimulationRun {
    let input: SimulationInput
    let random: SeededRandom
    let pendingStages: PendingStages
    var broker: SimulatedBroker
    var jobs: JobTable
    var events = EventQueue()
    var waiters = FIFO<(slot: Int, stamp: UInt32)>()
    var orphans = OrphanTable()
    var result = SimulationResult()
    var waits: [Int] = []
    /// When the queue changed last, in so far as a trigger can see it.
    var lastChange = 0
    private var nextArrival = 0
    private var nextDrain = 0
    private var nextPoll = 0
    private let drains: [NodeDrain]
    private let statisticsPhase: Int

    init(_ input: SimulationInput) {
        self.input = input
        random = SeededRandom(seed: input.seed)
        pendingStages = PendingStages(input.pendingRule, input.rules.version)
        jobs = JobTable(pendingStages)
        broker = SimulatedBroker(input.queue, remembers: input.statistics != nil)
        drains = input.drains.sorted { $0.time < $1.time }
        let period = input.statistics.map { $0.most - $0.least } ?? 0
        statisticsPhase = period > 0 ? Int(random.word(.statistics, 0) % UInt64(period)) : 0
        result.fates = Array(repeating: .left, count: input.arrivals.messageCount)
        waits.reserveCapacity(input.arrivals.messageCount)
    }

    mutating func run() -> SimulationResult {
        var isOver = false
        while !isOver {
            let arrival = arrivalsAreOver ? Int.max : input.arrivals.batches[nextArrival].time
            let drain = nextDrain < drains.count ? drains[nextDrain].time : .max
            if arrival <= min(events.earliest, drain, nextPoll) {
                arrive()
            } else if events.earliest <= min(drain, nextPoll), let event = events.next() {
                handle(event)
            } else if drain <= nextPoll {
                evict(drains[nextDrain])
                nextDrain += 1
            } else {
                isOver = poll(next: min(arrival, drain))
            }
        }
        finish()
        return result
    }

    private var arrivalsAreOver: Bool { nextArrival == input.arrivals.batches.count }

    private mutating func arrive() {
        let batch = input.arrivals.batches[nextArrival]
        nextArrival += 1
        broker.arrive(batch.count, at: batch.time)
        queueHasChanged(at: batch.time)
    }

    /// - Parameter next: When something comes from outside.
    /// - Returns: Whether it was the last poll that can make a difference.
    private mutating func poll(next: Int) -> Bool {
        let now = nextPoll
        result.polls += 1
        let created = Int(decision(at: now).create)
        for _ in 0..<created { create(at: now) }
        result.peakJobs = max(result.peakJobs, jobs.count)
        record(at: now)
        nextPoll += input.pollingInterval
        let isSettled = now - lastChange > input.statistics?.most ?? 0
        if arrivalsAreOver, isSettled, broker.level == QueueLevel(), jobs.count <= Int(input.rules.limits.minimum),
            input.rules.limits.minimum > 0
        {
            return true
        }
        guard created == 0, isSettled, events.isEmpty else { return false }
        if next == .max { return true }
        // Until something comes from outside, every poll would decide as this one did.
        let polls = max(0, (next - nextPoll + input.pollingInterval - 1) / input.pollingInterval)
        nextPoll += polls * input.pollingInterval
        result.polls += polls
        return false
    }

    private mutating func decision(at now: Int) -> ScalingDecision {
        let level = broker.level
        let staleLevel = broker.level(at: statisticsTime(at: now))
        let metrics = input.triggers.map { trigger in
            let value = trigger.value(trigger.isStale ? staleLevel : level)
            return input.rules.metric(value: value, target: trigger.target, isActive: value > trigger.activation)
        }
        return input.rules.decide(metrics, running: Int64(jobs.count), pending: Int64(jobs.pendingCount))
    }

    /// Of which time the statistics are that are seen now.
    private func statisticsTime(at now: Int) -> Int {
        guard let statistics = input.statistics else { return now }
        let seen = now - statistics.least
        let period = statistics.most - statistics.least
        guard period > 0 else { return seen }
        let since = (seen - statisticsPhase) % period
        return seen - (since < 0 ? since + period : since)
    }

    private mutating func create(at now: Int) {
        let slot = jobs.create(number: result.jobsCreated)
        result.jobsCreated += 1
        schedulePod(slot, at: now)
    }

    func sample() -> Timeline.Sample {
        Timeline.Sample(queue: broker.level.ready, jobs: jobs.count, waitingJobs: jobs.waitingCount)
    }

    mutating func record(at now: Int) {
        result.timeline.add(sample(), at: now)
    }

    mutating func queueHasChanged(at now: Int) {
        lastChange = now
        while broker.hasMessage, let waiter = waiters.popFirst() {
            let job = jobs[waiter.slot]
            guard job.stage == .waiting, job.stamp == waiter.stamp else { continue }
            claim(waiter.slot, at: now)
        }
        record(at: now)
    }

    private mutating func finish() {
        for slot in jobs.slots where jobs[slot].stage != .none {
            if !jobs[slot].hasClaimed { result.idleJobs += 1 }
            endPod(slot, at: nextPoll - input.pollingInterval)
        }
        result.waiting = Percentiles(waits)
        if result.left > 0 { result.drainedAt = nil }
        let limits = input.historyLimits
        result.keptJobs = (min(result.succeededJobs, limits.successful), min(result.failedJobs, limits.failed))
    }
}

/// Messages whose worker has died, until their leases are over.
struct OrphanTable {
    private var places: [(message: SimulatedMessage, leaseEnd: Int)?] = []
    private var free: [Int] = []

    mutating func add(_ message: SimulatedMessage, until leaseEnd: Int) -> Int {
        if let place = free.popLast() {
            places[place] = (message, leaseEnd)
            return place
        }
        places.append((message, leaseEnd))
        return places.count - 1
    }

    mutating func take(_ place: Int) -> SimulatedMessage? {
        defer {
            places[place] = nil
            free.append(place)
        }
        return places[place]?.message
    }

    var latestLeaseEnd: Int? { places.compactMap { $0?.leaseEnd }.max() }
}
