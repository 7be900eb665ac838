import Glibc
import TestSupport
import Testing

/// The worker is killed, as by a kernel without memory or a machine without power, in each of its states.
@Suite(.throttled)
struct WorkerKilledTests {
    @Test(arguments: QueueKind.allCases)
    func beforeTheClaim(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        let worker = try Worker(queue, task: notes.at(once: 0))
        try await queue.waitUntilAwaited(by: worker)
        try await worker.kill()
        try await queue.put("m")
        try await Worker.run(queue, task: notes.at(once: 0)).expect(0, "completed", attempt: 1)
        #expect(notes.runs == ["m 1"])
        try await queue.waitUntilLeft(.nothing)
    }

    /// Its process is there, and has not become the task.
    @Test(arguments: QueueKind.allCases)
    func betweenClaimAndTask(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        try await queue.put("m")
        let task = try HeldExecutable(notes.at(once: 0))
        let worker = try Worker(queue, task: task.command)
        try await task.waitUntilWanted()
        try await queue.waitUntilLeft(.oneClaimed)
        try await worker.kill()
        task.release()
        try await queue.nextAttempt(task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        #expect(notes.runs == ["m 2"])
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func whileTheTaskRuns(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, task: notes.held())
        try await worker.waitForTask()
        try await queue.waitUntilLeft(.oneClaimed)
        let task = try #require(worker.taskProcess)
        try await worker.kill()
        try await eventually("nothing of the task survives") { Glibc.kill(task, 0) != 0 }
        try notes.allow()
        try await queue.nextAttempt(task: notes.held()).expect(0, "completed", attempt: 2)
        #expect(notes.runs == ["m 1", "m 2"])
        try await queue.waitUntilLeft(.nothing)
    }

    /// The task has ended and nobody was told: its work is done again.
    @Test(arguments: QueueKind.allCases)
    func betweenTaskAndSettlement(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, task: notes.held())
        try await worker.waitForTask()
        let task = try #require(worker.taskProcess)
        try await worker.pause()
        try notes.allow()
        try await eventually("the task ends") { ProcessState.isZombie(task) }
        try await worker.kill()
        try await queue.nextAttempt(task: notes.held()).expect(0, "completed", attempt: 2)
        #expect(notes.runs == ["m 1", "m 2"])
        try await queue.waitUntilLeft(.nothing)
    }

    /// The settlement is on its way and never arrives.
    @Test(arguments: QueueKind.remote, [0, 3, 65])
    func whileItSettles(_ kind: QueueKind, _ status: Int) async throws {
        let queue = try await kind.make()
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, through: proxy, task: notes.held(exit: status))
        try await worker.waitForTask()
        await proxy.freeze()
        try notes.allow()
        try await worker.waitUntilSettling()
        try await worker.kill()
        await proxy.cut()
        try await queue.nextAttempt(task: notes.held()).expect(0, "completed", attempt: 2)
        #expect(notes.runs == ["m 1", "m 2"])
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func betweenSettlementAndExit(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, ["--linger", "1h"], task: notes.at(once: 0))
        try await worker.waitForLog("completed")
        try await worker.kill()
        try await Worker.run(queue, ["--wait", "0"], task: notes.at(once: 0)).expect(0, "idle")
        #expect(notes.runs == ["m 1"])
        try await queue.waitUntilLeft(.nothing)
    }
}

/// A message that kills every worker.
@Suite(.throttled)
struct PoisonTests {
    @Test(arguments: QueueKind.allCases)
    func endsInTheDeadLetters(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        try await queue.put("poison")
        var statuses: [TestSupport.ExitStatus] = []
        var last: WorkerEnd?
        while statuses.count < 8, statuses.last != .exited(65) {
            last = try await Worker.run(queue, ["--max-attempts", "2"], task: notes.poison)
            statuses.append(try #require(last?.status))
        }
        let killed = TestSupport.ExitStatus.signalled(SIGKILL)
        #expect(
            statuses
                == (kind.traits.countsLostAttempts
                    ? [killed, killed, .exited(65)] : [killed, .exited(75), killed, .exited(65)]))
        last?.expect(65, "dead-lettered", saying: "ended without a settlement")
        #expect(notes.runs == ["poison 1", "poison 2"])
        let letter = try await queue.deadLetter()
        #expect(letter.text == "poison")
        #expect(letter.attempts == 2)
        #expect(letter.reason?.contains("ended without a settlement") == true, "\(letter)")
        try await queue.waitUntilLeft(.oneDead)
    }
}

