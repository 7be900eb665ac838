import Foundation
import TestSupport
import Testing

/// `semelctl explain` with real queues: what it reads is what KEDA would read.
@Suite(.oneLane)
struct CtlExplainQueueTests {
    private func amqp(_ queue: RabbitMQUnderTest, _ more: [String: String] = [:]) -> ScaledJobText {
        // KEDA's URL has no options.
        let host = String(queue.url.prefix { $0 != "?" })
        return ScaledJobText(triggers: [.rabbitMQ(queue.queue, more)], authentication: ["host": host])
    }

    @Test(arguments: [QueueKind.classic, .quorum])
    func messagesThatAreReady(_ kind: QueueKind) async throws {
        let queue = try #require(try await kind.make() as? RabbitMQUnderTest)
        try await queue.put("a", "b", "c")
        let held = try await queue.server.hold(from: queue.queue)
        try await eventually(timeout: .seconds(30), "one is held") {
            try await Explain.reading(amqp(queue).text) == 2
        }
        withExtendedLifetime(held) {}
        let end = try await Explain.run(["-f", "-"], input: amqp(queue).text)
        #expect(end.stdoutText.contains("q = 2, read just now, t = 1"), "\(end.stdoutText)\(end.stderrText)")
        #expect(end.stdoutText.contains("counts: 2 is above 0"))
        let none = try await Explain.run(["-f", "-"], input: amqp(queue, ["activationValue": "2"]).text)
        #expect(none.stdoutText.contains("does not count: 2 is not above 2"), "\(none.stdoutText)")
        #expect(none.stdoutText.contains("Created: 0, since nothing is active"))
    }

    /// Credentials beside the URL, as parameters of their own.
    @Test func credentialsOfTheirOwn() async throws {
        let queue = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        try await queue.put("a")
        var text = amqp(queue)
        text.authentication = [
            "host": "amqp://127.0.0.1:\(queue.server.port)/", "username": queue.user,
            "password": Credentials.password,
        ]
        #expect(try await Explain.reading(text.text) == 1)
    }

    /// Over HTTP what is held counts as well, some seconds late.
    @Test func messagesOverHTTP() async throws {
        let queue = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        let user = "viewer-\(queue.queue)"
        try await queue.server.createUser(user, password: Credentials.password, tags: "management")
        try await queue.server.setPermissions(user: user)
        try await queue.put("a", "b", "c")
        let held = try await queue.server.hold(from: queue.queue)
        let authentication = [
            "host": "http://127.0.0.1:\(queue.server.managementPort)/", "username": user,
            "password": Credentials.password,
        ]
        func text(_ more: [String: String]) -> String {
            ScaledJobText(triggers: [.rabbitMQ(queue.queue, more)], authentication: authentication).text
        }
        try await eventually(timeout: .seconds(60), "the statistics are there") {
            let all = try await Explain.reading(text([:]))
            let ready = try await Explain.reading(text(["excludeUnacknowledged": "true"]))
            return all == 3 && ready == 2
        }
        let pattern = ScaledJobText(
            triggers: [.rabbitMQ("^\(queue.queue)$", ["useRegex": "true", "operation": "max"])],
            authentication: authentication)
        #expect(try await Explain.reading(pattern.text) == 3)
        withExtendedLifetime(held) {}
    }

