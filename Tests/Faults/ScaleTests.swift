import Foundation
import TestSupport
import Testing

/// The repository's own manifests, run by `semelctl scale`: 200 messages are 200 completions, whatever happens to workers.
@Suite(.serialized, .throttled)
struct ScaleTests {
    private static let messages = (1...200).map { "m-\($0)" }
    private static let rabbitMQ = SharedInstance {
        // The management interface counts every half second instead of every five.
        let server = try await RabbitMQServer.start(configuration: ["collect_statistics_interval = 500"])
        try await server.createUser(ScaleRun.user, password: ScaleRun.password, tags: "management")
        try await server.setPermissions(user: ScaleRun.user)
        return server
    }
    private static let redis = SharedInstance { try await RedisServer.start(password: ScaleRun.password) }

    private func withRabbitMQ(
        _ preset: String, _ body: (RabbitMQServer, _ hosts: [String]) async throws -> Void
    ) async throws {
        let server = try await Self.rabbitMQ.get()
        try await server.declareQueue(ScaleRun.queue, type: .quorum)
        try await server.publish(bodies: Self.messages.map { Array($0.utf8) }, to: ScaleRun.queue)
        let name = "rabbitmq.semel-dev.svc"
        try await body(
            server,
            ["\(name):5672=127.0.0.1:\(server.port)", "\(name):15672=127.0.0.1:\(server.managementPort)"])
        #expect(try await server.depth(of: ScaleRun.queue) == .init(ready: 0, unacknowledged: 0))
        try await server.deleteQueue(ScaleRun.queue)
    }

    private func withRedis(_ body: (_ hosts: [String]) async throws -> Void) async throws {
        let server = try await Self.redis.get()
        try await server.command(["RPUSH", "\(ScaleRun.queue)"] + Self.messages.map { "\($0)" })
        try await body(["redis.semel-dev.svc:6379=127.0.0.1:\(server.port)"])
        // Neither waiting nor leased nor dead.
        for key in [ScaleRun.queue, "{\(ScaleRun.queue)}:leases", "{\(ScaleRun.queue)}:dead"] {
            #expect(try await server.command("EXISTS", "\(key)").integer == 0, "\(key)")
        }
    }

    private func expectAllOnce(_ end: ScaleRun.End) {
        #expect(end.status == .exited(0))
        #expect(end.ledger.sorted() == Self.messages.sorted(), "\(end.ledger.count) completions")
        #expect(end.summary.outcomes["completed"] == 200, "\(end.summary)")
        #expect(end.summary.jobsFailed == 0 && end.summary.jobsComplete == end.summary.jobsCreated, "\(end.summary)")
        #expect(end.summary.jobsCreated == 200 + end.summary.idleJobs, "\(end.summary)")
        #expect(end.summary.peakJobs <= 20, "\(end.summary)")
    }

    @Test func rabbitMQOverAMQP() async throws {
        try await withRabbitMQ("rabbitmq-amqp") { _, hosts in
            expectAllOnce(try await ScaleRun("rabbitmq-amqp", hosts: hosts).end())
        }
    }

    @Test func rabbitMQOverHTTP() async throws {
        try await withRabbitMQ("rabbitmq-http") { _, hosts in
            // Its numbers are old: it waits until they have been nothing for long enough.
            expectAllOnce(try await ScaleRun("rabbitmq-http", hosts: hosts).end())
        }
    }

    @Test func redisList() async throws {
        try await withRedis { hosts in expectAllOnce(try await ScaleRun("redis-list", hosts: hosts).end()) }
    }

    /// What `semelctl simulate` foresees for the same messages, tasks and polls, within two per cent.
    @Test func agreesWithTheSimulation() async throws {
        try await withRabbitMQ("rabbitmq-amqp") { _, hosts in
            let run = try ScaleRun("rabbitmq-amqp", hosts: hosts, flags: ["--poll", "1s"], task: "sleep 1;")
            let end = try await run.end()
            let foreseen = try await ScaleRun.simulated(
                "rabbitmq-amqp",
                [
                    "--arrivals", "0:200", "--task", "1s", "--pod-pending", "20ms", "--claim-after", "200ms", "--wait",
                    "2s", "--poll", "1s",
                ])
            let difference = abs(end.summary.jobsCreated - foreseen.jobsCreated)
            #expect(difference * 50 <= foreseen.jobsCreated, "\(end.summary), foreseen \(foreseen)")
            #expect(end.summary.peakJobs == foreseen.peakJobs)
        }
    }

    /// At least once: a message whose worker is killed is done by another.
    private func expectNoneLost(_ run: ScaleRun) async throws {
        try await run.kill(20)
        let end = try await run.end()
        #expect(end.status == .exited(1), "Jobs of killed workers have failed")
        #expect(Set(end.ledger) == Set(Self.messages), "\(Set(end.ledger).count) messages done")
        // A worker that had its message done may be killed before it has said so.
        #expect(end.ledger.count <= 220 && end.summary.jobsFailed > 0 && end.summary.jobsFailed <= 20, "\(end.summary)")
    }

    @Test func rabbitMQLosesNone() async throws {
        try await withRabbitMQ("rabbitmq-amqp") { _, hosts in
            try await expectNoneLost(ScaleRun("rabbitmq-amqp", hosts: hosts, task: "sleep 0.2;"))
        }
    }

    @Test func redisLosesNone() async throws {
        try await withRedis { hosts in
            try await expectNoneLost(
                ScaleRun("redis-list", hosts: hosts, variables: ["SEMEL_LEASE": "2s"], task: "sleep 0.2;"))
        }
    }
}
