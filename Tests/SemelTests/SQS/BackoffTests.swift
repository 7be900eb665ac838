import Testing

@testable import SemelSQS

@Suite struct BackoffTests {
    private func waits(_ backoff: Backoff) -> [Duration] {
        var backoff = backoff
        return (0..<8).map { _ in backoff.next() }
    }

    /// Up to 100 ms, 200 ms, 400 ms and so on to 2 s, and no less than half of it.
    @Test func growsToItsEnd() {
        for wait in (1...100).map({ _ in waits(Backoff()) }) {
            for (turn, wait) in wait.enumerated() {
                let most = min(Duration.milliseconds(100) * (1 << turn), .seconds(2))
                #expect(wait >= most / 2 && wait <= most, "\(wait) at turn \(turn)")
            }
        }
    }

    /// Workers that are turned away together do not come back together.
    @Test func noTwoAreTheSame() {
        let many = (1...100).map { _ in waits(Backoff()) }
        for turn in 0..<8 { #expect(Set(many.map { $0[turn] }).count > 90) }
    }

    /// However short the lease is, there are some attempts in it.
    @Test(arguments: [1, 3, 30, 600]) func withinALease(_ seconds: Int) {
        let lease = Duration.seconds(seconds)
        #expect(waits(Backoff(within: lease)).allSatisfy { $0 <= lease / 10 && $0 <= .seconds(2) })
    }
}
