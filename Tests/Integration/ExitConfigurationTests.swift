import Foundation
import TestSupport
import Testing

/// Exit 64, 69, 77 and 78: no message was claimed, since the worker or its queue is not set up right.
@Suite(.oneLane)
struct ExitConfigurationTests {
    /// What all of these have in common: no task ran, one line says why, and the termination log says the same.
    private func expectNothingRan(
        _ end: WorkerEnd, code: Int32, outcome: String, naming words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(end.status == .exited(code), "\(end.stderr)", sourceLocation: sourceLocation)
        #expect(end.text == "", sourceLocation: sourceLocation)
        #expect(end.report?.outcome == outcome, sourceLocation: sourceLocation)
        #expect(end.report?.messageId == nil, sourceLocation: sourceLocation)
        #expect(end.report?.seconds == 0, sourceLocation: sourceLocation)
        for word in words {
            #expect(end.lastLine.contains(word), sourceLocation: sourceLocation)
            #expect(end.report?.reason?.contains(word) == true, sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: QueueKind.allCases)
    func wrongUsage(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("untouched")
        let task = Shell.run("echo ran")
        for flags in [["--frobnicate", "1"], ["positional"], ["--wait"], ["--wait=1s", "--wait", "2s"]] {
            let end = try await Worker.run(queue, flags, task: task)
            expectNothingRan(end, code: 64, outcome: "usage")
        }
        let noCommand = try await Worker(url: queue.url, secrets: queue.secrets).end()
        expectNothingRan(noCommand, code: 64, outcome: "usage", naming: "SEMEL_COMMAND")
        #expect(try await queue.left() == Left(ready: 1))
    }

    @Test(arguments: QueueKind.allCases)
    func wrongValues(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("untouched")
        let wrong = [
            ("--wait", "soon"), ("--timeout", "-1s"), ("--max-attempts", "0"), ("--retry-delay", "10m..10s"),
            ("--delivery", "exactly-once"), ("--max-message-bytes", "lots"), ("--input", "pipe"),
        ]
        for (flag, value) in wrong {
            let end = try await Worker.run(queue, [flag, value], task: Shell.run("echo ran"))
            expectNothingRan(end, code: 78, outcome: "misconfigured", naming: flag)
        }
        let variables = ["SEMEL_GRACE": "long"]
        let end = try await Worker.run(queue, environment: variables, task: Shell.run("echo ran"))
        expectNothingRan(end, code: 78, outcome: "misconfigured", naming: "SEMEL_GRACE")
        #expect(try await queue.left() == Left(ready: 1))
    }

    @Test func unreachable() async throws {
        let credentials = "integration:\(Credentials.secrets[1])"
        let port = try FreePort.next()
        for url in [
            "amqp://\(credentials)@127.0.0.1:\(port)/?queue=a", "redis://\(credentials)@127.0.0.1:\(port)/0?list=a",
            "amqp://\(credentials)@no-such-host.invalid/?queue=a", "redis://no-such-host.invalid/0?list=a",
        ] {
            let worker = try Worker(url: url, secrets: Credentials.secrets, task: Shell.run("echo ran"))
            expectNothingRan(try await worker.end(), code: 69, outcome: "unreachable")
        }
    }

    @Test(arguments: [RabbitMQServer.QueueType.classic, .quorum])
    func rabbitMQRefuses(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await RabbitMQUnderTest(type, named: "refused-\(type)")
        try await queue.put("untouched")
        let server = queue.server
        let secrets = ["wrong-password", Credentials.password]
        func expectRefused(_ url: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
            let worker = try Worker(url: url, secrets: secrets, task: Shell.run("echo ran"))
            expectNothingRan(
                try await worker.end(), code: 77, outcome: "refused", naming: "SEMEL_QUEUE",
                sourceLocation: sourceLocation)
        }
        try await expectRefused(server.url(queue: queue.queue, user: queue.user, password: "wrong-password"))
        try await expectRefused(server.url(queue: queue.queue, user: "nobody", password: "wrong-password"))

        // A virtual host, then a queue, that this user has no business with.
        try await server.createVirtualHost("elsewhere-\(type)")
        try await expectRefused(
            server.url(
                queue: "a", user: queue.user, password: Credentials.password, virtualHost: "elsewhere-\(type)"))
        try await server.createUser("reader-\(type)", password: Credentials.password)
        try await server.setPermissions(user: "reader-\(type)", configure: "", write: "", read: "others-.*")
        try await expectRefused(
            server.url(queue: queue.queue, user: "reader-\(type)", password: Credentials.password))
        #expect(try await queue.left() == Left(ready: 1))
    }

    @Test func redisRefuses() async throws {
        let queue = try await RedisUnderTest("refused")
        try await queue.put("untouched")
        let server = queue.server
        let secrets = ["wrong-password", Credentials.password]
        func expectRefused(_ url: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
            let worker = try Worker(url: url, secrets: secrets, task: Shell.run("echo ran"))
            expectNothingRan(
                try await worker.end(), code: 77, outcome: "refused", naming: "SEMEL_QUEUE",
                sourceLocation: sourceLocation)
        }
        try await expectRefused(server.url(list: "refused", user: "refused", password: "wrong-password"))
        try await expectRefused(server.url(list: "refused", user: "nobody", password: "wrong-password"))
        // A list that this user has no business with.
        try await expectRefused(server.url(list: "others", user: "refused", password: Credentials.password))
        #expect(try await queue.left() == Left(ready: 1))
    }

    @Test func redisWithOnePasswordForAll() async throws {
        let server = try await RedisServer.start(password: Credentials.password)
        try await server.command("RPUSH", "users", "one")
        let task = Shell.succeeding
        let without = try Worker(url: "redis://127.0.0.1:\(server.port)/0?list=users", task: task)
        expectNothingRan(try await without.end(), code: 77, outcome: "refused")
        let wrong = try Worker(url: server.url(list: "users", password: "wrong"), task: task)
        expectNothingRan(try await wrong.end(), code: 77, outcome: "refused")
        #expect(try await server.command("LLEN", "users").integer == 1)
        let right = try await Worker(url: server.url(list: "users"), secrets: Credentials.secrets, task: task).end()
        #expect(right.status == .exited(0), "\(right.stderr)")
        #expect(right.text == "one")
    }

    @Test func unknownQueues() async throws {
        let rabbitMQ = try await RabbitMQUnderTest(.classic, named: "somewhere")
        let (user, password) = (rabbitMQ.user, Credentials.password)
        let directory = try TemporaryDirectory("no-spool")
        try directory.write("a file", to: "file")
        let redis = try await RedisUnderTest("not-a-list")
        try await redis.server.command("SET", "not-a-list", "text")
        let urls = [
            (rabbitMQ.server.url(queue: "nothing-here", user: user, password: password), "nothing-here"),
            (
                rabbitMQ.server.url(queue: "a", user: user, password: password, virtualHost: "no-such-vhost"),
                "no-such-vhost"
            ),
            ("spool:\(directory.path("missing"))", directory.path("missing")),
            ("spool:\(directory.path("file"))", directory.path("file")),
            (redis.url, "not-a-list"),
        ]
        for (url, name) in urls {
            for wait in ["0", "20s"] {
                let worker = try Worker(
                    url: url, ["--wait", wait], secrets: Credentials.secrets, task: Shell.run("echo ran"))
                expectNothingRan(try await worker.end(), code: 78, outcome: "misconfigured", naming: name)
            }
        }
        // Looking for a queue must not make it.
        #expect(!FileManager.default.fileExists(atPath: directory.path("missing")))
        await #expect(throws: (any Error).self) { try await rabbitMQ.server.depth(of: "nothing-here") }
    }
}
