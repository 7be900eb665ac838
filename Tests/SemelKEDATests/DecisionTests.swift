import SemelKEDA
import Testing

@Suite struct DecisionTests {
    @Test(
        arguments: [
            // (written min, written max, minimum, X)
            (nil, nil, 0, 100), (nil, 20, 0, 20), (2, 10, 2, 8), (2, nil, 2, 100), (5, 2, 2, 2), (0, 0, 0, 0),
            (3, 3, 3, 0), (nil, -1, 0, -1), (0, -1, -1, -1), (150, nil, 150, 100),
        ] as [(Int32?, Int32?, Int64, Int64)])
    func limits(_ min: Int32?, _ max: Int32?, _ minimum: Int64, _ room: Int64) {
        let limits = ReplicaLimits(minimum: min, maximum: max)
        #expect(limits.minimum == minimum)
        #expect(limits.room == room)
    }

    /// Six messages over HTTP, three of them held by three running Jobs; and the three that AMQP counts.
    @Test(arguments: [
        (6.0, ScalingStrategy.standard, 3), (6, .eager, 6), (6, .accurate, 6), (3, .standard, 0), (3, .accurate, 3),
        (3, .eager, 3),
    ])
    func countsOfHTTPAndAMQP(_ count: Double, _ strategy: ScalingStrategy, _ create: Int64) {
        #expect(Case(count, max: 10, strategy, running: 3).decision.create == create)
    }

    @Test func aTargetThatIsNotWritten() {
        #expect(Case(7, max: 20, target: 20).decision.create == 1)
        #expect(Case(7, max: 20, running: 1, target: 20).decision.create == 0)
        #expect(Case(7, max: 20, target: 5).decision.create == 2)
    }

    @Test func aTargetOfZeroNeverCreates() {
        let decision = Case(7, max: 20, target: 0).decision
        #expect(decision.isActive)
        #expect(decision.maxScale == 0 && decision.queueLength == 7 && decision.create == 0)
    }

    /// What is compared is the metric, not how many Jobs it wants.
    @Test func maxTakesTheLongestQueue() {
        var two = Case(max: 100)
        two.triggers = [(100, 50, true), (60, 1, true)]
        #expect(two.decision.create == 2)
        #expect(two.decision.combination.taken == [0])
    }

    @Test func theMinimumComesFirst() {
        #expect(Case(5, min: 2, max: 10).decision.create == 2)
        #expect(Case(5, min: 2, max: 10, running: 1).decision.create == 1)
        #expect(Case(5, min: 2, max: 10).decision.step == .belowMinimum(missing: 2))
        #expect(Case(3, min: 2, max: 10, running: 2).decision.create == 3)
        #expect(Case(0, min: 2, max: 10, running: 5).decision.create == 0)
        #expect(Case(1_000, min: 2, max: 10, running: 2).decision.create == 8)
        // Without a maximum the minimum is added to 100; above the maximum it is, too.
        #expect(Case(1_000, min: 2, running: 2).decision.create == 100)
        #expect(Case(1_000, min: 5, max: 2, running: 0).decision.create == 2)
        #expect(Case(1_000, min: 5, max: 2, running: 2).decision.create == 2)
    }

    @Test func theMinimumNeedsNoTrigger() {
        var none = Case(min: 2, max: 10)
        none.triggers = []
        #expect(none.decision.isActive && none.decision.isForcedActive)
        #expect(none.decision.create == 2)
        none.running = 2
        #expect(none.decision.isActive && none.decision.create == 0)
    }

    @Test func nothingIsActiveWithoutTriggers() {
        var none = Case(max: 10)
        none.triggers = []
        #expect(!none.decision.isActive && none.decision.create == 0)
        none.triggers = [(5, 1, false)]
        #expect(!none.decision.isActive && none.decision.queueLength == 0 && none.decision.create == 0)
    }

    /// Activity that does not come from the metric, as a cron trigger's, does not help under max.
    @Test func anActiveTriggerWithNothingInItsQueue() {
        var one = Case(max: 10)
        one.triggers = [(0, 1, true)]
        #expect(!one.decision.isActive)
        for rule in [CombinationRule.min, .avg, .sum] {
            one.combination = rule
            #expect(one.decision.isActive)
            #expect(one.decision.create == 0)
        }
    }

