import Foundation
import Glibc
import TestSupport
import Testing

/// What goes with a body, and where it goes.
@Suite(.oneLane)
struct CtlEnqueuePropertiesTests {
    /// What a task sees of a message besides its body.
    private static let report = Shell.run(
        #"printf '%s\n%s\n%s\n' "$SEMEL_MESSAGE_ID" "$SEMEL_CONTENT_TYPE" "$SEMEL_HEADERS"; cat"#)

    @Test(arguments: QueueKind.allCases.filter(\.traits.carriesHeaders))
    func reachTheTask(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let (maybe, key) = kind.traits.carriesAnyHeader ? ("", "ключ") : ("not", "key")
        try await Ctl.enqueue(
            queue, "--id", "order 17/ü", "--content-type", "text/plain; charset=utf-8", "--header", "colour=dark = red",
            "--header", "maybe=\(maybe)", "--header", "\(key)=значение", input: Array("body".utf8))
        let end = try await Worker.run(queue, task: Self.report)
        #expect(end.status == .exited(0), "\(end.stderr)")
        let lines = end.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        try #require(lines.count == 4)
        #expect(lines[0] == "order 17/ü")
        #expect(lines[1] == "text/plain; charset=utf-8")
        #expect(lines[3] == "body")
        #expect(
            try kind.traits.headersOfTheProducer(lines[2])
                == ["colour": "dark = red", "maybe": maybe, key: "значение"])
        #expect(end.report?.messageId == "order 17/ü")
    }

    @Test(arguments: QueueKind.allCases.filter(\.traits.carriesHeaders))
    func everyMessageHasThem(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Ctl.enqueue(queue, "--lines", "--header", "a=1", "--content-type", "x/y", input: Array("1\n2".utf8))
        for body in ["1", "2"] {
            let end = try await Worker.run(queue, task: Self.report)
            let lines = end.text.split(separator: "\n")
            try #require(lines.count == 4, "\(end.stderr)")
            #expect(lines[1] == "x/y")
            #expect(try kind.traits.headersOfTheProducer(lines[2]) == ["a": "1"])
            #expect(lines[3] == body)
        }
    }

    @Test(arguments: [QueueKind.classic, .quorum])
    func messagesArePersistentAndDated(_ kind: QueueKind) async throws {
        let queue = try #require(try await kind.make() as? RabbitMQUnderTest)
        try await Ctl.enqueue(queue, "plain")
        let messages = try await queue.server.messages(in: queue.queue)
        let properties = try #require(messages.first).properties
        #expect(properties.deliveryMode == 2)
        #expect(properties.messageID?.isEmpty == false)
        #expect(properties.contentType == nil)
        #expect(abs(Date().timeIntervalSince1970 - Double(properties.timestamp ?? 0)) < 300)
        #expect(properties.headers.keys.allSatisfy { $0.hasPrefix("x-") })
    }

