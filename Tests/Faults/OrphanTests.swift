import Glibc
import TestSupport
import Testing

/// A message whose worker died while nobody else was alive: whoever starts later takes care of it.
@Suite(.throttled)
struct OrphanTests {
    /// Its place in the queue was before the others'.
    @Test(arguments: [Kind.spool, .redis])
    func comesBeforeWhatIsReady(_ kind: Kind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        try await queue.put("a", "b", "c")
        let first = try Worker(queue, task: notes.held())
        try await first.waitForTask()
        try await first.kill()
        if let redis = queue as? RedisFaultQueue {
            try await eventually("its lease ends") { try await redis.leaseIsOver() }
        }
        try await Worker.run(queue, task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        try await Worker.run(queue, task: notes.at(once: 0)).expect(0, "completed", attempt: 1)
        #expect(notes.runs == ["a 1", "a 2", "b 1"])
        #expect(try await queue.ready() == ["c"])
    }

    /// KEDA counts leases: this may be the Job that was started for the orphan.
    @Test func isWaitedForBeyondTheWait() async throws {
        let queue = try await RedisFaultQueue(on: .shared())
        let notes = try Notes()
        try await queue.put("m")
        let first = try Worker(queue, ["--lease", "4s"], task: notes.held())
        try await first.waitForTask()
        try await first.kill()
        try await Worker.run(queue, ["--wait", "100ms"], task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        #expect(notes.runs == ["m 1", "m 2"])
        try await queue.waitUntilLeft(.nothing)
    }

    /// A lease that was extended meanwhile belongs to the living.
    @Test func isNotWaitedForWhileItsWorkerLives() async throws {
        let queue = try await RedisFaultQueue(on: .shared())
        let notes = try Notes()
        try await queue.put("m")
        let first = try Worker(queue, ["--lease", "3s"], task: notes.held())
        try await first.waitForTask()
        let second = try await Worker.run(queue, ["--wait", "100ms"], task: notes.at(once: 0))
        second.expect(0, "idle")
        #expect(second.elapsed < .seconds(20))
        try notes.allow()
        try await first.end().expect(0, "completed", attempt: 1)
        #expect(notes.runs == ["m 1"])
    }

    @Test func isNotWaitedForWithoutAWait() async throws {
        let queue = try await RedisFaultQueue(on: .shared())
        let notes = try Notes()
        try await queue.put("m")
        let first = try Worker(queue, ["--lease", "5m"], task: notes.held())
        try await first.waitForTask()
        try await first.kill()
        let second = try await Worker.run(queue, ["--wait", "0"], task: notes.at(once: 0))
        second.expect(0, "idle")
        try await queue.waitUntilLeft(.oneClaimed)
    }
}
