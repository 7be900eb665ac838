import Glibc
import TestSupport
import Testing

/// Exit 143 and 130: somebody wants the worker to end.
@Suite(.oneLane)
struct ExitSignalTests {
    struct Stop: CustomTestStringConvertible {
        let signal: Int32
        let code: Int32
        let outcome: String
        let testDescription: String

        static let all = [
            Stop(signal: SIGTERM, code: 143, outcome: "terminated", testDescription: "SIGTERM"),
            Stop(signal: SIGINT, code: 130, outcome: "interrupted", testDescription: "SIGINT"),
        ]
    }

    @Test(arguments: QueueKind.allCases, Stop.all)
    func whileTheTaskRuns(_ kind: QueueKind, _ stop: Stop) async throws {
        let queue = try await kind.make()
        try await queue.put("unfinished")
        let worker = try Worker(queue, task: Shell.untilStopped)
        try await worker.waitForTask()
        #expect(try await queue.left() == Left(claimed: 1))
        worker.process.send(stop.signal)
        let end = try await worker.end()
        #expect(end.status == .exited(stop.code), "\(end.stderr)")

        let report = try #require(end.report)
        #expect(report.outcome == stop.outcome)
        #expect(report.attempt == 1)
        #expect(report.taskExit == 143)
        #expect(report.reason?.contains(stop.testDescription) == true)

        // Released: at once, and as if it had never been claimed.
        try await eventually("it is back") { try await queue.left() == Left(ready: 1) }
        let next = try await Worker.run(queue, task: Shell.run(#"cat; echo " $SEMEL_ATTEMPT""#))
        #expect(next.status == .exited(0), "\(next.stderr)")
        #expect(next.text == "unfinished 1\n")
        #expect(try await queue.left() == .nothing)
    }

    /// Also a second attempt is not used up by being stopped.
    @Test(arguments: QueueKind.allCases)
    func whileALaterAttemptRuns(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("unlucky")
        let first = try await Worker.run(queue, task: Shell.failing)
        #expect(first.status == .exited(75), "\(first.stderr)")
        let second = try Worker(queue, task: Shell.untilStopped)
        try await second.waitForTask()
        second.process.send(SIGTERM)
        let stopped = try await second.end()
        #expect(stopped.status == .exited(143), "\(stopped.stderr)")
        #expect(stopped.report?.attempt == 2)

        let third = try await Worker.run(queue, task: Shell.run(#"cat; echo " $SEMEL_ATTEMPT""#))
        #expect(third.status == .exited(0), "\(third.stderr)")
        #expect(third.text == "unlucky 2\n")
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases, Stop.all)
    func whileIdle(_ kind: QueueKind, _ stop: Stop) async throws {
        let queue = try await kind.make()
        let worker = try Worker(queue, ["--wait", "forever"], task: Shell.run("echo ran"))
        try await queue.waitUntilAwaited(by: worker)
        worker.process.send(stop.signal)
        let end = try await worker.end()
        #expect(end.status == .exited(stop.code), "\(end.stderr)")
        #expect(end.text == "")
        #expect(end.report?.outcome == stop.outcome)
        #expect(end.report?.messageId == nil)
        #expect(try await queue.left() == .nothing)

        // Nothing of it is left that would take the next message.
        try await queue.put("for another")
        let next = try await Worker.run(queue, task: Shell.succeeding)
        #expect(next.status == .exited(0), "\(next.stderr)")
        #expect(next.report?.attempt == 1)
    }

    @Test(arguments: QueueKind.allCases)
    func theTaskGetsTimeToSaveItsWork(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("careful")
        let script = "trap 'sleep 0.3; echo saved; exit 0' TERM; echo \(Shell.started); while :; do sleep 0.02; done"
        let worker = try Worker(queue, ["--grace", "60s"], task: Shell.run(script))
        try await worker.waitForTask()
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(143), "\(end.stderr)")
        #expect(end.text.hasSuffix("saved\n"))
        // A stopped task's exit status says nothing about its message.
        try await eventually("it is back") { try await queue.left() == Left(ready: 1) }
    }

    @Test(arguments: QueueKind.allCases)
    func theGraceEnds(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("deaf")
        let script = "trap '' TERM; echo \(Shell.started); while :; do sleep 0.05; done"
        let worker = try Worker(queue, ["--grace", "500ms"], task: Shell.run(script))
        try await worker.waitForTask()
        worker.process.send(SIGTERM)
        let end = try await worker.end(timeout: .seconds(60))
        #expect(end.status == .exited(143), "\(end.stderr)")
        #expect(end.report?.taskExit == 137)
        try await eventually("it is back") { try await queue.left() == Left(ready: 1) }
    }

    @Test(arguments: QueueKind.allCases)
    func aSecondSignalShortensTheGrace(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("deaf")
        let script = "trap 'echo heard' TERM; echo \(Shell.started); while :; do sleep 0.05; done"
        let worker = try Worker(queue, ["--grace", "1h"], task: Shell.run(script))
        try await worker.waitForTask()
        worker.process.send(SIGTERM)
        try await worker.process.waitForOutput(containing: "heard", timeout: .seconds(60))
        worker.process.send(SIGTERM)
        let end = try await worker.end(timeout: .seconds(60))
        #expect(end.status == .exited(143), "\(end.stderr)")
        #expect(end.report?.taskExit == 137)
        try await eventually("it is back") { try await queue.left() == Left(ready: 1) }
    }

    @Test(arguments: QueueKind.allCases)
    func onTermFinish(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let files = try Ledger()
        try await queue.put("nearly done")
        let flags = ["--on-term", "finish", "--grace", "1h"]
        let worker = try Worker(queue, flags, task: Shell.until(files.path("go")))
        try await worker.waitForTask()
        worker.process.send(SIGTERM)
        try await worker.process.waitForOutput(containing: "finishing", timeout: .seconds(60))
        #expect(try await queue.left() == Left(claimed: 1))
        try files.create("go")
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.report?.outcome == "completed")
        #expect(try await queue.left() == .nothing)
    }

    /// Finishing is not for ever: when the grace is over the task is stopped after all.
    @Test(arguments: QueueKind.allCases)
    func onTermFinishInTime(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("endless")
        let flags = ["--on-term", "finish", "--grace", "500ms"]
        let worker = try Worker(queue, flags, task: Shell.untilStopped)
        try await worker.waitForTask()
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(143), "\(end.stderr)")
        #expect(end.report?.outcome == "terminated")
        try await eventually("it is back") { try await queue.left() == Left(ready: 1) }
    }
}
