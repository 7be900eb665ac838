import Glibc
import TestSupport
import Testing

/// Redis itself ends, becomes a replica, runs out of memory or has its clock set.
@Suite(.throttled)
struct RedisServerTests {
    private func makeQueue(keepsData: Bool = true) async throws -> RedisUnderTest {
        // In the configuration, so that a restart does not forget it.
        let user = RedisUnderTest.configuredUser
        return RedisUnderTest(
            withConfiguredUserOn: try await .start(keepsData: keepsData, configuration: [user]))
    }

    private func running(
        _ queue: RedisUnderTest, lease: String, through proxy: TCPProxy? = nil, exit status: Int = 0
    ) async throws -> (Worker, Notes) {
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", lease], through: proxy, task: notes.held(exit: status))
        try await worker.waitForTask()
        return (worker, notes)
    }

    // MARK: Restarts

    @Test func killedWhileIdle() async throws {
        let queue = try await makeQueue()
        let worker = try Worker(queue, ["--wait", "forever"], task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        try await queue.server.kill()
        try await worker.end().expect(69, "unreachable", saying: "Redis closed the connection")
        try await Worker.run(queue, task: ["true"]).expect(69, "unreachable", saying: "Connection refused")
    }

    @Test func restartedWithinTheLease() async throws {
        let queue = try await makeQueue()
        let (worker, notes) = try await running(queue, lease: "20s")
        try await queue.server.restart()
        try notes.allow()
        try await worker.end().expect(0, "completed", attempt: 1)
        #expect(notes.runs == ["m 1"])
        try await queue.waitUntilLeft(.nothing)
    }

    @Test func restartedAfterTheLease() async throws {
        let queue = try await makeQueue()
        let (worker, notes) = try await running(queue, lease: "1s")
        try await queue.server.kill()
        try await worker.end().expect(76, "lost", attempt: 1, saying: "the lease ended while Redis could not be asked")
        try await queue.server.restart()
        try notes.allow()
        try await Worker.run(queue, task: notes.held()).expect(0, "completed", attempt: 2)
        #expect(notes.runs == ["m 1", "m 2"])
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: [true, false])
    func restartedBetweenClaimAndTask(_ inTime: Bool) async throws {
        let queue = try await makeQueue()
        let notes = try Notes()
        try await queue.put("m")
        let task = try HeldExecutable(notes.at(once: 0))
        let worker = try Worker(queue, ["--lease", inTime ? "30s" : "1s"], task: task.command)
        try await task.waitUntilWanted()
        try await queue.server.kill()
        if !inTime { try await worker.waitForLog("claim lost") }
        try await queue.server.restart()
        task.release()
        let end = try await worker.end()
        if inTime {
            end.expect(0, "completed", attempt: 1)
        } else {
            end.expect(76, "lost", attempt: 1)
            try await Worker.run(queue, task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        }
        #expect(notes.runs.last == (inTime ? "m 1" : "m 2"))
        try await queue.waitUntilLeft(.nothing)
    }

    /// A server that keeps nothing has nothing to settle.
    @Test func restartedWithoutItsData() async throws {
        let queue = try await makeQueue(keepsData: false)
        let (worker, _) = try await running(queue, lease: "6s")
        try await queue.server.restart()
        try await worker.end().expect(76, "lost", attempt: 1, saying: "or it was deleted")
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: [0, 3, 65])
    func restartedWhileItSettles(_ status: Int) async throws {
        let queue = try await makeQueue()
        let proxy = try queue.proxy()
        let (worker, notes) = try await running(queue, lease: "20s", through: proxy, exit: status)
        await proxy.freeze()
        try notes.allow()
        try await worker.waitUntilSettling()
        try await queue.server.restart()
        await proxy.cut()
        await proxy.thaw()
        let end = try await worker.end()
        #expect(end.report?.outcome == [0: "completed", 3: "retry", 65: "dead-lettered"][status], "\(end.stderr)")
        #expect(try await queue.left() == [0: .nothing, 3: Left(delayed: 1), 65: .oneDead][status])
    }

    @Test func killedWhileItLingers() async throws {
        let queue = try await makeQueue()
        try await queue.put("m")
        let worker = try Worker(queue, ["--linger", "1h"], task: ["true"])
        try await worker.waitForLog("completed")
        try await queue.server.kill()
        worker.process.send(SIGTERM)
        try await worker.end().expect(0, "completed", attempt: 1)
    }

    /// For as long as a worker may ask again whether it was.
    @Test func aSettlementIsRemembered() async throws {
        let queue = try await makeQueue()
        let (worker, notes) = try await running(queue, lease: "5m")
        try notes.allow()
        let id = try #require(try await worker.end().report?.messageId)
        let rest = try await queue.server.command("PTTL", queue.key("settled:\(id)")).integer ?? 0
        #expect(rest > 300_000)
    }

    /// A server that refuses the worker is asked again and again; it need not keep each of these connections.
    @Test func refusedConnectionsAreClosed() async throws {
        let queue = try await makeQueue()
        let (worker, _) = try await running(queue, lease: "20s")
        try await queue.server.command("ACL", "DELUSER", "\(RedisUnderTest.configuredName)")
        func fact(_ name: String) async throws -> Int {
            let facts = try await queue.server.command("INFO").text ?? ""
            return facts.split { $0.isNewline }.first { $0.hasPrefix("\(name):") }.flatMap {
                Int($0.dropFirst(name.count + 1))
            } ?? 0
        }
        let before = try await fact("total_connections_received")
        try await eventually(timeout: .seconds(60), "it tries again") {
            try await fact("total_connections_received") > before + 4
        }
        // The worker's, the one that it may open, and this test's own.
        #expect(try await fact("connected_clients") <= 3)
        worker.process.send(SIGKILL)
    }

    // MARK: A read-only replica

    @Test func aReplicaIsCounted() async throws {
        let queue = try await makeQueue()
        try await queue.put("a", "b")
        try await queue.server.becomeReplica()
        let end = try await run(.semelctl, ["queue", "--json"], environment: ["SEMEL_QUEUE": queue.url(through: nil)])
        #expect(end.status == .exited(0), "\(end)")
    }

    @Test func aReplicaWithinTheLease() async throws {
        let queue = try await makeQueue()
        let (worker, notes) = try await running(queue, lease: "9s")
        try await queue.server.becomeReplica()
        try await worker.waitForLog("READONLY")
        try await queue.server.becomeMaster()
        try notes.allow()
        try await worker.end().expect(0, "completed", attempt: 1)
        #expect(notes.runs == ["m 1"])
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: ["stop", "finish"])
    func aReplicaForLonger(_ onLost: String) async throws {
        let queue = try await makeQueue()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", "1s", "--on-lost", onLost], task: notes.held())
        try await worker.waitForTask()
        try await queue.server.becomeReplica()
        try await worker.waitForLog("claim lost")
        try await queue.server.becomeMaster()
        if onLost == "finish" { try notes.allow() }
        try await worker.end().expect(76, "lost", attempt: 1, saying: "READONLY")
        try notes.allow()
        try await Worker.run(queue, task: notes.held()).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: [0, 3, 65])
    func aReplicaWhileItSettles(_ status: Int) async throws {
        let queue = try await makeQueue()
        let (worker, notes) = try await running(queue, lease: "30s", exit: status)
        try await queue.server.becomeReplica()
        try notes.allow()
        try await worker.waitForLog("could not settle, trying again")
        try await queue.server.becomeMaster()
        let end = try await worker.end()
        #expect(end.report?.outcome == [0: "completed", 3: "retry", 65: "dead-lettered"][status], "\(end.stderr)")
        #expect(try await queue.left() == [0: .nothing, 3: Left(delayed: 1), 65: .oneDead][status])
    }

    @Test func aReplicaWhileIdle() async throws {
        let queue = try await makeQueue()
        let worker = try Worker(queue, ["--wait", "forever"], task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        try await queue.server.becomeReplica()
        try await worker.end().expect(69, "unreachable", saying: "replica")
        try await Worker.run(queue, task: ["true"]).expect(69, "unreachable", saying: "READONLY")
    }

    // MARK: Out of memory

    enum Need: String, CaseIterable {
        case complete, completeWithResult, retry, deadLetter, release
    }

    /// What frees memory in the end must not be refused for the want of some.
    @Test(arguments: Need.allCases)
    func outOfMemory(_ need: Need) async throws {
        let queue = try await makeQueue(keepsData: false)
        try await queue.put("m")
        try await queue.server.fillMemory()
        await #expect(throws: RedisError.self) { try await queue.put("one more") }
        let notes = try Notes()
        let status = [Need.retry: 3, .deadLetter: 65][need] ?? 0
        let flags = ["--lease", "1s", "--retry-delay", "1h"]
        let worker = try Worker(
            queue, flags + (need == .completeWithResult ? ["--result", "stdout"] : []), task: notes.held(exit: status))
        try await worker.waitForTask()
        // Its lease is extended: twice, to be sure.
        let first = try await queue.leaseEnd()
        try await eventually("extended") { try await queue.leaseEnd() > first }
        let second = try await queue.leaseEnd()
        try await eventually("extended again") { try await queue.leaseEnd() > second }
        if need == .release { worker.process.send(SIGTERM) } else { try notes.allow() }
        let end = try await worker.end()
        switch need {
        case .complete, .completeWithResult:
            end.expect(0, "completed", attempt: 1)
            try await queue.waitUntilLeft(.nothing)
        case .retry:
            end.expect(75, "retry", attempt: 1, saying: "exited with 3")
            try await queue.waitUntilLeft(Left(delayed: 1))
        case .deadLetter:
            end.expect(65, "dead-lettered", attempt: 1)
            try await queue.waitUntilLeft(.oneDead)
        case .release:
            end.expect(143, "terminated", attempt: 1)
            try await queue.waitUntilLeft(.oneReady)
        }
    }

    /// There is nothing to claim, and room may come.
    @Test func outOfMemoryWhileIdle() async throws {
        let queue = try await makeQueue(keepsData: false)
        try await queue.server.fillMemory()
        try await Worker.run(queue, ["--wait", "1s"], task: ["true"]).expect(0, "idle")
        let worker = try Worker(queue, ["--wait", "5m"], task: ["true"])
        try await eventually("it is connected") {
            let clients = try await queue.server.command("CLIENT", "LIST").text ?? ""
            return clients.contains("user=\(RedisUnderTest.configuredName) ")
        }
        try await queue.server.freeMemory()
        try await queue.put("m")
        try await worker.end().expect(0, "completed", attempt: 1)
    }

    // MARK: The clock. To set it forth is as if all leases had begun earlier, and the other way round.

    @Test func theClockIsSetForth() async throws {
        let queue = try await makeQueue()
        let (worker, _) = try await running(queue, lease: "9s")
        try await queue.shiftLeases(by: -3_600_000)
        let notes = try Notes()
        let other = try Worker(queue, ["--lease", "9s"], task: notes.held())
        try await other.waitForTask()
        // The first one has lost its claim by the server's clock, and finds out before it settles.
        try await worker.end().expect(76, "lost", attempt: 1, saying: "another worker took the message")
        try notes.allow()
        try await other.end().expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    @Test func theClockIsSetBack() async throws {
        let queue = try await makeQueue()
        let (worker, notes) = try await running(queue, lease: "1s")
        try await queue.shiftLeases(by: 3_600_000)
        let before = try await queue.leaseEnd()
        // The next extension is by the new clock.
        try await eventually("extended") { try await queue.leaseEnd() < before }
        try await worker.kill()
        try notes.allow()
        try await Worker.run(queue, task: notes.held()).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }
}

extension RedisServer {
    /// Read-only, of a master that is not there, so that it keeps its data.
    fileprivate func becomeReplica() async throws {
        try await command("REPLICAOF", "127.0.0.1", "1")
    }

    fileprivate func becomeMaster() async throws {
        try await command("REPLICAOF", "NO", "ONE")
    }

    /// More than is allowed is used from now on, and nothing is evicted.
    fileprivate func fillMemory() async throws {
        try await command("SET", "filler", RedisArgument([UInt8](repeating: 120, count: 4 << 20)))
        try await command("CONFIG", "SET", "maxmemory-policy", "noeviction")
        try await command("CONFIG", "SET", "maxmemory", "1mb")
    }

    fileprivate func freeMemory() async throws {
        try await command("CONFIG", "SET", "maxmemory", "0")
    }
}

extension RedisUnderTest {
    /// When the earliest lease ends, by the server's clock.
    fileprivate func leaseEnd() async throws -> Int {
        let entry = try await server.command("ZRANGE", key("leases"), "0", "0", "WITHSCORES").array
        return entry?.last?.integer ?? 0
    }

    fileprivate func shiftLeases(by milliseconds: Int) async throws {
        let ids = try await server.command("ZRANGE", key("leases"), "0", "-1").array?.compactMap(\.text) ?? []
        for id in ids { try await server.command("ZINCRBY", key("leases"), "\(milliseconds)", "\(id)") }
    }
}
