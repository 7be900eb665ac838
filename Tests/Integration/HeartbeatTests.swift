import Foundation
import Glibc
import TestSupport
import Testing

/// A queue on the shared broker, reached through a proxy, with a short heartbeat. The broker ends a connection that was
/// silent for two intervals.
private struct HeartbeatQueue {
    /// The shortest that leaves a busy machine some room.
    static let interval = Duration.seconds(2)

    let server: RabbitMQServer
    let name: String
    let proxy: TCPProxy

    init(_ name: String, holding message: String? = "body") async throws {
        server = try await RabbitMQServer.shared()
        self.name = "heartbeat-" + name
        proxy = try TCPProxy(to: server.port)
        try await server.declareQueue(self.name, type: .quorum)
        if let message { try await server.publish(message, to: self.name) }
    }

    var environment: [String: String] {
        let direct = server.url(queue: name, options: ["heartbeat": "2s"])
        return ["SEMEL_QUEUE": direct.replacing(":\(server.port)/", with: ":\(proxy.port)/")]
    }

    func holds(ready: Int, unacknowledged: Int) async throws -> Bool {
        try await server.depth(of: name) == .init(ready: ready, unacknowledged: unacknowledged)
    }

    /// The channel has answered by the time a worker ends; the queue's own process may be a moment behind.
    func waitUntilEmpty() async throws {
        try await eventually("the queue is empty") { try await holds(ready: 0, unacknowledged: 0) }
    }

    /// Expects that something holds, again and again for so many intervals.
    func expect(
        forIntervals count: Double, sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + Self.interval * count
        while ContinuousClock.now < end {
            let holds = try await condition()
            #expect(holds, sourceLocation: sourceLocation)
            // The pulse of a promise that is looked at over a time.
            try await Task.sleep(for: .milliseconds(250))
        }
    }
}

@Suite(.allLanes)
struct HeartbeatBurningTests {
    @Test func aTaskThatBurnsAllProcessors() async throws {
        let queue = try await HeartbeatQueue("burning")
        let spool = try TaskSpool([:])
        // Three intervals and a half by the clock, of twice as many loops as there are processors.
        let loops = 2 * ProcessInfo.processInfo.activeProcessorCount
        let burning = """
            burn() {
                end=$(($(date +%s) + 7))
                while [ "$(date +%s)" -le "$end" ]; do i=0; while [ $((i += 1)) -lt 200000 ]; do :; done; done
            }
            for n in $(seq \(loops)); do burn & done; wait; cat; echo burnt >burnt
            """
        let worker = try spool.start(task: spool.script(burning), environment: queue.environment)
        #expect(try await worker.waitForExit(timeout: .seconds(120)) == .exited(0), "\(worker.report)")
        #expect(worker.stdout.text == "body")
        #expect(spool.note("burnt") == "burnt\n")
        #expect(!worker.stderr.text.contains("lost"))
        #expect(await queue.proxy.acceptedCount == 1, "the connection did not live")
        try await queue.waitUntilEmpty()
        let log = try spool.terminationLog()
        #expect(log["attempt"] as? Int == 1)
        #expect(try #require(log["seconds"] as? Double) > 6)
    }
}

/// Neither the task nor the waiting holds the heartbeats up, and what ends them ends the claim.
@Suite(.oneLane)
struct HeartbeatTests {
    /// The task stands still and so do the threads that carry its output, because nobody reads it.
    @Test func aTaskWhoseOutputNobodyReads() async throws {
        let queue = try await HeartbeatQueue("standstill")
        let spool = try TaskSpool([:])
        let semel = try Executable.semel.path
        let task = spool.script("echo >started; head -c 10000000 /dev/zero; echo printed >printed")
        let wiring = #"{ "$@"; echo $? >code; } | { while [ ! -e go ]; do sleep 0.05; done; wc -c >count; }"#
        let shell = try RunningProcess(
            .installed("sh"), ["-c", wiring, "sh", semel, "run", "--"] + task,
            environment: spool.environment(adding: queue.environment), directory: spool.directory.path)
        try await spool.waitForNote("started")
        try await queue.expect(forIntervals: 3.5) {
            try await queue.holds(ready: 0, unacknowledged: 1)
        }
        #expect(spool.note("printed").isEmpty)
        try spool.release("go")
        try await shell.waitForExit(timeout: .seconds(60))
        #expect(spool.note("code") == "0\n", "\(shell.report)")
        #expect(spool.note("count").trimmingCharacters(in: .whitespacesAndNewlines) == "10000000")
        try await queue.waitUntilEmpty()
    }

