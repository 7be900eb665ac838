import Foundation
import Glibc
import TestSupport
import Testing

/// The pod of every preset, its Secret resolved, on a real broker: template and worker cannot drift apart.
@Suite struct WorkerTests {
    /// Whatever has to be quoted in a shell, a YAML file or a URL.
    private static let password = "p@ss w/rd+1%:#\"'$(HOME)"
    /// Of Redis' default user, who is all that the plain manifests know.
    private static let plainPassword = "p@ss w/rd+1%:#'$(HOME)"
    private static let redis = SharedInstance { try await RedisServer.start(password: plainPassword) }

    enum Source: String, CaseIterable {
        case chart, kustomization
    }

    private let directory: TemporaryDirectory
    private let name = "k-\(UUID().uuidString.prefix(8).lowercased())"
    private let statusPort: Int

    init() throws {
        directory = try TemporaryDirectory("task")
        statusPort = try FreePort.next()
    }

    /// Says what it sees and waits to be allowed to end.
    private var task: [String] {
        ["sh", "-c", "env; cat; until [ -e \(directory.path("allowed")) ]; do sleep 0.05; done"]
    }

    private func render(_ preset: String, _ queue: Node, user: String?) async throws -> Objects {
        var auth: Node = ["password": .text(Self.password)]
        if let user { auth = ["username": .text(user), "password": .text(Self.password)] }
        // Kubernetes looks for $ in what is written there, so whoever writes it doubles them.
        let words = task.map { Node.text($0.replacing("$", with: "$$")) }
        return try await Chart.render(preset, ["command": .list(words), "auth": auth, "queue": queue])
    }

    /// The same by hand.
    private func edited(_ preset: String, _ settings: [String: String], user: String?) async throws -> Objects {
        let base = try Kustomization(preset)
        try base.set(settings)
        try base.set(["password": user == nil ? Self.plainPassword : Self.password], in: "secret.yaml")
        if let user {
            try base.set(["username": user], in: "secret.yaml")
            let password = Self.password.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            try base.edit("secret.yaml") { $0.replacing("semel:change-me@", with: "\(user):\(password)@") }
        }
        try base.setCommand(task.map { $0.replacing("$", with: "$$") })
        return try await base.build()
    }

