import SemelKEDA
import Testing

@Suite struct StrategyTests {
    private func create(
        _ strategy: ScalingStrategy, queue: Double, running: Int64 = 0, pending: Int64 = 0, max: Int32 = 100,
        min: Int32? = nil, version: KEDAVersion = .newest
    ) -> Int64 {
        Case(queue, min: min, max: max, strategy, running: running, pending: pending, version: version).decision.create
    }

    @Test func standard() {
        #expect(create(.standard, queue: 10) == 10)
        #expect(create(.standard, queue: 10, running: 4) == 6)
        #expect(create(.standard, queue: 10, running: 4, pending: 4) == 6)
        #expect(create(.standard, queue: 200, running: 40) == 60)
    }

    /// Pending Jobs are left out of the comparison from 2.19.0 on, so near the maximum fewer are made.
    @Test func accurate() {
        #expect(create(.accurate, queue: 10, running: 4, pending: 3) == 7)
        #expect(create(.accurate, queue: 10, running: 95, max: 100) == 5)
        #expect(create(.accurate, queue: 3, running: 19, pending: 2, max: 20) == 1)
        #expect(create(.accurate, queue: 3, running: 19, pending: 2, max: 20, version: .of("2.18.3")) == 1)
        #expect(create(.accurate, queue: 5, running: 16, pending: 4, max: 20) == 1)
        #expect(create(.accurate, queue: 5, running: 16, pending: 4, max: 20, version: .of("2.18.3")) == 4)
        #expect(create(.accurate, queue: 2, pending: 5) == 0)
    }

    /// min(M - P, X - r) in one line.
    @Test func accurateIsTheLesserOfTwo() {
        for M in 0...12 as ClosedRange<Int64> {
            for r in 0...14 as ClosedRange<Int64> {
                for P in 0...r {
                    let input = StrategyInput(
                        maxScale: M, running: r, pending: P, queueLength: M, room: 12, version: .newest)
                    #expect(ScalingStrategy.accurate.result(input).effectiveMaxScale == min(M - P, 12 - r))
                }
            }
        }
    }

    /// The minimum is taken off the running Jobs, not off the pending ones.
    @Test func pendingStandbyJobsHoldAccurateBack() {
        #expect(create(.accurate, queue: 5, running: 2, pending: 2, max: 10, min: 2) == 3)
        #expect(create(.accurate, queue: 5, running: 2, pending: 0, max: 10, min: 2) == 5)
    }

    @Test func eager() {
        #expect(create(.eager, queue: 4, running: 3, max: 10) == 4)
        #expect(create(.eager, queue: 4, pending: 3, max: 10) == 4)
        #expect(create(.eager, queue: 4, running: 7, max: 10) == 3)
        #expect(create(.eager, queue: 4, running: 6, pending: 4, max: 10) == 0)
        #expect(Case(4, max: 10, .eager).decision.scaleTo == 10)
    }

    @Test func custom() {
        #expect(create(.custom(deduction: 2, percentage: 0.5), queue: 10, running: 5) == 6)
        #expect(create(.custom(deduction: -2, percentage: 0), queue: 10) == 10)
        #expect(Case(10, max: 100, .custom(deduction: -2, percentage: 0)).decision.effectiveMaxScale == 12)
        // Truncated: 3 of 0.99 is 2.
        #expect(create(.custom(deduction: 0, percentage: 0.99), queue: 10, running: 3) == 8)
        #expect(create(.custom(deduction: 0, percentage: -0.5), queue: 10, running: 3) == 10)
        // Limited to X and not to X - r: more than the maximum in all.
        #expect(create(.custom(deduction: 0, percentage: 0.1), queue: 1_000, running: 10, max: 10) == 9)
        #expect(create(.custom(deduction: 0, percentage: .infinity), queue: 10, running: 1) == 0)
        #expect(create(.custom(deduction: 0, percentage: .nan), queue: 10) == 0)
    }

    @Test func customWithoutADeduction() {
        let strategy = ScalingStrategy.custom(deduction: nil, percentage: 0.5)
        #expect(create(strategy, queue: 10, running: 4) == 8)
        let old = Case(10, max: 100, strategy, running: 4, version: .of("2.20.1")).decision
        #expect(old.operatorPanics && old.create == 0)
        // The minimum is made up without asking the strategy.
        #expect(create(strategy, queue: 10, min: 2, version: .of("2.19")) == 2)
    }

    @Test(arguments: [
        ("0.5", 0.5), ("50", 50), (".5", 0.5), ("5.", 5), ("+1e2", 100), ("-0.25", -0.25), ("0x1p-2", 0.25),
        ("Inf", Double.infinity), ("-infinity", -Double.infinity),
    ])
    func percentages(_ text: String, _ value: Double) {
        #expect(
            ScalingStrategy(name: "custom", deduction: 1, percentage: text)
                == .custom(deduction: 1, percentage: value))
    }

    @Test(arguments: ["", "50%", " 0.5", "0,5", "half", "1e999", "0x1", ".", "e5", "1_000", "+nan", "--1"])
    func percentagesThatAreNone(_ text: String) {
        #expect(ScalingStrategy(name: "custom", deduction: 1, percentage: text) == .standard)
    }

    @Test func names() {
        #expect(ScalingStrategy(name: nil, deduction: nil, percentage: nil) == .standard)
        #expect(ScalingStrategy(name: "Accurate", deduction: nil, percentage: nil) == .standard)
        #expect(ScalingStrategy(name: "accurate", deduction: 1, percentage: "1") == .accurate)
        #expect(ScalingStrategy(name: "eager", deduction: nil, percentage: nil) == .eager)
        #expect(ScalingStrategy(name: "custom", deduction: nil, percentage: nil) == .standard)
        #expect(ScalingStrategy(name: "custom", deduction: nil, percentage: "nan").name == "custom")
    }
}

