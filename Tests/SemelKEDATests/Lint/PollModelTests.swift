import Testing

@testable import SemelKEDA

/// The model against what a running operator did: 10 messages, 5 more after 40 s, 60 s of work, 5 s from a pod's start to
/// its claim, a poll every 5 s, 20 Jobs at most.
@Suite struct PollModelTests {
    private func model(
        _ strategy: ScalingStrategy, _ combination: CombinationRule = .max, _ counted: ResolvedTrigger.Counted...,
        stale: Int = 0
    ) -> PollModel {
        let rules = ScalingRules(
            limits: ReplicaLimits(minimum: nil, maximum: 20), strategy: strategy, combination: combination)
        return PollModel(
            rules: rules, triggers: counted.map { PollModel.Trigger(counted: $0, staleSeconds: stale) }, pollSeconds: 5,
            arrivals: [(0, 10), (40, 5)], taskSeconds: 60, claimSeconds: 7)
    }

    @Test func accurateUntilClaimed() {
        var model = model(.accurate, .max, .ready)
        model.isPendingUntilClaimed = true
        let forecast = model.run()
        #expect(forecast.jobs == 15 && forecast.idle == 0 && forecast.messages == 15 && forecast.left == 0)
    }

    @Test func accurateWithoutTheCondition() {
        let forecast = model(.accurate, .max, .ready).run()
        #expect(forecast.jobs == 30 && forecast.idle == 15)
    }

    /// 25 and 26 were seen.
    @Test func staleNumbers() {
        let forecast = model(.standard, .max, .readyAndHeld, stale: 8).run()
        #expect((20...30).contains(forecast.jobs) && forecast.idle == forecast.jobs - 15, "\(forecast)")
    }

    @Test func staleNumbersAndLingering() {
        var model = model(.standard, .max, .readyAndHeld, stale: 8)
        model.lingerSeconds = 12
        #expect(model.run().jobs == 15)
    }

    @Test func readyAndHeldSummed() {
        let forecast = model(.standard, .sum, .ready, .held).run()
        #expect(forecast.jobs == 15 && forecast.idle == 0 && forecast.longestWait < 15)
    }

    /// The five late ones waited 32 s.
    @Test func readyAndHeldApart() {
        let forecast = model(.standard, .max, .ready, .held).run()
        #expect(forecast.jobs == 15 && (25...45).contains(forecast.longestWait), "\(forecast)")
    }

    @Test func aFlood() {
        let forecast = model(.accurate, .max, .readyAndHeld).run()
        #expect(forecast.jobs > 45 && forecast.peak == 20 && forecast.left == 0, "\(forecast)")
    }

    @Test func nothingEverStarts() {
        let forecast = model(.standard, .max, .held).run()
        #expect(forecast.jobs == 0 && forecast.left == 15)
    }
}