    /// Two Jobs for each message in the end, but one at a time.
    @Test func aTargetBelowOne() {
        let first = Case(10, max: 100, target: 0.5).decision
        #expect(first.maxScale == 20 && first.scaleTo == 10 && first.create == 10)
        #expect(Case(10, max: 100, running: 10, target: 0.5).decision.create == 10)
        #expect(Case(10, max: 100, running: 20, target: 0.5).decision.create == 0)
    }

    @Test func aNegativeResultIsShownBeforeItIsCut() {
        let decision = Case(2, max: 10, running: 5).decision
        #expect(decision.effectiveMaxScaleRaw == -3)
        #expect(decision.effectiveMaxScale == 0 && decision.create == 0)
    }
}

@Suite struct CombinationTests {
    private func combine(
        _ rule: CombinationRule, _ triggers: [(value: Double, target: Double, isActive: Bool)], max: Int32 = 100
    ) -> ScalingDecision {
        var all = Case(max: max)
        all.combination = rule
        all.triggers = triggers
        return all.decision
    }

    @Test func wordsThatAreNone() {
        #expect(CombinationRule(nil) == .max && CombinationRule("") == .max && CombinationRule("median") == .max)
    }

    @Test func eachRule() {
        let triggers = [(12.0, 4.0, true), (6.0, 1.0, true), (1.0, 1.0, false)]
        #expect(combine(.max, triggers).maxScale == 3 && combine(.max, triggers).queueLength == 12)
        #expect(combine(.min, triggers).maxScale == 6 && combine(.min, triggers).queueLength == 6)
        #expect(combine(.sum, triggers).maxScale == 9 && combine(.sum, triggers).queueLength == 18)
        #expect(combine(.avg, triggers).maxScale == 5 && combine(.avg, triggers).queueLength == 9)
        #expect(combine(.avg, triggers).combination.wanted == 4.5)
    }

    @Test func roundedOnceAtTheEnd() {
        #expect(combine(.sum, [(0.5, 1, true), (0.5, 1, true)]).maxScale == 1)
        #expect(combine(.sum, [(1, 2, true), (1, 2, true)]).maxScale == 1)
        #expect(combine(.sum, [(1, 2, true), (1, 2, true)]).queueLength == 2)
        #expect(combine(.max, [(0.001, 1, true)]).maxScale == 1)
        // Less than a thousandth is nothing.
        #expect(combine(.max, [(0.0009, 1, true)]).maxScale == 0)
    }

    @Test func eachTriggerIsLimitedAndThenAllOfThem() {
        #expect(combine(.sum, [(50, 1, true), (50, 1, true)], max: 20).maxScale == 20)
        #expect(combine(.sum, [(50, 1, true), (50, 1, true)], max: 20).combination.wanted == 40)
        #expect(combine(.avg, [(50, 1, true), (10, 1, true)], max: 20).maxScale == 15)
    }

    /// A q of 0 that min has taken looks as if it had taken none.
    @Test func minForgetsAZero() {
        #expect(combine(.min, [(0, 1, true), (7, 1, true)]).queueLength == 7)
        #expect(combine(.min, [(7, 1, true), (0, 1, true)]).queueLength == 0)
        #expect(combine(.min, [(7, 1, true), (0, 1, true), (9, 1, true)]).queueLength == 9)
    }

    @Test func theFirstOfEqualOnesStays() {
        #expect(combine(.max, [(5, 1, true), (5, 5, true)]).maxScale == 5)
        #expect(combine(.min, [(5, 1, true), (5, 5, true)]).maxScale == 5)
    }

    @Test func negativeMetrics() {
        var one = Case(max: 10)
        one.triggers = [(-3, 1, true), (2, 1, true)]
        one.combination = .sum
        #expect(one.decision.queueLength == 2)
        one.version = .of("2.20.1")
        #expect(one.decision.queueLength == -1 && one.decision.maxScale == -1 && one.decision.create == 0)
        one.triggers = [(.nan, 1, true), (.infinity, 1, true)]
        #expect(one.decision.queueLength == -18_446_744_073_709_552)
        one.version = .newest
        #expect(one.decision.queueLength == 0)
    }
}
