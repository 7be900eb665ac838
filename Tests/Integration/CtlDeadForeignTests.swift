import Foundation
import TestSupport
import Testing

/// Dead letters that somebody else has put where semel's are.
@Suite(.oneLane)
struct CtlDeadForeignTests {
    private static let unknown = "unknown: not put here by semel"

    @Test(arguments: [RabbitMQServer.QueueType.classic, .quorum])
    func inRabbitMQ(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        let dead = queue.queue + ".dead"
        try await queue.server.declareQueue(dead, type: type)
        try await queue.server.publish("nameless", to: dead)
        try await queue.server.publish(
            "named", to: dead, properties: MessageProperties(headers: ["a": 1], messageID: "m-1"))
        let letters = try await Ctl.objects(queue, "dead", "list", "--json")
        #expect(letters.map { $0["reason"] as? String } == [Self.unknown, Self.unknown])
        #expect(letters.map { $0["id"] as? String } == ["", "m-1"])
        let rows = try await Ctl.run(queue, "dead", "list")
        #expect(rows.stdoutText == "-  -  attempts 0  \(Self.unknown)\n-  m-1  attempts 0  \(Self.unknown)\n")
        let shown = try await Ctl.run(queue, "dead", "show", "m-1")
        #expect(shown.stdoutText.contains("header    a: 1\n"))
        let one = try await Ctl.run(queue, "dead", "retry", "m-1", "--yes")
        #expect(one.status == .exited(0), "\(one.stderrText)")
        #expect(try await queue.readyTexts() == ["named"])
        let rest = try await Ctl.run(queue, "dead", "retry", "--reason", "not put here", "--yes")
        #expect(rest.stderrText == "retried 1 message\n")
        #expect(try await queue.readyTexts() == ["named", "nameless"])
        #expect(try await queue.left() == Left(ready: 2))
    }

    /// What the broker itself has dead-lettered, as `--dead-letter broker` makes it do.
    @Test(arguments: [RabbitMQServer.QueueType.classic, .quorum])
    func byTheBroker(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        let dead = queue.queue + ".dead"
        try await queue.server.declareQueue(dead, type: type)
        try await queue.server.deleteQueue(queue.queue)
        try await queue.server.declareQueue(
            queue.queue, type: type,
            arguments: ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(dead)])
        let requester = try Ctl.start(queue, ["enqueue", "--await", "--id", "m-1", "--header", "a=1", "body"])
        let worker = try await Worker.run(queue, ["--dead-letter", "broker"], task: Shell.rejecting)
        #expect(worker.status == .exited(65), "\(worker.stderr)")
        let told = try await Ctl.end(of: requester, queue)
        #expect(told.status == .exited(65))
        #expect(told.complaint.hasPrefix("dead-lettered: the task rejected the message"))
        try await eventually(timeout: .seconds(30), "the broker has moved it") {
            try await queue.left() == Left(dead: 1)
        }
        #expect(try await Ctl.deadIDs(queue) == ["m-1"])
        let end = try await Ctl.run(queue, "dead", "retry", "--all", "--yes")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        let again = try await Worker.run(
            queue, ["--dead-letter", "broker"], task: Shell.run(#"cat; printf " %s" "$SEMEL_HEADERS""#))
        #expect(again.report?.attempt == 1)
        #expect(again.report?.messageId == "m-1")
        #expect(again.text.hasPrefix(#"body {"a":"1""#))
        #expect(try await queue.left() == .nothing)
    }

    @Test func inRedis() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        let entry = try #require(
            try await queue.server.command("XADD", queue.key("dead"), "*", "body", "only a body").text)
        try await queue.server.command("XADD", queue.key("dead"), "*", "something", "else")
        let letters = try await Ctl.objects(queue, "dead", "list", "--json")
        #expect(letters.map { $0["reason"] as? String } == [Self.unknown, Self.unknown])
        #expect(letters.map { $0["bytes"] as? Int } == [11, 0])
        let shown = try await Ctl.run(queue, "dead", "show", entry, "--body")
        #expect(shown.stdoutText == "only a body")
        let one = try await Ctl.run(queue, "dead", "retry", entry, "--yes")
        #expect(one.stderrText == "retried 1 message\n")
        #expect(try await queue.readyTexts() == ["only a body"])
        #expect(try await queue.left() == Left(ready: 1, dead: 1))
        let worker = try await Worker.run(queue, task: Shell.succeeding)
        #expect(worker.text == "only a body")
    }

    /// More than one page of them, and every one is met once.
    @Test func manyInRedis() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        let replies = try await queue.server.pipeline(
            (0..<105).map {
                ["XADD", queue.key("dead"), "*", "id", "m-\($0)", "body", "b-\($0)", "reason", "r-\($0 % 2)"]
            })
        for case .error(let text) in replies { Issue.record("\(text)") }
        #expect(try await Ctl.deadIDs(queue) == (0..<105).map { "m-\($0)" })
        let end = try await Ctl.run(queue, "dead", "retry", "--reason", "r-1", "--yes")
        #expect(end.stderrText == "retried 52 messages\n")
        #expect(try await queue.readyTexts() == (0..<52).map { "b-\($0 * 2 + 1)" })
        #expect(try await queue.left() == Left(ready: 52, dead: 53))
    }

    @Test func inASpool() async throws {
        let queue = try SpoolUnderTest()
        for room in ["dead"] {
            try FileManager.default.createDirectory(
                atPath: queue.path(room), withIntermediateDirectories: true)
        }
        try Data("no reason".utf8).write(to: URL(fileURLWithPath: queue.path("dead/alone")))
        try Data("riddle".utf8).write(to: URL(fileURLWithPath: queue.path("dead/riddle")))
        try Data("{".utf8).write(to: URL(fileURLWithPath: queue.path("dead/riddle.reason.json")))
        let letters = try await Ctl.objects(queue, "dead", "list", "--json")
        #expect(letters.map { $0["id"] as? String } == ["alone", "riddle"])
        #expect(letters.map { $0["reason"] as? String } == [Self.unknown, "its reason cannot be read"])
        let end = try await Ctl.run(queue, "dead", "retry", "--all", "--yes")
        #expect(end.stderrText == "retried 2 messages\n")
        #expect(queue.files("dead") == [])
        #expect(try await queue.readyTexts() == ["no reason", "riddle"])
    }

    /// Several with one id are one choice.
    @Test(arguments: [QueueKind.spool, .redis, .classic])
    func manyWithOneID(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        for id in ["a", "a", "b"] {
            try await Ctl.enqueue(queue, "--id", id, "body of \(id)")
            try await queue.killAll(1)
        }
        let end = try await Ctl.run(queue, "dead", "retry", "a", "b", "--yes")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stderrText == "retried 3 messages\n")
        #expect(try await queue.left() == Left(ready: 3))
    }
}
