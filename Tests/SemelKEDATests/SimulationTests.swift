import SemelKEDA
import Testing

/// Which strategy fits which count, and what becomes of messages on bad days.
@Suite struct SimulationTests {
    private func input(
        _ triggers: [SimulatedTrigger], _ queue: SimulationInput.QueueKind, _ strategy: ScalingStrategy,
        _ arrivals: String = "0:10,40:5", max: Int32 = 20
    ) -> SimulationInput {
        var input = SimulationInput(
            rules: ScalingRules(limits: ReplicaLimits(minimum: nil, maximum: max), strategy: strategy),
            triggers: triggers, queue: queue, arrivals: Scene.arrivals(arrivals), pollingInterval: 5_000)
        input.pod.backoffLimit = 0
        return input
    }

    /// Ready messages less running Jobs is too few: the late ones wait until old tasks have ended.
    @Test func defaultOnReadyStarves() {
        let result = input(Scene.amqp, .rabbitMQ, .standard).run()
        #expect(result.jobsCreated == 15 && result.idleJobs == 0)
        #expect(result.waiting.longest > 25_000)
        let right = input([SimulatedTrigger(.readyAndHeld)], .rabbitMQ, .standard).run()
        #expect(right.jobsCreated == 15 && right.waiting.longest < 10_000)
    }

    /// Every poll takes the held messages for new ones.
    @Test(arguments: [ScalingStrategy.accurate, .eager]) func floodsToTheMaximum(_ strategy: ScalingStrategy) {
        let result = input([SimulatedTrigger(.readyAndHeld)], .rabbitMQ, strategy).run()
        #expect(result.peakJobs == 20)
        #expect(result.idleJobs >= 15)
        #expect(result.settlements.done == 15)
    }

    /// Those that wait idly end and are made again, as long as the ten tasks run.
    @Test func floodingHasNoEnd() {
        let result = input([SimulatedTrigger(.readyAndHeld)], .rabbitMQ, .accurate, "0:10").run()
        #expect(result.peakJobs == 20)
        #expect(result.jobsCreated > 40)
    }

    @Test func aTargetOfFiveIsAJobForFiveMessages() {
        let result = input([SimulatedTrigger(.readyAndHeld, target: 5)], .rabbitMQ, .standard, "0:10").run()
        #expect(result.peakJobs == 2)
        #expect(result.settlements.done == 10)
    }

    @Test func whatNoTriggerCountsIsLeft() {
        let result = input([SimulatedTrigger(.ready, target: 0)], .rabbitMQ, .standard).run()
        #expect(result.jobsCreated == 0 && result.left == 15 && result.drainedAt == nil)
    }

    /// The one message of a dead worker is counted by nobody, unless the leases are.
    @Test func anOrphanNeedsItsTrigger() {
        var alone = input([SimulatedTrigger(.ready)], .redisList, .accurate, "0:200")
        alone.pendingRule = Scene.ready
        alone.pod.readiness = .claimed(probeInterval: 1_000, firstProbe: 0)
        alone.worker.crashProbability = 0.3
        alone.worker.lease = 600_000
        #expect(alone.run().left > 0)
        var both = input(Scene.leases, .redisList, .standard, "0:200")
        both.rules.combination = .sum
        both.worker.crashProbability = 0.3
        #expect(both.run().left == 0)
    }

    /// Its Job waits for the end of the lease, beyond its ten seconds, and is not idle.
    @Test func anOrphanIsWaitedFor() {
        var input = input(Scene.leases, .redisList, .standard, "0:1")
        input.rules.combination = .sum
        input.worker.lease = 60_000
        input.worker.crashProbability = 0.999_999
        input.worker.maxAttempts = 1
        let result = input.run()
        #expect(result.jobsCreated == 2 && result.idleJobs == 0)
        #expect(result.settlements.deadLettered == 1)
    }

