import TestSupport
import Testing

/// Lets only so many test cases run at once. Most of them wait for a lease or a heartbeat to end, so it may be more than
/// a small machine could otherwise bear.
struct Throttle: TestTrait, SuiteTrait, TestScoping {
    private static let gate = Gate(places: 10)

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Self.gate.pass(1, function)
    }
}

extension Trait where Self == Throttle {
    static var throttled: Throttle { Throttle() }
}
