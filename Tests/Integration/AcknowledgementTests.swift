import TestSupport
import Testing

/// The exit code is known to be true before the exit: the broker has the settlement in that moment, not soon after.
@Suite(.oneLane)
struct AcknowledgementTests {
    @Test(arguments: QueueKind.allCases)
    func isKnownBeforeTheExit(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        for round in 1...30 {
            try await queue.put("message \(round)")
            let wait = round.isMultiple(of: 2) ? "0" : "30s"
            let end = try await Worker.run(queue, ["--wait", wait], task: Shell.succeeding)
            let left = try await queue.left()
            #expect(left == .nothing, "round \(round)")
            #expect(end.status == .exited(0), "\(end.stderr)")
            #expect(end.text == "message \(round)")
        }
    }

    /// The same for the other ends: what the exit code says has happened to the message has happened.
    @Test(arguments: QueueKind.allCases)
    func otherSettlementsAreKnown(_ kind: QueueKind) async throws {
        for _ in 1...5 {
            let queue = try await kind.make()
            try await queue.put("1")
            let retried = try await Worker.run(queue, ["--retry-delay", "1h"], task: Shell.failing)
            #expect(try await queue.left() == Left(delayed: 1), "\(retried.stderr)")
            try await queue.put("2")
            let rejected = try await Worker.run(queue, task: Shell.rejecting)
            #expect(try await queue.left() == Left(delayed: 1, dead: 1), "\(rejected.stderr)")
        }
    }
}
