import Glibc
import TestSupport
import Testing

/// A message whose worker died while nobody else was alive: whoever starts later takes care of it.
@Suite(.throttled)
struct OrphanTests {
    /// Its place in the queue was before the others'.
    @Test(arguments: QueueKind.allCases.filter(\.traits.orphansComeFirst))
    func comesBeforeWhatIsReady(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        try await queue.put("a", "b", "c")
        let first = try Worker(queue, task: notes.held())
        try await first.waitForTask()
        try await first.kill()
        if let redis = queue as? RedisUnderTest {
            try await eventually("its lease ends") { try await redis.leaseIsOver() }
        }
        try await Worker.run(queue, task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        try await Worker.run(queue, task: notes.at(once: 0)).expect(0, "completed", attempt: 1)
        #expect(notes.runs == ["a 1", "a 2", "b 1"])
        #expect(try await queue.readyTexts() == ["c"])
    }

    /// KEDA counts leases: this may be the Job that was started for the orphan.
    @Test func isWaitedForBeyondTheWait() async throws {
        let queue = try await RedisUnderTest()
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
        let queue = try await RedisUnderTest()
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

    /// As many workers as there are retries to come: each of them gets one, and none goes for nothing.
    @Test func eachWaitsForOne() async throws {
        let queue = try await RedisUnderTest()
        let notes = try Notes()
        for (index, delay) in ["1s", "3s", "5s"].enumerated() {
            try await queue.put("\(index)")
            try await Worker.run(queue, ["--retry-delay", "\(delay)..\(delay)"], task: notes.at(once: 3))
                .expect(75, "retry", attempt: 1)
        }
        let workers = try (0..<3).map { _ in try Worker(queue, ["--wait", "100ms"], task: notes.at(once: 0)) }
        for worker in workers { try await worker.end().expect(0, "completed", attempt: 2) }
        try await queue.waitUntilLeft(.nothing)
    }

    @Test func isNotWaitedForWithoutAWait() async throws {
        let queue = try await RedisUnderTest()
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