    @Test func aWorkerThatWaitsForLong() async throws {
        let queue = try await HeartbeatQueue("waiting", holding: nil)
        let spool = try TaskSpool([:])
        let worker = try spool.start(["--wait", "forever"], task: ["cat"], environment: queue.environment)
        try await eventually(timeout: .seconds(60), "it is connected") { await queue.proxy.connectionCount == 1 }
        try await queue.expect(forIntervals: 3.5) {
            guard worker.isRunning else { return false }
            return await queue.proxy.connectionCount == 1
        }
        try await queue.server.publish("late", to: queue.name)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0), "\(worker.report)")
        #expect(worker.stdout.text == "late")
        #expect(await queue.proxy.acceptedCount == 1)
        try await queue.waitUntilEmpty()
    }

    /// A network that swallows everything: nobody says goodbye, so only the missing heartbeats tell.
    @Test func aFrozenNetworkLosesTheClaim() async throws {
        let queue = try await HeartbeatQueue("frozen")
        let spool = try TaskSpool([:])
        let worker = try spool.start(
            task: spool.script("trap 'echo TERM >heard; exit 0' TERM; setsid sleep 600 & echo >started; await go"),
            environment: queue.environment)
        try await spool.waitForNote("started")
        await queue.proxy.freeze()
        // Two intervals of silence, a third of one until it is looked for, and time for a slow machine.
        #expect(try await worker.waitForExit(timeout: .seconds(30)) == .exited(76), "\(worker.report)")
        #expect(spool.notes("heard") == ["TERM"])
        #expect(spool.mark.processes().isEmpty)
        #expect(try spool.terminationLog()["outcome"] as? String == "lost")
        // The broker has missed the worker as well, and gives the message to somebody else.
        try await eventually(timeout: .seconds(30), "the message is back") {
            try await queue.holds(ready: 1, unacknowledged: 0)
        }
        await queue.proxy.thaw()
        let next = try await spool.work(
            task: spool.script(#"echo "$SEMEL_ATTEMPT"; cat"#), environment: queue.environment)
        #expect(next.status == .exited(0))
        #expect(next.stdoutText == "2\nbody")
        try await queue.waitUntilEmpty()
    }

    /// Nor does it leave a worker waiting for a message that cannot come.
    @Test func aFrozenNetworkEndsTheWait() async throws {
        let queue = try await HeartbeatQueue("frozen-wait", holding: nil)
        let spool = try TaskSpool([:])
        let worker = try spool.start(["--wait", "forever"], task: ["true"], environment: queue.environment)
        try await eventually(timeout: .seconds(60), "it waits") {
            try await queue.server.evaluate(
                """
                length([C || C <- rabbit_amqqueue:consumers_all(<<"/">>), proplists:get_value(queue_name, C)
                    =:= rabbit_misc:r(<<"/">>, queue, <<"\(queue.name)">>)])
                """) == "1"
        }
        await queue.proxy.freeze()
        #expect(try await worker.waitForExit(timeout: .seconds(30)) == .exited(69), "\(worker.report)")
        #expect(worker.stderr.lines.count == 1 && worker.stderr.text.contains("SEMEL_QUEUE"))
        #expect(try spool.terminationLog()["outcome"] as? String == "unreachable")
    }

    /// A network that comes back before the second interval is over has done no harm.
    @Test func aShortFreezeIsRiddenOut() async throws {
        let queue = try await HeartbeatQueue("short-freeze")
        let spool = try TaskSpool([:])
        let worker = try spool.start(task: spool.script("echo >started; await go"), environment: queue.environment)
        try await spool.waitForNote("started")
        await queue.proxy.freeze()
        // The length of the fault.
        try await Task.sleep(for: HeartbeatQueue.interval / 2)
        await queue.proxy.thaw()
        try await queue.expect(forIntervals: 2.5) {
            try await queue.holds(ready: 0, unacknowledged: 1)
        }
        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0), "\(worker.report)")
        #expect(await queue.proxy.acceptedCount == 1)
        try await queue.waitUntilEmpty()
    }

    /// The counterpart of all these: without heartbeats the broker does end a connection. A worker that was stopped for
    /// so long finds its claim lost and says so.
    @Test func aStoppedWorkerLosesItsClaim() async throws {
        let queue = try await HeartbeatQueue("stopped")
        let spool = try TaskSpool([:])
        let worker = try spool.start(
            task: spool.script("trap 'echo TERM >heard; exit 0' TERM; echo >started; await go"),
            environment: queue.environment)
        try await spool.waitForNote("started")
        worker.send(SIGSTOP)
        try await eventually(timeout: .seconds(30), "the broker misses the worker") {
            try await queue.holds(ready: 1, unacknowledged: 0)
        }
        worker.send(SIGCONT)
        #expect(try await worker.waitForExit(timeout: .seconds(30)) == .exited(76), "\(worker.report)")
        #expect(spool.notes("heard") == ["TERM"])
        #expect(spool.mark.processes().isEmpty)
        #expect(try await queue.holds(ready: 1, unacknowledged: 0))
    }
}
