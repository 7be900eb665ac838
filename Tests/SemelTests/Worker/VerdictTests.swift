import Semel
import Testing

/// The whole table: every result × interruption × attempt × delivery.
@Suite struct VerdictTests {
    private static let policy = RetryPolicy(maxAttempts: 3)

    private enum Result: CaseIterable {
        case succeeded, failed, rejected, unstartable

        var value: TaskResult {
            switch self {
            case .succeeded: .succeeded(result: nil)
            case .failed: .failed(TaskFailure(reason: "it failed", exit: 7))
            case .rejected: .rejected(TaskFailure(reason: "it was rejected", exit: 65))
            case .unstartable: .unstartable("no such file")
            }
        }

        var exit: Int32? {
            switch self {
            case .succeeded: 0
            case .failed: 7
            case .rejected: 65
            case .unstartable: nil
            }
        }
    }

    private func verdict(
        _ result: Result, _ interruption: Interruption? = nil, attempt: Int = 1,
        delivery: ClaimRequest.Delivery = .atLeastOnce
    ) -> Verdict {
        Verdict(result.value, interruption: interruption, attempt: attempt, policy: Self.policy, delivery: delivery)
    }

    private func expect(
        _ verdict: Verdict, _ outcome: Outcome, _ fate: Verdict.Fate, _ reason: String?, exit: Int32?,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(verdict.outcome == outcome, sourceLocation: sourceLocation)
        #expect(verdict.fate == fate, sourceLocation: sourceLocation)
        #expect(verdict.reason == reason, sourceLocation: sourceLocation)
        #expect(verdict.exit == exit, sourceLocation: sourceLocation)
    }

    @Test(arguments: [1, 2, 3, 4], ClaimRequest.Delivery.allCases)
    func success(attempt: Int, delivery: ClaimRequest.Delivery) {
        let verdict = verdict(.succeeded, attempt: attempt, delivery: delivery)
        expect(verdict, .completed, .complete, nil, exit: 0)
    }

    @Test(arguments: [1, 2, 3, 4], ClaimRequest.Delivery.allCases)
    func rejection(attempt: Int, delivery: ClaimRequest.Delivery) {
        let verdict = verdict(.rejected, attempt: attempt, delivery: delivery)
        expect(verdict, .deadLettered, .deadLetter, "it was rejected", exit: 65)
    }

    @Test func failure() {
        expect(verdict(.failed, attempt: 1), .retry, .retry, "it failed", exit: 7)
        expect(verdict(.failed, attempt: 2), .retry, .retry, "it failed", exit: 7)
        expect(verdict(.failed, attempt: 3), .deadLettered, .deadLetter, "it failed; attempt 3 of 3", exit: 7)
        expect(verdict(.failed, attempt: 4), .deadLettered, .deadLetter, "it failed; attempt 4 of 3", exit: 7)
    }

    @Test(arguments: [1, 2, 3, 4])
    func failureThatMayNotRunAgain(attempt: Int) {
        let verdict = verdict(.failed, attempt: attempt, delivery: .atMostOnce)
        expect(verdict, .deadLettered, .deadLetter, "it failed", exit: 7)
    }

    @Test(arguments: [1, 3, 4])
    func commandThatCannotBeRun(attempt: Int) {
        expect(verdict(.unstartable, attempt: attempt), .misconfigured, .release, "no such file", exit: nil)
        expect(
            verdict(.unstartable, attempt: attempt, delivery: .atMostOnce), .misconfigured, .deadLetter, "no such file",
            exit: nil)
    }

    /// Whatever the task answers to a SIGTERM: it was stopped, and its work is somebody else's to finish.
    @Test(arguments: [1, 2, 3, 4])
    func stopped(attempt: Int) {
        for result in Result.allCases {
            expect(
                verdict(result, .stop(.terminate), attempt: attempt), .terminated, .release, "stopped by SIGTERM",
                exit: result.exit)
            expect(
                verdict(result, .stop(.interrupt), attempt: attempt), .interrupted, .release, "stopped by SIGINT",
                exit: result.exit)
            expect(
                verdict(result, .stop(.terminate), attempt: attempt, delivery: .atMostOnce), .terminated, .deadLetter,
                "stopped by SIGTERM", exit: result.exit)
            expect(
                verdict(result, .stop(.interrupt), attempt: attempt, delivery: .atMostOnce), .interrupted, .deadLetter,
                "stopped by SIGINT", exit: result.exit)
        }
    }

    @Test(arguments: [1, 2, 3, 4], ClaimRequest.Delivery.allCases)
    func lost(attempt: Int, delivery: ClaimRequest.Delivery) {
        for result in Result.allCases {
            let reason = "the lease is over"
            expect(
                verdict(result, .lost(ClaimLoss(reason)), attempt: attempt, delivery: delivery), .lost,
                Verdict.Fate.none, result == .succeeded ? "the settlement did not count: \(reason)" : reason,
                exit: result.exit)
        }
    }

    @Test(arguments: [1, 2, 3, 4], ClaimRequest.Delivery.allCases)
    func timedOut(attempt: Int, delivery: ClaimRequest.Delivery) {
        let again = delivery == .atLeastOnce && attempt < 3
        for result in Result.allCases {
            expect(
                verdict(result, .timedOut(after: .seconds(90)), attempt: attempt, delivery: delivery), .timedOut,
                again ? .retry : .deadLetter, "ran past the timeout of 90s", exit: result.exit)
        }
    }

    @Test func aSingleAttempt() {
        let verdict = Verdict(
            Result.failed.value, interruption: nil, attempt: 1, policy: RetryPolicy(maxAttempts: 1),
            delivery: .atLeastOnce)
        expect(verdict, .deadLettered, .deadLetter, "it failed; attempt 1 of 1", exit: 7)
    }
}
