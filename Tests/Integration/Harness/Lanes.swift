import TestSupport
import Testing

/// Lets only so many test cases run at once: each starts processes, and a small machine that runs hundreds of them at
/// the same time finishes none in time.
struct Lanes: TestTrait, SuiteTrait, TestScoping {
    fileprivate static let all = 6
    private static let gate = Gate(places: all)

    /// How many of the lanes a test case takes.
    fileprivate let count: Int

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Self.gate.pass(count, function)
    }
}

extension Trait where Self == Lanes {
    /// Beside a few others.
    static var oneLane: Lanes { Lanes(count: 1) }
    /// With the machine to itself.
    static var allLanes: Lanes { Lanes(count: Lanes.all) }
}