    @Test func aWorkerThatForgetsLosesWhatItHolds() {
        var input = input([SimulatedTrigger(.ready)], .redisList, .accurate, "0:100")
        input.worker.isAtMostOnce = true
        input.worker.crashProbability = 0.2
        let result = input.run()
        #expect(result.settlements.lost == result.crashes && result.crashes > 5)
        #expect(result.settlements.done + result.settlements.lost == 100)
    }

    /// The same Job makes another pod, or the Job fails and KEDA makes another one.
    @Test(arguments: [true, false]) func drainedNodes(_ ignores: Bool) {
        var input = input([SimulatedTrigger(.readyAndHeld)], .rabbitMQ, .standard, "0:10")
        input.pod.ignoresEviction = ignores
        input.drains = [NodeDrain(time: 30_000, podCount: 4)]
        let result = input.run()
        #expect(result.settlements.done == 10 && result.evictions == 4 && result.podCount == 14)
        #expect(result.jobsCreated == (ignores ? 10 : 14))
        #expect(result.failedJobs == (ignores ? 0 : 4))
    }

    /// Two owners of a retry: the queue gives the message to a new Job, and the old one makes another pod for nothing.
    @Test func backoffMakesIdlePods() {
        var input = input([SimulatedTrigger(.ready)], .rabbitMQ, .accurate, "0:20", max: 100)
        input.worker.crashProbability = 0.5
        let once = input.run()
        input.pod.backoffLimit = 6
        let often = input.run()
        #expect(once.settlements.total == 20 && often.settlements.total == 20)
        #expect(once.failedJobs > 0)
        #expect(often.podCount > often.jobsCreated)
    }

    @Test func aMinimumIsKeptAndEnds() {
        var input = input([SimulatedTrigger(.readyAndHeld)], .rabbitMQ, .standard, "0:3")
        input.rules.limits = ReplicaLimits(minimum: 2, maximum: 10)
        let result = input.run()
        #expect(result.settlements.done == 3 && result.left == 0)
        #expect(result.peakJobs <= 10)
    }

    @Test func workersThatWaitForever() {
        var input = input([SimulatedTrigger(.ready)], .rabbitMQ, .accurate, "0:5")
        input.worker.wait = nil
        input.worker.claimAfter = .constant(20_000)
        let result = input.run()
        #expect(result.settlements.done == 5 && result.idleJobs > 0)
    }

    /// A month between two messages is two polls and the Jobs between them.
    @Test func longPausesCostNothing() {
        let result = input(Scene.amqp, .rabbitMQ, .accurate, "0:1,3000000:1").run()
        #expect(result.settlements.done == 2)
        #expect(result.drainedAt ?? 0 > 3_000_000_000)
        #expect(result.polls > 600_000)
    }

    @Test func nothingAtAll() {
        let result = input(Scene.amqp, .rabbitMQ, .accurate, "").run()
        #expect(result.jobsCreated == 0 && result.left == 0 && result.drainedAt == nil)
    }

    @Test func everyStrategyBesideTheOwn() {
        var input = input(Scene.amqp, .rabbitMQ, .accurate)
        let names = StrategyVariant.all(of: input).map(\.name)
        #expect(names == ["accurate", "default", "accurate [Ready]", "eager"])
        input.rules.strategy = .custom(deduction: 1, percentage: 0.5)
        #expect(StrategyVariant.all(of: input).map(\.name).first == "custom")
        #expect(StrategyVariant.all(of: input).count == 5)
    }

    @Test func aPlotHasAllSeries() {
        let svg = TimelinePlot(title: "a <b>\u{1b}", timeline: input(Scene.amqp, .rabbitMQ, .accurate).run().timeline)
            .svg()
        #expect(!svg.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        #expect(svg.hasPrefix("<svg ") && svg.contains("a &lt;b>") && !svg.contains("NaN"))
        #expect(svg.split(separator: "<path").count == 4)
    }
}
