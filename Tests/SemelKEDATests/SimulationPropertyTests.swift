import SemelKEDA
import Testing

/// Whatever the load and the faults: the same seed has the same result, and no message is lost or done twice.
@Suite struct SimulationPropertyTests {
    private static func pick<Value>(_ values: [Value], _ word: inout UInt64) -> Value {
        word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return values[Int(word >> 33) % values.count]
    }

    private static func distribution(_ word: inout UInt64) -> DurationDistribution {
        pick(
            [
                .constant(0), .constant(7_000), .uniform(least: 0, most: 90_000), .exponential(mean: 30_000),
                .logNormal(median: 20_000, spread: 1),
            ], &word)
    }

    /// A setup made of the seed alone, faults and wrong pairs included.
    private static func input(_ seed: UInt64) -> SimulationInput {
        var word = seed
        for _ in 0..<3 { _ = pick([0], &word) }
        let queue = pick([SimulationInput.QueueKind.rabbitMQ, .redisList, .redisStream, .sqs], &word)
        let isStale = queue == .rabbitMQ && pick([true, false], &word)
        let counts: [SimulatedTrigger.Count] = pick([[.ready], [.readyAndHeld], [.ready, .held]], &word)
        let limits = ReplicaLimits(
            minimum: pick([nil, nil, nil, 2], &word), maximum: pick([1, 7, 50, nil], &word))
        let strategy = pick(
            [.standard, .accurate, .eager, ScalingStrategy.custom(deduction: 1, percentage: 0.5)], &word)
        let batches = (0..<pick([1, 5, 40], &word)).map { _ in
            ArrivalSchedule.Batch(time: pick([0, 1_000, 33_333, 120_000, 700_000], &word), count: pick([1, 9], &word))
        }
        var input = SimulationInput(
            rules: ScalingRules(
                limits: limits, strategy: strategy, combination: pick([.sum, .max, .avg], &word)),
            triggers: counts.map { SimulatedTrigger($0, isStale: isStale) }, queue: queue,
            arrivals: ArrivalSchedule(batches), pollingInterval: pick([1_000, 5_000, 30_000], &word),
            pendingRule: pick([.phase, .conditions(["Ready"])], &word), seed: seed)
        input.statistics = isStale ? pick([.management, StatisticsAge(least: 6_000, most: 6_000)], &word) : nil
        input.pod = SimulatedPod(
            pending: distribution(&word),
            readiness: pick([.afterStart(0), .claimed(probeInterval: 1_000, firstProbe: 500)], &word),
            backoffLimit: pick([0, 6], &word), restartsInPlace: pick([true, false], &word),
            ignoresEviction: pick([true, false], &word))
        input.worker = SimulatedWorker(
            task: distribution(&word), claimAfter: distribution(&word), wait: pick([0, 10_000, 40_000], &word),
            linger: pick([0, 12_000], &word), lease: pick([1_000, 30_000], &word),
            crashProbability: pick([0, 0.01, 0.4], &word), maxAttempts: pick([1, 5], &word),
            isAtMostOnce: pick([false, false, true], &word))
        input.drains = pick(
            [[], [NodeDrain(time: 20_000, podCount: 3), NodeDrain(time: 90_000, podCount: 100)]], &word)
        return input
    }

    private static func figures(_ result: SimulationResult) -> [Int] {
        [
            result.jobsCreated, result.idleJobs, result.succeededJobs, result.failedJobs, result.peakJobs,
            result.podCount, result.crashes, result.evictions, result.polls, result.drainedAt ?? -1, result.endedAt,
            result.podTime, result.taskTime, result.waiting.longest,
        ]
    }

    @Test(arguments: 1...400) func everyMessageOnce(_ seed: UInt64) {
        let input = Self.input(seed)
        let result = input.run()
        let fates = Dictionary(grouping: result.fates, by: { $0 }).mapValues(\.count)
        #expect(result.messageCount == input.arrivals.messageCount)
        // Who was done twice is counted twice on the one side only.
        #expect(result.settlements.done == fates[.done] ?? 0)
        #expect(result.settlements.deadLettered == fates[.deadLettered] ?? 0)
        #expect(result.settlements.lost == fates[.lost] ?? 0)
        #expect(result.left == fates[.left] ?? 0)
        if input.worker.crashProbability == 0, input.drains.isEmpty {
            #expect(result.settlements.total == result.settlements.done)
        }
        #expect(result.settlements.lost == 0 || input.worker.isAtMostOnce)
        #expect(result.jobsCreated >= result.succeededJobs + result.failedJobs)
        #expect(result.jobsCreated >= result.idleJobs && result.podTime >= result.taskTime)
        #expect((result.drainedAt == nil) == (result.left > 0))
        let isCustom = input.rules.strategy == .custom(deduction: 1, percentage: 0.5)
        #expect(isCustom || result.peakJobs <= Int(input.rules.limits.total))
        #expect(result.keptJobs.successful <= 100 && result.keptJobs.failed <= 100)
    }

    @Test(arguments: 1...60) func theSameSeedTheSameResult(_ seed: UInt64) {
        let first = Self.input(seed).run()
        let second = Self.input(seed).run()
        #expect(Self.figures(first) == Self.figures(second))
        #expect(first.fates == second.fates && first.timeline == second.timeline)
    }

    @Test func anotherSeedAnotherResult() {
        var input = Self.input(1)
        input.worker.task = .exponential(mean: 60_000)
        let first = input.run()
        input.seed = 2
        #expect(Self.figures(first) != Self.figures(input.run()))
    }

    /// Twice the messages and twice the room: twice the Jobs, in the same time.
    @Test func scales() {
        func jobs(_ factor: Int) -> SimulationResult {
            var input = SimulationInput(
                rules: ScalingRules(
                    limits: ReplicaLimits(minimum: nil, maximum: Int32(50 * factor)), strategy: .accurate),
                triggers: [SimulatedTrigger(.ready)], queue: .rabbitMQ,
                arrivals: ArrivalSchedule([ArrivalSchedule.Batch(time: 0, count: 1_000 * factor)]),
                pollingInterval: 5_000, pendingRule: PendingRule(["Ready"]))
            input.pod.readiness = .claimed(probeInterval: 1_000, firstProbe: 0)
            return input.run()
        }
        let (one, twenty) = (jobs(1), jobs(20))
        #expect(twenty.jobsCreated == 20 * one.jobsCreated && twenty.idleJobs == 20 * one.idleJobs)
        #expect(twenty.drainedAt == one.drainedAt && twenty.peakJobs == 1_000)
    }

    @Test(arguments: [0.5, 3, 250]) func ratesAreKept(_ perSecond: Double) {
        let even = ArrivalSchedule(ArrivalSchedule.even(perSecond: perSecond, for: 600_000))
        #expect(even.messageCount == Int(perSecond * 600))
        #expect(even.batches.allSatisfy { $0.time < 600_000 })
        let random = ArrivalSchedule(ArrivalSchedule.random(perSecond: perSecond, for: 600_000, seed: 7))
        #expect(abs(Double(random.messageCount) - perSecond * 600) < 5 * (perSecond * 600).squareRoot())
        #expect(random.batches.allSatisfy { $0.time < 600_000 })
    }
}
