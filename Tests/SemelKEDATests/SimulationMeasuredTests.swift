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

    @Test func oldCountsWithoutLinger() {
        for spread in [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000] {
            var all: [Int] = []
            for seed in 1...200 {
                var input = Scene.measured(Scene.http, .rabbitMQ, .standard)
                input.seed = UInt64(seed)
                input.statistics = .management
                input.pod.pending = .uniform(least: 1000, most: 1000 + spread)
                all.append(input.run().jobsCreated)
            }
            all.sort()
            print(
                "spread", spread, all[0], all[20], all[50], all[100], all[150], all[180], all[199],
                all.count { $0 == 25 || $0 == 26 })
        }
    }
}