    @Test func lengthsOfEveryTypeOfKey() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        try await queue.put("a", "b", "c")
        try await queue.server.command("ZADD", queue.key("zset"), "1", "x", "2", "y")
        try await queue.server.command("SADD", queue.key("set"), "x")
        try await queue.server.command("HSET", queue.key("hash"), "a", "1", "b", "2", "c", "3", "d", "4")
        try await queue.server.command("XADD", queue.key("stream"), "*", "a", "b")
        func text(_ key: String) -> String {
            ScaledJobText(
                triggers: [.redis(key, address: "127.0.0.1:\(queue.server.port)")],
                authentication: ["username": queue.list, "password": Credentials.password]
            ).text
        }
        let prefix = "{\(queue.list)}"
        #expect(try await Explain.reading(text(queue.list)) == 3)
        #expect(try await Explain.reading(text("\(prefix):zset")) == 2)
        #expect(try await Explain.reading(text("\(prefix):set")) == 1)
        #expect(try await Explain.reading(text("\(prefix):hash")) == 4)
        #expect(try await Explain.reading(text("\(prefix):none")) == 0)
        let stream = try await Explain.run(["-f", "-"], input: text("\(prefix):stream"))
        #expect(stream.status == .exited(78))
        #expect(stream.complaint.contains("is neither list, sorted set, set nor hash"), "\(stream.stderrText)")
    }

    /// Two entries of three are read by a group, and one of these is acknowledged.
    @Test func entriesOfAStream() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        let key = queue.key("stream")
        for id in ["1-1", "1-2", "1-3"] { try await queue.server.command("XADD", key, "\(id)", "a", "b") }
        try await queue.server.command("XGROUP", "CREATE", key, "g", "0")
        try await queue.server.command("XREADGROUP", "GROUP", "g", "c", "COUNT", "2", "STREAMS", key, ">")
        try await queue.server.command("XACK", key, "g", "1-1")
        func text(_ parameters: [(name: String, value: String)]) -> String {
            ScaledJobText(
                triggers: [
                    .init(
                        type: "redis-streams",
                        metadata: [
                            ("address", "127.0.0.1:\(queue.server.port)"), ("stream", "{\(queue.list)}:stream"),
                        ] + parameters)
                ], authentication: ["username": queue.list, "password": Credentials.password]
            ).text
        }
        #expect(try await Explain.reading(text([("streamLength", "1")])) == 3)
        #expect(try await Explain.reading(text([("consumerGroup", "g"), ("lagCount", "1")])) == 1)
        #expect(try await Explain.reading(text([("consumerGroup", "new"), ("lagCount", "1")])) == 3)
        #expect(try await Explain.reading(text([("consumerGroup", "g"), ("pendingEntriesCount", "1")])) == 1)
        let nobody = text([("consumerGroup", "new"), ("pendingEntriesCount", "1")])
        let refused = try await Explain.run(["-f", "-"], input: nobody)
        #expect(refused.status == .exited(78))
        #expect(refused.complaint.contains("has no such consumer group"), "\(refused.stderrText)")
    }

    @Test func queuesThatCannotBeRead() async throws {
        let rabbitMQ = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        let redis = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        var refused = amqp(rabbitMQ)
        refused.authentication = ["host": "amqp://\(rabbitMQ.user):wrong@127.0.0.1:\(rabbitMQ.server.port)/"]
        var missing = amqp(rabbitMQ)
        missing.triggers = [.rabbitMQ("nowhere")]
        var http = missing
        http.authentication = ["host": "http://guest:guest@127.0.0.1:\(rabbitMQ.server.managementPort)/"]
        var httpRefused = http
        httpRefused.authentication = ["host": "http://guest:wrong@127.0.0.1:\(rabbitMQ.server.managementPort)/"]
        var redisRefused = ScaledJobText(triggers: [.redis("x", address: "127.0.0.1:\(redis.server.port)")])
        redisRefused.authentication = ["username": redis.list, "password": "wrong"]
        let cases: [(ScaledJobText, Int32, String)] = [
            (refused, 77, "refused"), (missing, 78, "no queue 'nowhere'"), (http, 78, "no queue ‘nowhere’ (404)"),
            (httpRefused, 77, "refused: 401"), (redisRefused, 77, "refused: WRONGPASS"),
            (ScaledJobText(triggers: [.rabbitMQ()]), 69, "refused"),
            (ScaledJobText(triggers: [.rabbitMQ()], authentication: ["host": "http://127.0.0.1:1/"]), 69, "refused"),
            (ScaledJobText(triggers: [.redis("x")]), 69, "refused"),
            (ScaledJobText(triggers: [.rabbitMQ()], authentication: ["host": "amqps://127.0.0.1:1/"]), 69, "refused"),
        ]
        for (text, status, complaint) in cases {
            let end = try await Explain.run(["-f", "-"], input: text.text)
            #expect(end.status == .exited(status) && end.stdout.isEmpty, "\(end.stderrText)")
            #expect(end.complaint.contains("spec.triggers[0]"), "\(end.stderrText)")
            #expect(end.complaint.lowercased().contains(complaint.lowercased()), "\(end.stderrText)")
        }
    }

    @Test func whatIsInTheClusterOnly() async throws {
        var text = ScaledJobText(triggers: [.rabbitMQ()]).text
        text = String(text[..<(try #require(text.range(of: "---\napiVersion: v1\nkind: Secret"))).lowerBound])
        let end = try await Explain.run(["-f", "-"], input: text)
        #expect(end.status == .exited(78))
        #expect(
            end.complaint
                == "standard input:10: spec.triggers[0]: host is not known: Secret ‘secret’ is not in the files; "
                + "give it with --metric 0=VALUE")
        let given = try await Explain.run(["-f", "-", "--metric", "0=4"], input: text)
        #expect(given.status == .exited(0), "\(given.stderrText)")
    }
}