    /// From the first probe to the exit; `held` looks at the queue while the message is claimed.
    private func expectOneMessageDone(
        _ objects: Objects, put: () async throws -> Void, held: () async throws -> Void
    ) async throws {
        let pod = try Pod(
            objects, statusPort: statusPort,
            variables: ["SEMEL_STATUS_ADDRESS": "127.0.0.1:\(statusPort)", "SEMEL_WAIT": "60s"])
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

    @Test(arguments: ["rabbitmq-amqp", "rabbitmq-http", "byo-image"], Source.allCases)
    func rabbitMQ(_ preset: String, _ source: Source) async throws {
        let server = try await RabbitMQServer.shared()
        try await server.createUser(name, password: Self.password, tags: "management")
        try await server.setPermissions(user: name)
        // Only Helm doubles a $ by itself.
        let list = source == .chart && preset != "rabbitmq-http" ? "\(name) $(HOME)$$" : name
        try await server.declareQueue(list, type: .quorum)
        let objects: Objects
        switch source {
        case .chart:
            let queue: Node = [
                "host": "127.0.0.1", "port": .number(Double(server.port)), "name": .text(list),
                "managementPort": .number(Double(server.managementPort)),
            ]
            objects = try await render(preset, queue, user: name)
        case .kustomization:
            var settings = ["host": "127.0.0.1", "port": "\(server.port)", "queue": list]
            if preset == "rabbitmq-http" { settings["managementPort"] = "\(server.managementPort)" }
            objects = try await edited(preset, settings, user: name)
        }
        let metadata = objects.spec["triggers.0.metadata"]
        #expect(metadata["queueName"].text == list)
        let url = try #require(try objects.authentication()["host"].flatMap { URLComponents(string: $0) })
        #expect(metadata["protocol"].text == url.scheme)
        #expect(url.port == (preset == "rabbitmq-http" ? server.managementPort : server.port))

        try await expectOneMessageDone(objects) {
            try await server.publish("the body", to: list)
        } held: {
            #expect(try await server.depth(of: list) == .init(ready: 0, unacknowledged: 1))
            try await expectKEDAFindsTheQueue(objects, server)
        }
        // The counts of a quorum queue lag behind.
        try await eventually("the message is gone") {
            try await server.depth(of: list) == .init(ready: 0, unacknowledged: 0)
        }
    }

    /// Ready without a message, done with one after the other, and drained when it is stopped.
    @Test func aDeploymentsPod() async throws {
        let server = try await RabbitMQServer.shared()
        try await server.createUser(name, password: Self.password, tags: "management")
        try await server.setPermissions(user: name)
        try await server.declareQueue(name, type: .quorum)
        let objects = try await Chart.render(
            "rabbitmq-http",
            [
                "command": ["sh", "-c", "cat"], "scaling": ["kind": "deployment"],
                "auth": ["username": .text(name), "password": .text(Self.password)],
                "queue": [
                    "host": "127.0.0.1", "port": .number(Double(server.port)), "name": .text(name),
                    "managementPort": .number(Double(server.managementPort)),
                ],
            ])
        let pod = try Pod(
            objects, statusPort: statusPort, variables: ["SEMEL_STATUS_ADDRESS": "127.0.0.1:\(statusPort)"])
        for probe in ["readinessProbe", "livenessProbe"] {
            try await eventually(timeout: .seconds(60), "\(probe): \(pod.process.report)") {
                try pod.requireRunning()
                return await pod.probe(objects.container[probe]) == 200
            }
        }
        for body in ["the first body", "the second body"] {
            try await server.publish(body, to: name)
            try await pod.process.waitForOutput(containing: body, timeout: .seconds(60))
        }
        try await eventually(timeout: .seconds(60), "both are done") {
            try await server.depth(of: name) == .init(ready: 0, unacknowledged: 0)
        }
        pod.process.send(SIGTERM)
        let status = try await pod.process.waitForExit(timeout: .seconds(60))
        #expect(status == .exited(0), "\(pod.process.report)")
        #expect(!pod.process.stderr.text.contains(" warning "), "\(pod.process.stderr.text)")
    }

    /// Slashes, and whatever else has to be encoded.
    @Test(arguments: [("rabbitmq-amqp", "a/b c+d%2F?"), ("rabbitmq-http", "a/b+c%2F?")])
    func strangeNames(_ preset: String, _ strange: String) async throws {
        let server = try await RabbitMQServer.shared()
        let vhost = "\(name)/\(strange)"
        try await server.createVirtualHost(vhost)
        try await server.createUser(name, password: Self.password, tags: "management")
        try await server.setPermissions(user: name, virtualHost: vhost)
        let queue: Node = [
            "host": "127.0.0.1", "port": .number(Double(server.port)), "name": .text(strange), "vhost": .text(vhost),
            "managementPort": .number(Double(server.managementPort)),
        ]
        let objects = try await render(preset, queue, user: name)
        let path = "/api/queues/\(queryEscaped(vhost))/\(queryEscaped(strange))".replacing("+", with: "%20")
        let declared = try await server.manage("PUT", path, json: [:])
        #expect(declared.status == 201, "\(declared.text)")
        try await expectOneMessageDone(objects) {
            let put = try await run(
                .semelctl, ["enqueue", "the body"],
                environment: RunningProcess.environment(adding: objects.environment()))
            #expect(put.status == .exited(0), "\(put.stderrText)")
        } held: {
            try await expectKEDAFindsTheQueue(objects, server)
        }
    }

    /// What KEDA is given opens the queue, put together in KEDA's way.
    private func expectKEDAFindsTheQueue(_ objects: Objects, _ server: RabbitMQServer) async throws {
        let metadata = objects.spec["triggers.0.metadata"]
        var url = try #require(try objects.authentication()["host"].flatMap { URLComponents(string: $0) })
        let vhost = queryEscaped(metadata["vhostName"].text ?? "")
        let queue = queryEscaped(metadata["queueName"].text ?? "")
        if url.scheme == "http" {
            let answer = try await server.manage(
                "GET", "/api/queues/\(vhost)/\(queue)", user: url.user ?? "", password: url.password ?? "")
            #expect(answer.status == 200, "\(vhost) \(queue)")
        } else {
            // Go's AMQP library escapes a vhost as a path's part, where a space is no plus.
            url.percentEncodedPath = "/" + vhost.replacing("+", with: "%20")
            url.percentEncodedQuery = "queue=" + queue.replacing("+", with: "%20")
            let asked = try await run(.semelctl, ["queue", "--queue", url.string ?? ""])
            #expect(asked.status == .exited(0), "\(asked.stderrText)")
        }
    }

    /// As Go's `url.QueryEscape` does it.
    private func queryEscaped(_ text: String) -> String {
        let plain = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~ ")
        return (text.addingPercentEncoding(withAllowedCharacters: plain) ?? "").replacing(" ", with: "+")
    }

    @Test(arguments: ["redis-list", "redis-list-lpop"], Source.allCases)
    func redisList(_ preset: String, _ source: Source) async throws {
        let server = try await Self.redis.get()
        let objects: Objects
        let list: String
        switch source {
        case .chart:
            // Only Helm doubles a $ by itself, and knows users.
            list = "\(name) $(HOME)$$"
            try await server.command("ACL", "SETUSER", "\(name)", "on", ">\(Self.password)", "~*", "+@all")
            let queue: Node = [
                "host": "127.0.0.1", "port": .number(Double(server.port)), "name": .text(list), "database": 3,
            ]
            objects = try await render(preset, queue, user: name)
            #expect(try objects.authentication() == ["username": name, "password": Self.password])
        case .kustomization:
            list = name
            let settings = ["host": "127.0.0.1", "port": "\(server.port)", "queue": list, "database": "3"]
            objects = try await edited(preset, settings, user: nil)
            #expect(try objects.authentication() == ["password": Self.plainPassword])
        }
        let triggers = objects.spec["triggers"].items
        #expect(triggers.allSatisfy { $0["metadata.address"].text == "127.0.0.1:\(server.port)" })

        /// The sum of what the triggers count, in KEDA's way.
        func counted() async throws -> Int {
            let script = """
                redis.call('select', ARGV[1])
                local kind = redis.call('type', KEYS[1]).ok
                return redis.call(kind == 'zset' and 'zcard' or 'llen', KEYS[1])
                """
            var sum = 0
            for trigger in triggers {
                let key = RedisArgument(trigger["metadata.listName"].text ?? "")
                let database = RedisArgument(trigger["metadata.databaseIndex"].text ?? "0")
                sum += try await server.command("EVAL", "\(script)", "1", key, database).integer ?? 0
            }
            return sum
        }
        try await expectOneMessageDone(objects) {
            let push = "redis.call('select', 3) return redis.call('rpush', KEYS[1], 'the body')"
            try await server.command("EVAL", "\(push)", "1", "\(list)")
        } held: {
            // Held messages count where a lease holds them, and are gone at most once.
            let count = try await counted()
            #expect(count == (preset == "redis-list" ? 1 : 0))
        }
        let count = try await counted()
        #expect(count == 0)
    }
}
