import Glibc
import TestSupport
import Testing

/// A worker that stands still (SIGSTOP, a paused machine) for longer than its claim lasts: it finds out before it
/// settles, and does not settle.
@Suite(.throttled)
struct WorkerPausedTests {
    /// Where a claim lasts as long as the process a pause does no harm.
    @Test func onASpoolItKeepsItsClaim() async throws {
        let queue = try SpoolUnderTest()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, task: notes.held())
        try await worker.waitForTask()
        try await worker.pause()
        try await Worker.run(queue, ["--wait", "2s"], task: notes.at(once: 0)).expect(0, "idle")
        try notes.allow()
        worker.process.send(SIGCONT)
        try await worker.end().expect(0, "completed", attempt: 1)
        #expect(notes.runs == ["m 1"])
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.remote)
    func longerThanItsClaimWhileTheTaskRuns(_ kind: QueueKind) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", "1s"], task: notes.held())
        try await worker.waitForTask()
        try await worker.pause()
        let others = try Notes()
        try await queue.nextAttempt(task: others.at(once: 0)).expect(0, "completed", attempt: 2)
        worker.process.send(SIGCONT)
        try await worker.end().expect(76, "lost", attempt: 1)
        #expect(notes.runs == ["m 1"])
        #expect(others.runs == ["m 2"])
        try await queue.waitUntilLeft(.nothing)
    }

    /// Its task ends during the pause: the settlement is the first thing that it does afterwards.
    @Test(arguments: QueueKind.remote, [0, 3, 65])
    func longerThanItsClaimWhileTheTaskEnds(_ kind: QueueKind, _ status: Int) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", "1s"], task: notes.held(exit: status))
        try await worker.waitForTask()
        let task = try #require(worker.taskProcess)
        try await worker.pause()
        try notes.allow()
        try await eventually("the task ends") { ProcessState.isZombie(task) }
        // Another worker has the message in that moment.
        let others = try Notes()
        let other = try await queue.holder(others)
        worker.process.send(SIGCONT)
        try await worker.end().expect(76, "lost", attempt: 1)
        try await queue.waitUntilLeft(.oneClaimed)
        try others.allow()
        try await other.end().expect(0, "completed", attempt: 2)
        #expect(notes.runs == ["m 1"])
        #expect(others.runs == ["m 2"])
        try await queue.waitUntilLeft(.nothing)
    }

    /// Two of them, neither of which has the message any more.
    @Test(arguments: QueueKind.remote.filter(\.traits.countsLostAttempts))
    func twoWithTheSameStaleClaim(_ kind: QueueKind) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        try await queue.put("m")
        var stale: [Worker] = []
        for _ in 1...2 {
            let notes = try Notes()
            let worker = try Worker(queue, ["--lease", "1s"], task: notes.held())
            try await worker.waitForTask()
            let task = try #require(worker.taskProcess)
            try await worker.pause()
            try notes.allow()
            try await eventually("the task ends") { ProcessState.isZombie(task) }
            stale.append(worker)
        }
        let notes = try Notes()
        let third = try Worker(queue, ["--lease", "10s"], task: notes.held())
        try await third.waitForTask()
        for worker in stale { worker.process.send(SIGCONT) }
        for (index, worker) in stale.enumerated() {
            try await worker.end().expect(76, "lost", attempt: index + 1)
        }
        try await queue.waitUntilLeft(.oneClaimed)
        try notes.allow()
        try await third.end().expect(0, "completed", attempt: 3)
        try await queue.waitUntilLeft(.nothing)
    }

    /// A release does not use up the attempt, so the next worker's has the same number. The answer to the release is
    /// lost; the worker asks again, which must not take the message away from the next one.
    @Test func aReleaseThatIsRepeated() async throws {
        let queue = try await RedisUnderTest()
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        try await Worker.run(queue, task: notes.at(once: 3)).expect(75, "retry", attempt: 1)
        let first = try Worker(queue, ["--lease", "9s"], through: proxy, task: notes.held())
        try await first.waitForTask()
        await proxy.delay(.milliseconds(700))
        first.process.send(SIGTERM)
        try await eventually("the release is there") { try await queue.left().delayed == 1 }
        await proxy.freeze()
        let others = try Notes()
        let second = try Worker(queue, ["--lease", "9s"], task: others.held())
        try await second.waitForTask()
        await proxy.cut()
        await proxy.delay(.zero)
        await proxy.thaw()
        try await first.end().expect(143, "terminated", attempt: 2)
        try await queue.waitUntilLeft(.oneClaimed)
        try others.allow()
        try await second.end().expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }
}

extension QueueUnderTest {
    /// A worker that has the second attempt and holds it.
    fileprivate func holder(_ notes: Notes) async throws -> Worker {
        if !kind.traits.countsLostAttempts {
            try await Worker.run(self, task: notes.held()).expect(75, "retry", attempt: 1)
        }
        let worker = try Worker(self, ["--lease", "10s"], task: notes.held())
        try await worker.waitForTask()
        return worker
    }
}
