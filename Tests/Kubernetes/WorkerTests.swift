import Foundation
import TestSupport
import Testing

/// The pod of every preset, its Secret resolved, on a real broker: template and worker cannot drift apart.
@Suite struct WorkerTests {
    /// Whatever has to be quoted in a shell, a YAML file or a URL.
    private static let password = "p@ss w/rd+1%:#\"'$(HOME)"
    private static let redis = SharedInstance { try await RedisServer.start() }

    private let directory: TemporaryDirectory
    private let name = "k-\(UUID().uuidString.prefix(8).lowercased())"

    init() throws {
        directory = try TemporaryDirectory("task")
    }

    /// Says what it sees and waits to be allowed to end.
    private var task: Node {
        let script = "env; cat; until [ -e \(directory.path("allowed")) ]; do sleep 0.05; done"
        return ["sh", "-c", .text(script)]
    }

    private func render(
        _ preset: String, port: Int, statusPort: Int, auth: Node, managementPort: Int = 15672
    ) async throws -> Objects {
        try await Chart.render(
            preset,
            [
                "command": task, "auth": auth,
                "queue": [
                    "host": "127.0.0.1", "port": .number(Double(port)), "name": .text(name),
                    "managementPort": .number(Double(managementPort)),
                ],
                "worker": ["statusPort": .number(Double(statusPort)), "wait": "60s"],
            ])
    }

    /// From the first probe to the exit; `held` looks at the queue while the message is claimed.
    private func expectOneMessageDone(
        _ objects: Objects, _ statusPort: Int, put: () async throws -> Void, held: () async throws -> Void
    ) async throws {
        let pod = try Pod(objects, statusPort: statusPort)
        let readiness = objects.container["readinessProbe"]
        try await eventually(timeout: .seconds(60), "not ready: \(pod.process.report)") {
            try pod.requireRunning()
            return await pod.probe(readiness) == 503
        }
        #expect(await pod.probe(objects.container["livenessProbe"]) == 200)
        try await put()
        try await eventually(timeout: .seconds(60), "ready: \(pod.process.report)") {
            try pod.requireRunning()
            return await pod.probe(readiness) == 200
        }
        try await held()
        try directory.write("", to: "allowed")
        try await pod.process.waitForExit(timeout: .seconds(60))

        #expect(pod.process.status == .exited(0), "\(pod.process.report)")
        #expect(pod.process.stdout.text.contains("the body"))
        #expect(!pod.process.stdout.text.contains(Self.password), "the task knows the password")
        #expect(!pod.process.stderr.text.contains(" warning "), "\(pod.process.stderr.text)")
        let message = try pod.terminationMessage()
        #expect(message["outcome"] == "completed")
        #expect(message["attempt"] == 1)
    }

    @Test(arguments: ["rabbitmq-amqp", "rabbitmq-http", "byo-image"])
    func rabbitMQ(_ preset: String) async throws {
        let server = try await RabbitMQServer.shared()
        try await server.createUser(name, password: Self.password, tags: "management")
        try await server.setPermissions(user: name)
        try await server.declareQueue(name, type: .quorum)
        let statusPort = try FreePort.next()
        let objects = try await render(
            preset, port: server.port, statusPort: statusPort,
            auth: ["username": .text(name), "password": .text(Self.password)],
            managementPort: server.managementPort)
        let metadata = objects.spec["triggers.0.metadata"]
        let url = try #require(try objects.authentication()["host"].flatMap { URLComponents(string: $0) })
        #expect(metadata["protocol"].text == url.scheme)

        try await expectOneMessageDone(objects, statusPort) {
            try await server.publish("the body", to: name)
        } held: {
            let queue = try #require(metadata["queueName"].text)
            #expect(try await server.depth(of: queue) == .init(ready: 0, unacknowledged: 1))
            // What KEDA is given opens the queue.
            if url.scheme == "http" {
                #expect(url.port == server.managementPort)
                let answer = try await server.manage(
                    "GET", "/api/queues/%2F/\(queue)", user: url.user ?? "", password: url.password ?? "")
                #expect(answer.status == 200)
            } else {
                let asked = try await run(
                    .semelctl, ["queue", "--queue", "\(url.string ?? "")?queue=\(queue)"])
                #expect(asked.status == .exited(0), "\(asked.stderrText)")
            }
        }
        #expect(try await server.depth(of: name) == .init(ready: 0, unacknowledged: 0))
    }

    @Test(arguments: ["redis-list", "redis-list-lpop"])
    func redisList(_ preset: String) async throws {
        let server = try await Self.redis.get()
        try await server.command("ACL", "SETUSER", "\(name)", "on", ">\(Self.password)", "~*", "+@all")
        let statusPort = try FreePort.next()
        let objects = try await render(
            preset, port: server.port, statusPort: statusPort,
            auth: ["username": .text(name), "password": .text(Self.password)])
        let triggers = objects.spec["triggers"].items
        #expect(triggers.allSatisfy { $0["metadata.address"].text == "127.0.0.1:\(server.port)" })
        #expect(try objects.authentication() == ["username": name, "password": Self.password])

        /// The sum of what the triggers count, in KEDA's way.
        func counted() async throws -> Int {
            let script = """
                local kind = redis.call('type', KEYS[1]).ok
                return redis.call(kind == 'zset' and 'zcard' or 'llen', KEYS[1])
                """
            var sum = 0
            for trigger in triggers {
                let key = RedisArgument(trigger["metadata.listName"].text ?? "")
                sum += try await server.command("EVAL", "\(script)", "1", key).integer ?? 0
            }
            return sum
        }
        try await expectOneMessageDone(objects, statusPort) {
            try await server.command("RPUSH", "\(name)", "the body")
        } held: {
            // Held messages count where a lease holds them, and are gone at most once.
            let count = try await counted()
            #expect(count == (preset == "redis-list" ? 1 : 0))
        }
        let count = try await counted()
        #expect(count == 0)
    }
}
