import TestSupport
import Testing

/// Exit 75 and 124: the task failed or took too long, and another attempt is due.
@Suite(.oneLane)
struct ExitRetryTests {
    @Test(arguments: QueueKind.allCases)
    func aFailureDelaysTheMessage(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("not now")
        let end = try await Worker.run(queue, ["--retry-delay", "1h..2h"], task: Shell.failing)
        #expect(end.status == .exited(75), "\(end.stderr)")
        #expect(try await queue.left() == Left(delayed: 1))

        let report = try #require(end.report)
        #expect(report.outcome == "retry")
        #expect(report.attempt == 1)
        #expect(report.taskExit == 3)
        #expect(report.reason?.contains("exited with 3") == true)
    }

    @Test(arguments: QueueKind.allCases)
    func aDelayedMessageIsClaimedAgain(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("again")
        let first = try await Worker.run(queue, ["--retry-delay", "500ms"], task: Shell.failing)
        #expect(first.status == .exited(75), "\(first.stderr)")

        let script = #"cat; echo " in attempt $SEMEL_ATTEMPT of $SEMEL_MAX_ATTEMPTS""#
        let second = try await Worker.run(queue, ["--max-attempts", "7"], task: Shell.run(script))
        #expect(second.status == .exited(0), "\(second.stderr)")
        #expect(second.text == "again in attempt 2 of 7\n")
        #expect(second.report?.attempt == 2)
        #expect(try await queue.left() == .nothing)
    }

    /// A delayed message is nobody's yet; the one behind it is not held up.
    @Test(arguments: QueueKind.allCases)
    func aDelayedMessageLetsOthersPass(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("first", "second")
        let first = try await Worker.run(queue, ["--retry-delay", "1h"], task: Shell.failing)
        #expect(first.status == .exited(75), "\(first.stderr)")
        let second = try await Worker.run(queue, task: Shell.succeeding)
        #expect(second.status == .exited(0), "\(second.stderr)")
        #expect(second.text == "second")
        let third = try await Worker.run(queue, ["--wait", "0"], task: Shell.succeeding)
        #expect(third.report?.outcome == "idle")
        #expect(try await queue.left() == Left(delayed: 1))
    }

    @Test(arguments: QueueKind.allCases)
    func deathByASignalIsAFailure(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("crash")
        let end = try await Worker.run(queue, ["--retry-delay", "1h"], task: Shell.run("kill -KILL $$"))
        #expect(end.status == .exited(75), "\(end.stderr)")
        #expect(end.report?.taskExit == 137)
        #expect(end.report?.reason?.contains("SIGKILL") == true)
        #expect(try await queue.left() == Left(delayed: 1))
    }

    @Test(arguments: QueueKind.allCases)
    func theTimeoutStopsTheTask(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("slow")
        let flags = ["--timeout", "300ms", "--retry-delay", "1h"]
        let end = try await Worker.run(queue, flags, task: Shell.untilStopped)
        #expect(end.status == .exited(124), "\(end.stderr)")
        #expect(try await queue.left() == Left(delayed: 1))

        let report = try #require(end.report)
        #expect(report.outcome == "timed-out")
        #expect(report.attempt == 1)
        #expect(report.taskExit == 143)
        #expect(report.seconds >= 0.3)
        #expect(report.reason?.contains("300ms") == true)
    }

    @Test(arguments: QueueKind.allCases)
    func theTimeoutOfTheLastAttemptDeadLetters(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("too slow")
        let flags = ["--timeout", "300ms", "--max-attempts", "2"]
        for attempt in 1...2 {
            let end = try await Worker.run(queue, flags, task: Shell.untilStopped)
            #expect(end.status == .exited(124), "\(end.stderr)")
            #expect(end.report?.attempt == attempt)
        }
        #expect(try await queue.left() == Left(dead: 1))
        let letter = try await queue.deadLetter()
        #expect(letter.text == "too slow")
        #expect(letter.attempts == 2)
        #expect(letter.reason?.contains("timeout") == true)
    }

    /// What a task that ends well in time has to say counts, however close it is.
    @Test(arguments: QueueKind.allCases)
    func theTimeoutIsTheTasks(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("quick")
        let script = #"test -n "$SEMEL_DEADLINE" && cat"#
        let end = try await Worker.run(queue, ["--timeout", "60s"], task: Shell.run(script))
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == "quick")
        #expect(try await queue.left() == .nothing)
    }
}