    @Test(arguments: [(["--header", "a=1"], "headers"), (["--content-type", "a/b"], "a content type")])
    func aRedisListHasNoPlaceForThem(_ flags: [String], _ what: String) async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        let end = try await Ctl.run(queue, ["enqueue"] + flags + ["body"])
        #expect(end.status == .exited(78))
        #expect(
            end.complaint
                == "SEMEL_QUEUE: a Redis list holds plain bodies: a message in ‘\(queue.list)’ cannot have \(what)")
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: ["body", "id", "content-type"])
    func aStreamHasOtherUsesForThem(_ name: String) async throws {
        let queue = try await RedisUnderTest(as: .stream)
        let end = try await Ctl.run(queue, "enqueue", "--header", "\(name)=1", "body")
        #expect(end.status == .exited(78))
        #expect(end.complaint.contains("‘\(queue.list)’ cannot have a header ‘\(name)’"), "\(end.complaint)")
        #expect(try await queue.left() == .nothing)
    }

    // MARK: Ids of messages in Redis lists

    /// The list stays one of raw bodies, for whoever else reads it.
    @Test func anIDInRedisIsKeptBesideTheList() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        try await Ctl.enqueue(queue, "--id", "order:17", input: SampleBytes.all)
        #expect(try await queue.readyBodies() == [SampleBytes.all])
        #expect(try await queue.otherKeys() == ["{\(queue.list)}:named"])
        let end = try await Worker.run(queue, task: Shell.run(#"printf %s "$SEMEL_MESSAGE_ID""#))
        #expect(end.text == "order:17")
        #expect(end.report?.messageId == "order:17")
        #expect(try await queue.otherKeys() == [])
    }

    @Test func anIDInRedisOutlivesReleasesAndRetries() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        try await Ctl.enqueue(queue, "--id", "order:17", "body")
        let stopped = try Worker(queue, task: Shell.untilStopped)
        try await stopped.waitForTask()
        stopped.process.send(SIGTERM)
        #expect(try await stopped.end().report?.messageId == "order:17")
        #expect(try await queue.left() == Left(ready: 1))
        let failed = try await Worker.run(queue, task: Shell.failing)
        #expect(failed.report?.messageId == "order:17")
        #expect(failed.report?.attempt == 1)
        let end = try await Worker.run(queue, task: Shell.succeeding)
        #expect(end.report?.messageId == "order:17")
        #expect(end.report?.attempt == 2)
        #expect(try await queue.left() == .nothing)
        #expect(try await queue.otherKeys() == [])
    }

    /// Ids are the producers' affair; that two are the same must not cost a message.
    @Test func twoMessagesWithOneIDInRedisAreTwo() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        let files = try Ledger()
        try await Ctl.enqueue(queue, "--id", "twice", "first")
        try await Ctl.enqueue(queue, "--id", "twice", "second")
        let first = try Worker(queue, task: Shell.until(files.path("go")))
        try await first.waitForTask()
        let second = try await Worker.run(queue, task: Shell.succeeding)
        #expect(second.text == "second")
        #expect(second.report?.messageId != "twice")
        try files.create("go")
        let end = try await first.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.report?.messageId == "twice")
        #expect(try await queue.left() == .nothing)
        #expect(try await queue.otherKeys() == [])
    }

    /// A body that somebody else has taken off the list leaves its id behind, for the next that is like it.
    @Test func aPlainConsumerTakesTheBodyAlone() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        try await Ctl.enqueue(queue, "--id", "left behind", "body")
        #expect(try await queue.server.command("LPOP", "\(queue.list)").text == "body")
        try await queue.put("bodz", "longer body")
        for body in ["bodz", "longer body"] {
            let end = try await Worker.run(queue, task: Shell.succeeding)
            #expect(end.text == body)
            #expect(end.report?.messageId != "left behind")
        }
    }

    // MARK: --declare

    @Test func declareMakesAQuorumQueue() async throws {
        let queue = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        try await queue.server.deleteQueue(queue.queue)
        let missing = try await Ctl.run(queue, "enqueue", "body")
        #expect(missing.status == .exited(78))
        #expect(
            missing.complaint
                == "SEMEL_QUEUE: RabbitMQ at 127.0.0.1:\(queue.server.port) has no queue ‘\(queue.queue)’; "
                + "declare it, or let --declare do so")
        try await Ctl.enqueue(queue, "--declare", "body")
        #expect(try await queue.type() == "rabbit_quorum_queue")
        #expect(try await queue.readyTexts() == ["body"])
        try await Ctl.enqueue(queue, "--declare", "again")
        #expect(try await queue.left() == Left(ready: 2))
    }

    @Test func declareLeavesAQueueAsItIs() async throws {
        let queue = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        try await Ctl.enqueue(queue, "--declare", "body")
        #expect(try await queue.type() == "rabbit_classic_queue")
        #expect(try await queue.readyTexts() == ["body"])
    }

    @Test(arguments: [QueueKind.spool, .redis, .stream])
    func declareIsNotNeededElsewhere(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Ctl.enqueue(queue, "--declare", "body")
        #expect(try await queue.readyTexts() == ["body"])
    }

    @Test func aSpoolIsMade() async throws {
        let folder = try TemporaryDirectory("nothing-yet")
        let url = "spool:" + folder.path("spool")
        let missing = try await run(.semelctl, ["queue", "--queue", url])
        #expect(missing.status == .exited(78))
        #expect(missing.stderrText.contains("does not exist; ‘semelctl enqueue’ creates it"))
        let end = try await run(.semelctl, ["enqueue", "--queue", url, "body"])
        #expect(end.status == .exited(0), "\(end.stderrText)")
        let worker = try await Worker(url: url, task: Shell.succeeding).end()
        #expect(worker.text == "body")
    }
}

extension RabbitMQUnderTest {
    fileprivate func type() async throws -> String {
        let bytes = queue.utf8.map(String.init).joined(separator: ",")
        return try await server.evaluate(
            """
            {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<\(bytes)>>)), amqqueue:get_type(Q)
            """)
    }
}