/// Which strategy fits what is counted: messages that wait, or those that are held as well.
@Suite struct StrategyForCountTests {
    /// Jobs = messages, whatever the Jobs are doing.
    @Test func everythingCountedWithDefault() {
        for (ready, held) in [(10.0, 0.0), (3, 7), (0, 10), (15, 5)] {
            let jobs = Int64(held)
            #expect(Case(ready + held, max: 100, running: jobs).decision.create == Int64(ready))
            // Those that have not claimed yet weigh as much as those that have.
            #expect(Case(ready + held, max: 100, running: jobs + 2).decision.create == max(0, Int64(ready) - 2))
        }
    }

    @Test func readyOnesWithAccurateAndConditions() {
        for pending in 0...6 as ClosedRange<Int64> {
            let decision = Case(6, max: 100, .accurate, running: 10 + pending, pending: pending).decision
            #expect(decision.create == 6 - pending)
        }
    }

    /// A new message waits for an old task to end.
    @Test func readyOnesWithDefaultStarve() {
        #expect(Case(5, max: 100, running: 10).decision.create == 0)
    }

    /// Every poll takes the held messages for new ones, up to the maximum.
    @Test func everythingCountedWithAccurateFloods() {
        var jobs: Int64 = 0
        for _ in 0..<5 { jobs += Case(10, max: 35, .accurate, running: jobs).decision.create }
        #expect(jobs == 35)
        jobs = 0
        for _ in 0..<5 { jobs += Case(10, max: 35, .eager, running: jobs).decision.create }
        #expect(jobs == 35)
    }
}

@Suite struct KEDAVersionTests {
    @Test(arguments: ["2.15", "2.20", "2.20.1", "v2.19.0", "2.18.3"])
    func versions(_ text: String) throws {
        let version = try #require(KEDAVersion(text))
        #expect("v\(version)".hasSuffix(text))
    }

    @Test(arguments: [
        "", "2", "2.14", "2.21", "3.20", "2.20.1.1", "2.x", "2.-15", "2.20.", " 2.20", "2.20.99999999999999999999",
    ])
    func versionsThatAreNone(_ text: String) {
        #expect(KEDAVersion(text) == nil)
    }

    /// Without a patch it is the newest.
    @Test func order() {
        #expect(KEDAVersion.of("2.20.2") < .of("2.20"))
        #expect(KEDAVersion.of("2.19") < .of("2.20.0"))
        #expect(KEDAVersion.of("2.19.1") < .of("2.19.2"))
    }

    @Test func whatDiffers() {
        #expect(!KEDAVersion.of("2.18").accurateComparesWithoutPending)
        #expect(KEDAVersion.of("2.19.0").accurateComparesWithoutPending)
        #expect(
            !KEDAVersion.of("2.17").looksForConditionsInOnePod && KEDAVersion.of("2.18.0").looksForConditionsInOnePod)
        #expect(!KEDAVersion.of("2.20.1").cutsNegativeMetrics && KEDAVersion.of("2.20").cutsNegativeMetrics)
        #expect(KEDAVersion.of("2.19").allowedStrategies == nil && KEDAVersion.of("2.19").allowedRollouts == nil)
        #expect(KEDAVersion.of("2.20.1").allowedStrategies?.contains("default") == false)
        #expect(KEDAVersion.of("2.20.2").allowedStrategies?.contains("default") == true)
        #expect(KEDAVersion.of("2.20").allowedRollouts == ["gradual", "immediate"])
    }
}

@Suite struct PendingRuleTests {
    @Test func byPhase() {
        let rule = PendingRule([])
        #expect(rule.isPending([], .newest))
        #expect(rule.isPending([PodState(.pending), PodState(.failed), PodState(.unknown)], .newest))
        #expect(!rule.isPending([PodState(.running)], .newest))
        #expect(!rule.isPending([PodState(.failed), PodState(.succeeded)], .newest))
    }

    @Test func byConditions() {
        let rule = PendingRule(["Ready", "PodScheduled"])
        #expect(rule.isPending([], .newest))
        #expect(rule.isPending([PodState(.running, conditions: ["Ready"])], .newest))
        #expect(!rule.isPending([PodState(.running, conditions: ["Ready", "PodScheduled", "Initialized"])], .newest))
    }

    /// Before 2.18.0 the conditions of all pods were added up.
    @Test func conditionsOfManyPods() {
        let one = PendingRule(["Ready"])
        let two = [PodState(.running, conditions: ["Ready"]), PodState(.running, conditions: ["Ready"])]
        #expect(!one.isPending(two, .newest))
        #expect(one.isPending(two, .of("2.17")))
        let both = PendingRule(["Ready", "PodScheduled"])
        let halves = [PodState(.running, conditions: ["Ready"]), PodState(.pending, conditions: ["PodScheduled"])]
        #expect(both.isPending(halves, .newest))
        #expect(!both.isPending(halves, .of("2.17")))
    }
}
