import TestSupport
import Testing

/// The worker's rights are taken away while it works.
@Suite(.throttled)
struct PermissionTests {
    // MARK: RabbitMQ

    private func running(
        _ kind: Kind, exit status: Int = 0
    ) async throws -> (RabbitMQFaultQueue, Notes, Worker) {
        let queue = try await RabbitMQFaultQueue(kind == .quorum ? .quorum : .classic, on: .shared())
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, task: notes.held(exit: status))
        try await worker.waitForTask()
        return (queue, notes, worker)
    }

    /// To acknowledge needs no right.
    @Test(arguments: Kind.rabbitMQ)
    func permissionWithdrawnWhileTheTaskSucceeds(_ kind: Kind) async throws {
        let (queue, notes, worker) = try await running(kind)
        try await queue.server.setPermissions(user: queue.name, configure: "", write: "", read: "")
        try notes.allow()
        try await worker.end().expect(0, "completed", attempt: 1)
        try await queue.waitUntilLeft(.nothing)
        try await queue.put("next")
        try await Worker.run(queue, task: ["true"]).expect(77, "refused", saying: queue.name)
        try await queue.waitUntilLeft(.oneReady)
    }

    /// To publish does: the message is handed back, and another worker's attempt is due.
    @Test(arguments: Kind.rabbitMQ, [3, 65])
    func permissionWithdrawnWhileTheTaskFails(_ kind: Kind, _ status: Int) async throws {
        let (queue, notes, worker) = try await running(kind, exit: status)
        try await queue.server.setPermissions(user: queue.name, configure: "", write: "", read: "")
        try notes.allow()
        try await worker.end().expect(75, "retry", attempt: 1, saying: "handed back", "ACCESS_REFUSED")
        try await queue.waitUntilLeft(.oneReady)
        try await queue.server.setPermissions(user: queue.name)
        try await queue.nextAttempt(task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    /// RabbitMQ throws out whoever is not known any more.
    @Test(arguments: Kind.rabbitMQ)
    func userDeleted(_ kind: Kind) async throws {
        let (queue, _, worker) = try await running(kind)
        _ = try await queue.server.manage("DELETE", "/api/users/\(queue.name)")
        try await worker.end().expect(76, "lost", attempt: 1, saying: "deleted")
        try await queue.waitUntilLeft(.oneReady)
        try await Worker.run(queue, task: ["true"]).expect(77, "refused")
    }

    @Test(arguments: Kind.rabbitMQ)
    func connectionClosedByAnOperator(_ kind: Kind) async throws {
        let (queue, notes, worker) = try await running(kind)
        try await queue.server.closeConnections(of: queue.name, reason: "maintenance")
        try await worker.end().expect(76, "lost", attempt: 1, saying: "maintenance")
        try notes.allow()
        try await queue.nextAttempt(task: notes.held()).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: Kind.rabbitMQ)
    func connectionClosedByAnOperatorWhileIdle(_ kind: Kind) async throws {
        let queue = try await RabbitMQFaultQueue(kind == .quorum ? .quorum : .classic, on: .shared())
        let worker = try Worker(queue, ["--wait", "forever"], task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        try await queue.server.closeConnections(of: queue.name, reason: "maintenance")
        try await worker.end().expect(69, "unreachable", saying: "maintenance")
    }

    // MARK: Redis

    private func running(_ lease: String) async throws -> (RedisFaultQueue, Notes, Worker) {
        let queue = try await RedisFaultQueue(on: .shared())
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", lease], task: notes.held())
        try await worker.waitForTask()
        return (queue, notes, worker)
    }

    @Test func redisRightsWithdrawnForAWhile() async throws {
        let (queue, notes, worker) = try await running("9s")
        try await queue.server.command("ACL", "SETUSER", "\(queue.list)", "-@all")
        try await worker.waitForLog("NOPERM")
        try await queue.server.command("ACL", "SETUSER", "\(queue.list)", "+@all")
        try notes.allow()
        try await worker.end().expect(0, "completed", attempt: 1)
        try await queue.waitUntilLeft(.nothing)
    }

    /// Somebody has put something of another kind where the settlement belongs: asking again does not help.
    /// Handed back, it counts as an attempt; unless that cannot be written down either.
    @Test(arguments: [("dead", 65, Left(delayed: 1), 2), ("delayed", 3, Left.oneReady, 1)])
    func redisRefusesTheSettlement(_ key: String, _ status: Int, _ left: Left, _ next: Int) async throws {
        let queue = try await RedisFaultQueue(on: .shared())
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", "2s"], task: notes.held(exit: status))
        try await worker.waitForTask()
        try await queue.server.command("SET", queue.key(key), "text")
        try notes.allow()
        try await worker.end().expect(75, "retry", attempt: 1, saying: "handed back", "WRONGTYPE")
        try await queue.server.command("DEL", queue.key(key))
        try await queue.waitUntilLeft(left)
        try await Worker.run(queue, task: notes.at(once: 0)).expect(0, "completed", attempt: next)
        #expect(notes.runs == ["m 1", "m \(next)"])
        try await queue.waitUntilLeft(.nothing)
    }

    @Test func redisUserDeleted() async throws {
        let (queue, _, worker) = try await running("1s")
        try await queue.server.command("ACL", "DELUSER", "\(queue.list)")
        try await worker.end().expect(76, "lost", attempt: 1, saying: "the lease ended while Redis", "WRONGPASS")
        try await queue.waitUntilLeft(.oneClaimed)
        try await Worker.run(queue, task: ["true"]).expect(77, "refused", saying: "WRONGPASS")
    }
}

extension RabbitMQServer {
    func closeConnections(of user: String, reason: String) async throws {
        let bytes = user.utf8.map(String.init).joined(separator: ",")
        try await evaluate(
            """
            [rabbit_networking:close_connection(C, "\(reason)") || C <- rabbit_networking:connections_local(),
                (catch rabbit_networking:connection_info(C, [user])) =:= [{user, <<\(bytes)>>}]], ok
            """)
    }
}
