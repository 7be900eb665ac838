import SemelKEDA
import Testing

/// What was measured on KEDA 2.20.2 with a real kubelet and real brokers, for 15 messages.
@Suite struct SimulationMeasuredTests {
    @Test func readyMessagesWithTheConditionReady() {
        var input = Scene.measured(Scene.amqp, .rabbitMQ, .accurate)
        input.pendingRule = Scene.ready
        let result = input.run()
        #expect(result.jobsCreated == 15)
        #expect(result.idleJobs == 0)
        #expect(result.settlements.done == 15)
    }

    /// Thirty messages that trickle in, one every 3 s.
    @Test func aTrickleWithTheConditionReady() {
        var input = Scene.measured(Scene.amqp, .rabbitMQ, .accurate)
        input.pendingRule = Scene.ready
        input.arrivals = ArrivalSchedule(ArrivalSchedule.even(perSecond: 1.0 / 3, for: 90_000))
        let result = input.run()
        #expect(result.jobsCreated == 30)
        #expect(result.idleJobs == 0)
    }

    /// Every pod is seen once when it runs and has not claimed.
    @Test func readyMessagesWithoutTheCondition() {
        let result = Scene.measured(Scene.amqp, .rabbitMQ, .accurate).run()
        #expect(result.jobsCreated == 30)
        #expect(result.idleJobs == 15)
        #expect(result.settlements.done == 15)
    }

    @Test func leasesAddedUp() {
        let result = Scene.measured(Scene.leases, .redisList, .standard, .sum).run()
        #expect(result.jobsCreated == 15)
        #expect(result.idleJobs == 0)
        #expect(result.settlements.done == 15)
    }

    @Test func aTrickleWithLeasesAddedUp() {
        var input = Scene.measured(Scene.leases, .redisList, .standard, .sum)
        input.arrivals = ArrivalSchedule(ArrivalSchedule.even(perSecond: 1.0 / 3, for: 90_000))
        let result = input.run()
        #expect(result.jobsCreated == 30)
        #expect(result.idleJobs == 0)
    }

    /// Ten are held and five wait: the larger number wins, and it is that of the Jobs there are. The late ones get Jobs 32 s
    /// after they came, when the first ten have ended, and are claimed 6 s later.
    @Test func leasesNotAddedUp() {
        let result = Scene.measured(Scene.leases, .redisList, .standard).run()
        #expect(result.jobsCreated == 15)
        #expect(result.idleJobs == 0)
        #expect(result.waiting.longest == 32_000 + 6_000)
        #expect(result.waiting.p50 == 2_000 + 6_000)
    }

    @Test(arguments: 1...20) func oldCountsWithLinger(_ seed: UInt64) {
        var input = Scene.measured(Scene.http, .rabbitMQ, .standard)
        input.seed = seed
        input.statistics = .management
        input.worker.linger = 12_000
        let result = input.run()
        #expect(result.jobsCreated == 15)
        #expect(result.idleJobs == 0)
    }

    /// Seen were 25 and 26. How many Jobs too many depends on how many tasks end between two polls while the counts are
    /// old: all of them if the pods start together, fewer if they start one after the other, as ten pods on two cores do.
    @Test func oldCountsWithoutLinger() {
        let counts = (1...200).map { seed in
            var input = Scene.measured(Scene.http, .rabbitMQ, .standard)
            input.seed = UInt64(seed)
            input.statistics = .management
            input.pod.pending = .uniform(least: 1_000, most: 8_000)
            let result = input.run()
            #expect(result.settlements.done == 15 && result.idleJobs == result.jobsCreated - 15)
            return result.jobsCreated
        }.sorted()
        // Half of all runs are between these two.
        #expect(counts[50] <= 25 && counts[150] >= 26)
        #expect(counts[0] >= 20 && counts[199] <= 30)
        var together = Scene.measured(Scene.http, .rabbitMQ, .standard)
        together.statistics = .management
        #expect(together.run().jobsCreated == 30)
    }
}
