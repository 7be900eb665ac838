import Glibc
import TestSupport
import Testing

/// What the two kinds of delivery promise when workers die.
@Suite(.oneLane)
struct DeliveryTests {
    private static let atMostOnce = ["--delivery", "at-most-once"]

    @Test(arguments: QueueKind.allCases)
    func atLeastOnceKeepsTheMessageUntilTheEnd(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let files = try Ledger()
        try await queue.put("kept")
        let worker = try Worker(queue, task: Shell.until(files.path("go")))
        try await worker.waitForTask()
        #expect(try await queue.left() == Left(claimed: 1))
        try files.create("go")
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(try await queue.left() == .nothing)
    }

    /// Where the queue does not: the next worker writes the crash down instead of running the task.
    private func countTheCrash(_ queue: any QueueUnderTest, _ kind: QueueKind) async throws {
        guard !kind.traits.countsLostAttempts else { return }
        let end = try await Worker.run(queue, task: Shell.run("echo ran"))
        #expect(end.status == .exited(75), "\(end.stderr)")
        #expect(end.text == "")
        #expect(end.report?.attempt == 1)
    }

    @Test(arguments: QueueKind.allCases)
    func aKilledWorkersMessageIsRunAgain(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let files = try Ledger()
        try await queue.put("orphan")
        let first = try Worker(queue, ["--lease", "1s"], task: Shell.until(files.path("go")))
        try await first.waitForTask()
        first.process.send(SIGKILL)
        try await first.process.waitForExit()

        try await countTheCrash(queue, kind)
        // Without a lease the message is there at once, or as soon as the broker has seen the connection end.
        let script = #"cat; echo " $SEMEL_ATTEMPT""#
        let second = try await Worker.run(queue, ["--lease", "1s", "--wait", "60s"], task: Shell.run(script))
        #expect(second.status == .exited(0), "\(second.stderr)")
        #expect(second.text == "orphan 2\n")
        #expect(second.report?.attempt == 2)
        #expect(try await queue.left() == .nothing)
        try files.create("go")
    }

    /// KEDA starts a Job for an orphan that nobody can claim yet: it must wait for the lease to end, past `--wait`.
    @Test func aWorkerWaitsForTheLeaseOfAnOrphan() async throws {
        let queue = try await RedisUnderTest("waits-for-lease")
        let files = try Ledger()
        try await queue.put("orphan")
        let first = try Worker(queue, ["--lease", "3s"], task: Shell.until(files.path("go")))
        try await first.waitForTask()
        first.process.send(SIGKILL)
        try await first.process.waitForExit()
        let second = try await Worker.run(queue, ["--wait", "100ms"], task: Shell.succeeding)
        #expect(second.status == .exited(0), "\(second.stderr)")
        #expect(second.text == "orphan")
        #expect(try await queue.left() == .nothing)
        #expect(try await queue.otherKeys() == [])
        try files.create("go")
    }

    /// The lease of a worker that lives is extended for as long as its task runs.
    @Test func aLeaseIsExtended() async throws {
        let queue = try await RedisUnderTest("extended")
        let files = try Ledger()
        try await queue.put("long")
        let first = try Worker(queue, ["--lease", "2s"], task: Shell.until(files.path("go")))
        try await first.waitForTask()
        func leaseEnds() async throws -> Int {
            let first = try await queue.server.command("ZRANGE", queue.key("leases"), "0", "0", "WITHSCORES")
            return first.array?.last?.integer ?? 0
        }
        let atFirst = try await leaseEnds()
        try await eventually(timeout: .seconds(60), "it is extended by more than its length") {
            try await leaseEnds() > atFirst + 2000
        }
        let second = try await Worker.run(queue, ["--wait", "0"], task: Shell.succeeding)
        #expect(second.report?.outcome == "idle")
        try files.create("go")
        let end = try await first.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(try await queue.left() == .nothing)
    }

    /// A crash counts: a message that kills its workers must not do so for ever.
    @Test(arguments: QueueKind.allCases)
    func crashesUseAttemptsUp(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let files = try Ledger()
        try await queue.put("poison")
        let flags = ["--lease", "1s", "--max-attempts", "2", "--wait", "60s"]
        for crash in 1...2 {
            if crash > 1 { try await countTheCrash(queue, kind) }
            let worker = try Worker(queue, flags, task: Shell.until(files.path("go")))
            try await worker.waitForTask()
            worker.process.send(SIGKILL)
            try await worker.process.waitForExit()
        }
        let last = try await Worker.run(queue, flags, task: Shell.run("echo ran"))
        #expect(last.status == .exited(65), "\(last.stderr)")
        #expect(last.text == "")
        #expect(try await queue.left() == Left(dead: 1))
        #expect(try await queue.deadLetter().text == "poison")
        try files.create("go")
    }

    @Test(arguments: QueueKind.allCases, ["0", "60s"])
    func atMostOnceTakesTheMessageOffFirst(_ kind: QueueKind, _ wait: String) async throws {
        let queue = try await kind.make()
        let files = try Ledger()
        try await queue.put("once", "other")
        let worker = try Worker(queue, Self.atMostOnce + ["--wait", wait], task: Shell.until(files.path("go")))
        try await worker.waitForTask()
        #expect(try await queue.left() == Left(ready: 1))
        try files.create("go")
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.report?.attempt == 1)
        #expect(try await queue.left() == Left(ready: 1))
        #expect(try await queue.readyTexts() == ["other"])
    }

    @Test(arguments: QueueKind.allCases)
    func atMostOnceDeadLettersAFailure(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("once")
        let end = try await Worker.run(queue, Self.atMostOnce, task: Shell.failing)
        #expect(end.status == .exited(65), "\(end.stderr)")
        #expect(end.report?.outcome == "dead-lettered")
        #expect(end.report?.taskExit == 3)
        #expect(try await queue.left() == Left(dead: 1))
        let letter = try await queue.deadLetter()
        #expect(letter.text == "once")
        #expect(letter.exit == 3)
    }

    @Test(arguments: QueueKind.allCases)
    func atMostOnceDeadLettersWhatWasStopped(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("once")
        let worker = try Worker(queue, Self.atMostOnce, task: Shell.untilStopped)
        try await worker.waitForTask()
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(143), "\(end.stderr)")
        #expect(try await queue.left() == Left(dead: 1))
        #expect(try await queue.deadLetter().text == "once")
    }

    @Test(arguments: QueueKind.allCases)
    func atMostOnceLosesTheMessageOfAKilledWorker(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let files = try Ledger()
        try await queue.put("lost")
        let flags = Self.atMostOnce + ["--lease", "1s"]
        let first = try Worker(queue, flags, task: Shell.until(files.path("go")))
        try await first.waitForTask()
        first.process.send(SIGKILL)
        try await first.process.waitForExit()
        // Longer than the lease that there would be otherwise.
        for delivery in ["at-most-once", "at-least-once"] {
            let next = try await Worker.run(
                queue, ["--delivery", delivery, "--wait", "2s"], task: Shell.run("echo ran"))
            #expect(next.status == .exited(0), "\(next.stderr)")
            #expect(next.report?.outcome == "idle")
            #expect(next.text == "")
        }
        #expect(try await queue.left() == .nothing)
        try files.create("go")
    }
}
