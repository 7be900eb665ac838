import TestSupport
import Testing

/// The worker's rights are taken away while it works.
@Suite(.throttled)
struct PermissionTests {
    // MARK: RabbitMQ

    private func running(
        _ type: RabbitMQServer.QueueType, exit status: Int = 0
    ) async throws -> (RabbitMQUnderTest, Notes, Worker) {
        let queue = try await RabbitMQUnderTest(type)
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, task: notes.held(exit: status))
        try await worker.waitForTask()
        return (queue, notes, worker)
    }

    /// To acknowledge needs no right.
    @Test(arguments: RabbitMQServer.QueueType.allCases)
    func permissionWithdrawnWhileTheTaskSucceeds(_ type: RabbitMQServer.QueueType) async throws {
        let (queue, notes, worker) = try await running(type)
        try await queue.server.setPermissions(user: queue.user, configure: "", write: "", read: "")
        try notes.allow()
        try await worker.end().expect(0, "completed", attempt: 1)
        try await queue.waitUntilLeft(.nothing)
        try await queue.put("next")
        try await Worker.run(queue, task: ["true"]).expect(77, "refused", saying: queue.queue)
        try await queue.waitUntilLeft(.oneReady)
    }

    /// To publish does: the message is handed back, and another worker's attempt is due.
    @Test(arguments: RabbitMQServer.QueueType.allCases, [3, 65])
    func permissionWithdrawnWhileTheTaskFails(_ type: RabbitMQServer.QueueType, _ status: Int) async throws {
        let (queue, notes, worker) = try await running(type, exit: status)
        try await queue.server.setPermissions(user: queue.user, configure: "", write: "", read: "")
        try notes.allow()
        try await worker.end().expect(75, "retry", attempt: 1, saying: "handed back", "ACCESS_REFUSED")
        try await queue.waitUntilLeft(.oneReady)
        try await queue.server.setPermissions(user: queue.user)
        try await queue.nextAttempt(task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    /// RabbitMQ throws out whoever is not known any more.
    @Test(arguments: RabbitMQServer.QueueType.allCases)
    func userDeleted(_ type: RabbitMQServer.QueueType) async throws {
        let (queue, _, worker) = try await running(type)
        _ = try await queue.server.manage("DELETE", "/api/users/\(queue.user)")
        try await worker.end().expect(76, "lost", attempt: 1, saying: "deleted")
        try await queue.waitUntilLeft(.oneReady)
        try await Worker.run(queue, task: ["true"]).expect(77, "refused")
    }

    @Test(arguments: RabbitMQServer.QueueType.allCases)
    func connectionClosedByAnOperator(_ type: RabbitMQServer.QueueType) async throws {
        let (queue, notes, worker) = try await running(type)
        try await queue.server.closeConnections(of: queue.user, reason: "maintenance")
        try await worker.end().expect(76, "lost", attempt: 1, saying: "maintenance")
        try notes.allow()
        try await queue.nextAttempt(task: notes.held()).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: RabbitMQServer.QueueType.allCases)
    func connectionClosedByAnOperatorWhileIdle(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await RabbitMQUnderTest(type)
        let worker = try Worker(queue, ["--wait", "forever"], task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        try await queue.server.closeConnections(of: queue.user, reason: "maintenance")
        try await worker.end().expect(69, "unreachable", saying: "maintenance")
    }

    // MARK: Redis

    private func running(_ lease: String) async throws -> (RedisUnderTest, Notes, Worker) {
        let queue = try await RedisUnderTest()
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
        let queue = try await RedisUnderTest()
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
