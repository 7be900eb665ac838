import Foundation
import Glibc
import TestSupport
import Testing

/// Signals to the worker, and what becomes of a task that does not want to hear them.
@Suite(.oneLane)
struct TasksStoppingTests {
    /// Notes each SIGTERM and goes on, unless it is told to end.
    private static let deaf = "trap 'echo TERM >>heard' TERM; echo >started; await go; echo >finished"

    @Test func aTaskThatIgnoresTheSignalIsKilledAfterTheGrace() async throws {
        let spool = try TaskSpool()
        let worker = try spool.start(["--grace", "1500ms"], task: spool.script(Self.deaf))
        try await spool.waitForNote("started")
        let asked = ContinuousClock.now
        worker.send(SIGTERM)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(143))
        #expect(ContinuousClock.now - asked >= .milliseconds(1500))
        #expect(spool.notes("heard") == ["TERM"])
        #expect(spool.note("finished").isEmpty)
        #expect(spool.rooms == .init(ready: ["a"]))
        #expect(spool.mark.processes().isEmpty)
        let log = try spool.terminationLog()
        #expect(log["outcome"] as? String == "terminated")
        #expect(log["taskExit"] as? Int == 137)
    }

    @Test func aTaskThatEndsWithinTheGraceIsNotWaitedForAnyLonger() async throws {
        let spool = try TaskSpool()
        let task = spool.script("trap 'echo saved >saved; exit 0' TERM; echo >started; await go")
        let worker = try spool.start(["--grace", "1h"], task: task)
        try await spool.waitForNote("started")
        worker.send(SIGTERM)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(143))
        #expect(spool.note("saved") == "saved\n")
        #expect(spool.rooms == .init(ready: ["a"]))
    }

    @Test func theSecondSignalCutsTheGraceShort() async throws {
        let spool = try TaskSpool()
        let worker = try spool.start(["--grace", "1h"], task: spool.script(Self.deaf))
        try await spool.waitForNote("started")
        worker.send(SIGINT)
        try await spool.waitForNote("heard")
        worker.send(SIGINT)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(130))
        #expect(spool.rooms == .init(ready: ["a"]))
        #expect(spool.mark.processes().isEmpty)
    }

    @Test func withOnTermFinishTheTaskGoesOn() async throws {
        let spool = try TaskSpool()
        let worker = try spool.start(["--on-term", "finish", "--grace", "1h"], task: spool.script(Self.deaf))
        try await spool.waitForNote("started")
        worker.send(SIGTERM)
        try await worker.waitForOutput(containing: "finishing the task")
        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
        #expect(spool.note("heard").isEmpty)
        #expect(!spool.note("finished").isEmpty)
        #expect(spool.rooms == .init(done: ["a"]))
    }

    @Test func finishingHasItsEndToo() async throws {
        let spool = try TaskSpool()
        let task = spool.script("trap 'echo TERM >heard; exit 0' TERM; echo >started; await go")
        let worker = try spool.start(["--on-term", "finish", "--grace", "1s"], task: task)
        try await spool.waitForNote("started")
        worker.send(SIGTERM)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(143))
        #expect(spool.notes("heard") == ["TERM"])
        #expect(spool.rooms == .init(ready: ["a"]))
    }

    @Test func runningPastTheTimeoutDeafToSignals() async throws {
        let spool = try TaskSpool()
        let worker = try spool.start(["--timeout", "2s", "--grace", "500ms"], task: spool.script(Self.deaf))
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(124))
        #expect(spool.notes("heard") == ["TERM"])
        #expect(spool.rooms == .init(delayed: ["a~1"]))
        #expect(spool.mark.processes().isEmpty)
    }

    @Test(arguments: [("SEGV", 139), ("KILL", 137), ("TERM", 143), ("PIPE", 141)])
    func aTaskThatASignalKilled(_ name: String, _ code: Int) async throws {
        let spool = try TaskSpool()
        let finished = try await spool.work(task: spool.script("ulimit -c 0; kill -\(name) $$; sleep 600"))
        #expect(finished.status == .exited(75))
        #expect(finished.stderrText.contains("SIG\(name)"))
        #expect(spool.rooms == .init(delayed: ["a~1"]))
        #expect(spool.mark.processes().isEmpty)
        let log = try spool.terminationLog()
        #expect(log["outcome"] as? String == "retry")
        #expect(log["taskExit"] as? Int == code)
    }

    @Test func otherSignalsArePassedOn() async throws {
        let spool = try TaskSpool()
        let signals = [("HUP", SIGHUP), ("USR1", SIGUSR1), ("USR2", SIGUSR2), ("QUIT", SIGQUIT), ("WINCH", SIGWINCH)]
        let traps = signals.map { "trap 'echo \($0.0) >>heard' \($0.0)" }.joined(separator: "; ")
        let worker = try spool.start(task: spool.script("\(traps); echo >started; await go"))
        try await spool.waitForNote("started")
        for (index, (name, number)) in signals.enumerated() {
            worker.send(number)
            try await eventually(timeout: .seconds(30), "\(name) is heard") { spool.notes("heard").count == index + 1 }
        }
        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
        #expect(spool.notes("heard") == signals.map(\.0))
        #expect(spool.rooms == .init(done: ["a"]))
    }

    /// The worker asks for its signals with `sigwait`: whether its parent ignored them makes no difference.
    @Test func aWorkerBornWithIgnoredSignals() async throws {
        let spool = try TaskSpool()
        let semel = try Executable.semel.path
        let task = spool.script("trap 'exit 3' TERM; echo >started; await go")
        let worker = try RunningProcess(
            .installed("sh"), ["-c", #"trap '' TERM INT HUP PIPE USR1; exec "$@""#, "sh", semel, "run", "--"] + task,
            environment: spool.environment())
        try await spool.waitForNote("started")
        worker.send(SIGTERM)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(143))
        #expect(spool.rooms == .init(ready: ["a"]))
    }

    @Test(arguments: [(SIGTERM, 143), (SIGINT, 130), (SIGHUP, 143)] as [(Int32, Int32)])
    func aWaitingWorkerEndsAtOnce(_ signal: Int32, _ code: Int32) async throws {
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--wait", "forever", "--status-address", "127.0.0.1:\(port)"], task: ["true"])
        try await eventually(timeout: .seconds(60), "it waits") {
            (try? await HTTP.get(port: port, path: "/get/status").text) == "IDLE" && spool.hasRooms
        }
        worker.send(signal)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(code))
        try spool.put("body", "late")
        #expect(spool.rooms == .init(ready: ["late"]))
    }
}

extension TaskSpool {
    /// Whether a worker has looked into the spool: it makes the rooms that are missing.
    fileprivate var hasRooms: Bool {
        FileManager.default.fileExists(atPath: directory.path("spool/incoming"))
    }
}
