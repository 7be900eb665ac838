import Foundation
import Glibc
import TestSupport
import Testing

/// SIGTERM and SIGINT where nothing answers. (Idle and running on a healthy queue: see the integration tests.)
@Suite(.throttled)
struct SignalTests {
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

    /// Waits until the worker has a connection on its way, established or not.
    private func waitUntilConnecting(_ worker: Worker, to port: Int) async throws {
        try await eventually(timeout: .seconds(30), "it connects: \(worker.process.report)") {
            try ProcessState.isConnecting(worker.process.pid, to: port)
        }
    }

    /// It has not even read its settings. PID 1 gets only the signals that it has asked for.
    @Test(arguments: [false, true])
    func beforeItHasBegun(asFirstProcess isFirst: Bool) async throws {
        let queue = try await QueueKind.spool.make()
        try await queue.put("m")
        let directory = try TemporaryDirectory("settings")
        let file = directory.path("url")
        let log = try directory.write("", to: "log")
        try #require(mkfifo(file, 0o600) == 0)
        let command = [
            try Executable.semel.path, "run", "--queue-file", file, "--status-address", "off", "--wait", "0",
            "--termination-log", log, "--", "true",
        ]
        let process =
            isFirst
            ? try RunningProcess(.installed("unshare"), ["--pid", "--fork", "--kill-child"] + command)
            : try RunningProcess(.semel, Array(command.dropFirst()))
        var pipe: CInt = -1
        try await eventually("it reads: \(process.report)") {
            pipe = open(file, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            return pipe >= 0
        }
        let worker = isFirst ? try #require(ProcessState.onlyChild(of: process.pid)) : process.pid
        kill(worker, SIGTERM)
        _ = queue.url.withCString { write(pipe, $0, strlen($0)) }
        close(pipe)
        #expect(try await process.waitForExit() == .exited(143), "\(process.report)")
        let report = try TerminationReport(Data(contentsOf: URL(fileURLWithPath: log)))
        #expect(report.outcome == "terminated")
        try await queue.waitUntilLeft(.oneReady)
    }

    /// The server accepts and says nothing.
    @Test(arguments: QueueKind.remote, Stop.all)
    func whileConnecting(_ kind: QueueKind, _ stop: Stop) async throws {
        let queue = try await kind.make()
        let proxy = try queue.proxy()
        await proxy.freeze()
        let worker = try Worker(queue, ["--wait", "forever"], through: proxy, task: ["true"])
        try await waitUntilConnecting(worker, to: proxy.port)
        let start = ContinuousClock.now
        worker.process.send(stop.signal)
        try await worker.end().expect(stop.code, stop.outcome, saying: stop.testDescription, "before a message")
        #expect(ContinuousClock.now - start < .seconds(9))
    }

    /// Not even a connection comes about.
    @Test(arguments: QueueKind.remote)
    func whileNobodyIsThere(_ kind: QueueKind) async throws {
        let hole = try BlackHole()
        let worker = try Worker(url: try await kind.make().url(at: hole.port), task: ["true"])
        try await waitUntilConnecting(worker, to: hole.port)
        let start = ContinuousClock.now
        worker.process.send(SIGTERM)
        try await worker.end().expect(143, "terminated", saying: "before a message")
        #expect(ContinuousClock.now - start < .seconds(9))
    }

    @Test(arguments: QueueKind.remote)
    func aSecondOneWhileConnecting(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let proxy = try queue.proxy()
        await proxy.freeze()
        let worker = try Worker(queue, ["--wait", "forever", "--grace", "1h"], through: proxy, task: ["true"])
        try await waitUntilConnecting(worker, to: proxy.port)
        worker.process.send(SIGTERM)
        let start = ContinuousClock.now
        // Two that come at once may be one to the kernel.
        try await eventually(timeout: .seconds(30), "it ends: \(worker.process.report)") {
            worker.process.send(SIGTERM)
            return !worker.process.isRunning
        }
        try await worker.end().expect(143, "terminated", saying: "before a message")
        #expect(ContinuousClock.now - start < .seconds(4))
    }

    /// The message is on its way to the worker, which is told to end and never hears of it.
    @Test(arguments: QueueKind.remote)
    func whileAClaimIsOnItsWay(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let proxy = try queue.proxy()
        let worker = try Worker(queue, ["--lease", "4s"], through: proxy, task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        await proxy.delay(.seconds(3))
        try await queue.put("m")
        try await queue.waitUntilLeft(.oneClaimed)
        await proxy.freeze()
        worker.process.send(SIGTERM)
        try await worker.end().expect(143, "terminated", saying: "before a message")
        await proxy.cut()
        try await queue.nextAttempt(task: ["true"]).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    /// The task is stopped, and its message cannot be released in time; it comes back by itself.
    @Test(arguments: QueueKind.remote)
    func whileRunningOnAFrozenConnection(_ kind: QueueKind) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, through: proxy, task: notes.held())
        try await worker.waitForTask()
        await proxy.freeze()
        worker.process.send(SIGTERM)
        let start = ContinuousClock.now
        try await worker.end().expect(76, "lost", attempt: 1)
        #expect(ContinuousClock.now - start < .seconds(25))
        await proxy.cut()
        await proxy.thaw()
        try await queue.nextAttempt(task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    /// What the task came to is not lost by a signal that comes a moment later.
    @Test(arguments: QueueKind.remote)
    func whileItSettles(_ kind: QueueKind) async throws {
        let queue = try await kind.make(heartbeat: "10s")
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", "30s"], through: proxy, task: notes.held())
        try await worker.waitForTask()
        await proxy.freeze()
        try notes.allow()
        // Nothing else is due for seconds: what waits to be forwarded is the settlement.
        try await eventually(timeout: .seconds(60), "it settles") { try ProcessState.hasUnread(at: proxy.port) }
        for _ in 1...2 { worker.process.send(SIGTERM) }
        await proxy.thaw()
        try await worker.end().expect(0, "completed", attempt: 1)
        try await queue.waitUntilLeft(.nothing)
    }

    /// Within bounds also when the settlement never comes through.
    @Test(arguments: QueueKind.remote)
    func whileItCannotSettle(_ kind: QueueKind) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, through: proxy, task: notes.held())
        try await worker.waitForTask()
        await proxy.freeze()
        try notes.allow()
        try await worker.waitUntilSettling()
        worker.process.send(SIGTERM)
        try await worker.end().expect(76, "lost", attempt: 1, saying: "did not count")
        await proxy.cut()
        #expect(try await queue.left().all == 1)
    }

    /// Nobody waits for a long lease to end who has been told to stop: for the grace, or until the second time.
    @Test(arguments: RedisForm.allCases, [1, 2])
    func whileItCannotSettleForLong(_ form: RedisForm, _ signals: Int) async throws {
        let queue = try await RedisUnderTest(as: form)
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let flags = ["--lease", "1h", "--grace", signals == 1 ? "1s" : "1h"]
        let worker = try Worker(queue, flags, through: proxy, task: notes.held())
        try await worker.waitForTask()
        await proxy.freeze()
        try notes.allow()
        try await worker.waitUntilSettling()
        for _ in 1...signals {
            worker.process.send(SIGTERM)
            // Two signals that come at once are one.
            try await eventually("the signal is taken") { !ProcessState.isPending(SIGTERM, worker.process.pid) }
        }
        try await worker.end().expect(76, "lost", attempt: 1, saying: "could not be confirmed")
        #expect(try await queue.left() == .oneClaimed)
    }

    @Test(arguments: QueueKind.allCases)
    func whileItLingers(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("m")
        let worker = try Worker(queue, ["--linger", "1h"], task: ["true"])
        try await worker.waitForLog("completed")
        worker.process.send(SIGTERM)
        try await worker.end().expect(0, "completed", attempt: 1)
        try await queue.waitUntilLeft(.nothing)
    }
}
