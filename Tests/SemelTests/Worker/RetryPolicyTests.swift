import Semel
import Testing

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy(maxAttempts: 5, delay: .seconds(10)...(.seconds(600)))

    @Test(arguments: [
        (1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 320), (7, 600), (8, 600), (63, 600), (64, 600), (65, 600),
        (1_000_000, 600),
    ])
    func doublesUpToTheUpperBound(attempt: Int, seconds: Int) {
        #expect(policy.delay(afterAttempt: attempt, random: 0) == .seconds(seconds))
    }

    @Test func takesUpToHalfOff() {
        #expect(policy.delay(afterAttempt: 3, random: 0.5) == .seconds(30))
        #expect(policy.delay(afterAttempt: 3, random: 0.999_999_999) == .milliseconds(20_000))
        #expect(policy.delay(afterAttempt: 100, random: 0.5) == .seconds(450))
    }

    @Test func isNeverBelowTheLowerBound() {
        #expect(policy.delay(afterAttempt: 1, random: 0.9) == .seconds(10))
        #expect(policy.delay(afterAttempt: 2, random: 0.999_999_999) == .seconds(10))
    }

    @Test(arguments: [Int.min, -1, 0])
    func countsFromOne(attempt: Int) {
        #expect(policy.delay(afterAttempt: attempt, random: 0) == .seconds(10))
    }

    @Test(arguments: [
        Duration.zero...(.zero), .zero...(.seconds(1)), .milliseconds(1)...(.milliseconds(1)),
        .milliseconds(100)...(.milliseconds(150)), .seconds(30)...(.seconds(30)), .seconds(1)...(.seconds(86_400)),
    ])
    func staysWithinItsBounds(bounds: ClosedRange<Duration>) {
        let policy = RetryPolicy(delay: bounds)
        for attempt in [1, 2, 3, 5, 10, 60, 61, 62, 1_000, 1_000_000, .max] {
            for random in [0, 0.25, 0.5, 0.75, 0.999_999_999_999] {
                let delay = policy.delay(afterAttempt: attempt, random: random)
                #expect(bounds.contains(delay), "attempt \(attempt), random \(random): \(delay)")
            }
            #expect(bounds.contains(policy.delay(afterAttempt: attempt)))
        }
    }

    @Test func messagesThatFailTogetherDoNotComeBackTogether() {
        let delays = Set((0..<100).map { _ in policy.delay(afterAttempt: 6) })
        #expect(delays.count > 10)
        #expect(delays.allSatisfy { (.seconds(160)...(.seconds(320))).contains($0) })
    }

    @Test func isPatientUnlessToldOtherwise() {
        #expect(RetryPolicy().maxAttempts == 5)
        #expect(RetryPolicy().delay == .seconds(10)...(.seconds(600)))
    }
}
