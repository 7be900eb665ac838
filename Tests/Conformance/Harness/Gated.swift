import TestSupport
import Testing

/// Lets only so many test cases run at once, so that a small machine keeps the short leases of all of them.
struct Gated: TestTrait, SuiteTrait, TestScoping {
    private static let gate = Gate(places: 12)

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Self.gate.pass(1, function)
    }
}

extension Trait where Self == Gated {
    static var gated: Gated { Gated() }
}
