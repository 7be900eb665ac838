import TestSupport
import Testing

/// Exit 0: the task succeeded, or there was nothing to do.
@Suite(.oneLane)
struct ExitSuccessTests {
    @Test(arguments: QueueKind.allCases)
    func completed(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a message")
        let end = try await Worker.run(queue, task: Shell.run("cat; sleep 0.1"))
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == "a message")
        #expect(try await queue.left() == .nothing)

        let report = try #require(end.report)
        #expect(report.outcome == "completed")
        #expect(report.messageId?.isEmpty == false)
        #expect(report.attempt == 1)
        #expect(report.taskExit == 0)
        #expect((0.1..<90).contains(report.seconds))
        #expect(report.reason == nil)
    }

    @Test(arguments: QueueKind.allCases, ["0", "200ms"])
    func idle(_ kind: QueueKind, _ wait: String) async throws {
        let queue = try await kind.make()
        let end = try await Worker.run(queue, ["--wait", wait], task: Shell.run("echo ran"))
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == "")
        #expect(try await queue.left() == .nothing)

        let report = try #require(end.report)
        #expect(report.outcome == "idle")
        #expect(report.messageId == nil)
        #expect(report.attempt == nil)
        #expect(report.taskExit == nil)
        #expect(report.seconds == 0)
    }

    /// A wait that is over before the broker has answered is a wait all the same: RabbitMQ ends a connection with an
    /// internal error whose consumer is cancelled before it has begun.
    @Test(arguments: QueueKind.allCases)
    func idleAfterHardlyAnyWait(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        for _ in 1...10 {
            let end = try await Worker.run(queue, ["--wait", "1ms"], task: Shell.run("echo ran"))
            #expect(end.status == .exited(0), "\(end.stderr)")
            #expect(end.report?.outcome == "idle")
        }
    }

    @Test(arguments: QueueKind.allCases)
    func takesWhatIsThereWithoutWaiting(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("here")
        let end = try await Worker.run(queue, ["--wait", "0"], task: Shell.succeeding)
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.report?.outcome == "completed")
        #expect(end.text == "here")
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases, ["60s", "forever"])
    func isWokenByAMessage(_ kind: QueueKind, _ wait: String) async throws {
        let queue = try await kind.make()
        let worker = try Worker(queue, ["--wait", wait], task: Shell.succeeding)
        try await queue.waitUntilAwaited(by: worker)
        try await queue.put("late")
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == "late")
        #expect(try await queue.left() == .nothing)
    }

    /// First come, first served, as far as there is one worker.
    @Test(arguments: QueueKind.allCases)
    func keepsTheOrder(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("1", "2", "3")
        for expected in ["1", "2", "3"] {
            let end = try await Worker.run(queue, task: Shell.succeeding)
            #expect(end.status == .exited(0), "\(end.stderr)")
            #expect(end.text == expected)
        }
        #expect(try await queue.left() == .nothing)
    }
}