/// What takes up an attempt, and what does not.
@Suite(.throttled)
struct AttemptTests {
    @Test(arguments: QueueKind.allCases)
    func aCrashCountsAndAReleaseDoesNot(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        try await queue.put("m")
        try await stopped(queue, notes, attempt: 1)
        try await Worker.run(queue, task: notes.at(once: 3)).expect(75, "retry", attempt: 1, saying: "exited with 3")
        let second = try Worker(queue, task: notes.held())
        try await second.waitForTask()
        try await second.kill()
        if !kind.traits.countsLostAttempts {
            try await Worker.run(queue, task: notes.held())
                .expect(75, "retry", attempt: 2, saying: "ended without a settlement")
        }
        try await stopped(queue, notes, attempt: 3)
        try await stopped(queue, notes, attempt: 3)
        try await Worker.run(queue, task: notes.at(once: 0)).expect(0, "completed", attempt: 3)
        #expect(notes.runs == ["m 1", "m 1", "m 2", "m 3", "m 3", "m 3"])
        try await queue.waitUntilLeft(.nothing)
    }

    private func stopped(_ queue: any QueueUnderTest, _ notes: Notes, attempt: Int) async throws {
        let worker = try Worker(queue, task: notes.held())
        try await worker.waitForTask()
        worker.process.send(SIGTERM)
        try await worker.end().expect(143, "terminated", attempt: attempt, saying: "SIGTERM")
    }
}

/// At most once: what a crash does then is lose the message, and never run it twice.
@Suite(.throttled)
struct AtMostOnceTests {
    private let flags = ["--delivery", "at-most-once"]

    @Test(arguments: QueueKind.allCases)
    func aCrashLosesTheMessage(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, flags, task: notes.held())
        try await worker.waitForTask()
        try await queue.waitUntilLeft(.nothing)
        try await worker.kill()
        try await Worker.run(queue, flags + ["--wait", "3s"], task: notes.at(once: 0)).expect(0, "idle")
        #expect(notes.runs == ["m 1"])
        try await queue.waitUntilLeft(.nothing)
    }

    /// What another worker had may have run, so it does not run again, and does not stay for ever either.
    @Test(arguments: QueueKind.allCases)
    func doesNotRunWhatMayHaveRun(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, task: notes.held())
        try await worker.waitForTask()
        try await worker.kill()
        try await Worker.run(queue, flags, task: notes.at(once: 0))
            .expect(65, "dead-lettered", saying: "at most once", "may have run")
        #expect(notes.runs == ["m 1"])
        try await queue.waitUntilLeft(.oneDead)
    }

    /// What is left to tell is told on another connection.
    @Test(arguments: [(0, "completed", 0), (65, "dead-lettered", 1)])
    func redisIsToldAfterAnOutage(_ status: Int, _ outcome: String, _ dead: Int) async throws {
        let queue = try await RedisUnderTest()
        let proxy = try queue.proxy()
        let notes = try Notes()
        let id = "order 17"
        let named = try await run(
            .semelctl, ["enqueue", "--id", id], environment: ["SEMEL_QUEUE": queue.url(through: nil)],
            input: Array("m".utf8))
        #expect(named.status == .exited(0), "\(named)")
        let worker = try Worker(
            queue, flags + ["--result", "stdout", "--lease", "30s"], through: proxy, task: notes.held(exit: status))
        try await worker.waitForTask()
        try await proxy.refuse(true)
        await proxy.cut()
        try notes.allow()
        try await worker.waitForLog("could not settle, trying again")
        try await proxy.refuse(false)
        try await worker.end().expect(Int32(status), outcome, attempt: 1)
        try await queue.waitUntilLeft(Left(dead: dead))
        let result = try await queue.server.command("GET", "{\(queue.list)}:result:\(id)").text
        #expect(result == (status == 0 ? "\(Shell.started)\n" : nil))
        // An id that nobody waits for any more is no longer kept.
        #expect(try await queue.server.command("ZCARD", queue.key("named")).integer == 0)
    }

    /// The queue has been told everything already.
    @Test(arguments: QueueKind.remote)
    func aCutDoesNotMatter(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, flags, through: proxy, task: notes.held())
        try await worker.waitForTask()
        await proxy.cut()
        try notes.allow()
        try await worker.end().expect(0, "completed", attempt: 1)
        #expect(notes.runs == ["m 1"])
        try await queue.waitUntilLeft(.nothing)
    }
}
