import TestSupport
import Testing

/// `semelctl queue --json` counts what the broker's own tools count, and touches nothing.
@Suite(.oneLane)
struct QueueCountTests {
    @Test(arguments: QueueKind.allCases)
    func agreesWithTheBroker(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let files = try Ledger()
        try await queue.put("fails", "is rejected", "runs", "waits", "waits, too")
        let failed = try await Worker.run(queue, ["--retry-delay", "1h"], task: Shell.failing)
        #expect(failed.status == .exited(75), "\(failed.stderr)")
        let rejected = try await Worker.run(queue, task: Shell.rejecting)
        #expect(rejected.status == .exited(65), "\(rejected.stderr)")
        let running = try Worker(queue, task: Shell.until(files.path("go")))
        try await running.waitForTask()

        #expect(try await queue.left() == Left(ready: 2, claimed: 1, delayed: 1, dead: 1))
        let counts = try await Semelctl.counts(queue)
        #expect(counts.claimed == (kind.traits.tellsClaimed ? 1 : nil))
        #expect(counts.ready == 2)
        #expect(counts.delayed == 1)
        #expect(counts.dead == 1)

        try files.create("go")
        #expect(try await running.end().status == .exited(0))
        #expect(try await queue.left() == Left(ready: 2, delayed: 1, dead: 1))
        let next = try await Worker.run(queue, task: Shell.succeeding)
        #expect(next.text == "waits")
        #expect(next.report?.attempt == 1)
    }
}
