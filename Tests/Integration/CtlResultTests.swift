import Foundation
import TestSupport
import Testing

/// Where a worker with `--result stdout` delivers what its task has printed, and that it does so first.
@Suite(.oneLane)
struct CtlResultTests {
    private static let withResult = ["--result", "stdout"]

    // MARK: RabbitMQ: request and reply

    private func put(
        _ queue: RabbitMQUnderTest, replyTo: String?, correlationID: String? = "c-1"
    ) async throws {
        try await queue.put(
            "body", MessageProperties(correlationID: correlationID, replyTo: replyTo, messageID: "m-1"))
    }

    @Test(arguments: [QueueKind.classic, .quorum], ["c-1", nil])
    func repliesAsAMQPHasIt(_ kind: QueueKind, _ correlationID: String?) async throws {
        let queue = try #require(try await kind.make() as? RabbitMQUnderTest)
        let replies = "replies-" + queue.queue
        try await queue.server.declareQueue(replies)
        try await put(queue, replyTo: replies, correlationID: correlationID)
        let end = try await Worker.run(queue, Self.withResult, task: Shell.run(#"cat; printf '\000\377'"#))
        #expect(end.status == .exited(0), "\(end.stderr)")
        let found = try await queue.server.take(2, from: replies)
        #expect(found.map(\.body) == [Array("body".utf8) + [0, 255]])
        #expect(found.first?.properties.correlationID == correlationID ?? "m-1")
        #expect(found.first?.headers == [:], "a requester who does not know semel needs none of its words")
        #expect(try await queue.left() == .nothing)
    }

    /// Who did not ask to be told of other ends gets a result or nothing.
    @Test(arguments: [([], Shell.succeeding), (withResult, Shell.rejecting)])
    func onlyResultsAreReplies(_ flags: [String], _ task: [String]) async throws {
        let queue = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        let replies = "replies-" + queue.queue
        try await queue.server.declareQueue(replies)
        try await put(queue, replyTo: replies)
        let end = try await Worker.run(queue, flags, task: task)
        #expect([.exited(0), .exited(65)].contains(end.status), "\(end.stderr)")
        #expect(try await queue.server.take(1, from: replies).isEmpty)
    }

    @Test(arguments: [QueueKind.classic, .quorum], ["gone-for-good", "amq.rabbitmq.reply-to.g1h2AA5yZXBseQ.x", nil])
    func nobodyWaits(_ kind: QueueKind, _ replyTo: String?) async throws {
        let queue = try #require(try await kind.make() as? RabbitMQUnderTest)
        try await put(queue, replyTo: replyTo)
        let end = try await Worker.run(queue, Self.withResult, task: Shell.succeeding)
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.stderr.contains(replyTo == nil ? "names no reply_to" : "nobody waits for the result"))
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: [QueueKind.classic, .quorum])
    func aReplyThatIsNotTakenKeepsTheMessage(_ kind: QueueKind) async throws {
        let queue = try #require(try await kind.make() as? RabbitMQUnderTest)
        let replies = "replies-" + queue.queue
        try await queue.server.declareQueue(
            replies, arguments: ["x-max-length": 1, "x-overflow": "reject-publish"])
        try await queue.server.publish("in the way", to: replies)
        try await put(queue, replyTo: replies)
        let end = try await Worker.run(queue, Self.withResult, task: Shell.succeeding)
        #expect(end.status == .exited(75), "\(end.stderr)")
        #expect(end.report?.reason?.contains("the broker did not take a message; is its queue full?") == true)
        #expect(try await queue.left() == Left(ready: 1))
    }

    // MARK: Elsewhere

    @Test(arguments: [["--delivery", "at-least-once"], ["--delivery", "at-most-once"]])
    func redisKeepsAResultForADay(_ delivery: [String]) async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        try await queue.put([SampleBytes.all])
        let end = try await Worker.run(queue, Self.withResult + delivery, task: Shell.succeeding)
        #expect(end.status == .exited(0), "\(end.stderr)")
        let id = try #require(end.report?.messageId)
        #expect(try await queue.result(of: id) == SampleBytes.all)
        let seconds = try await queue.server.command("TTL", queue.key("result:\(id)")).integer
        #expect((86_000...86_400).contains(seconds ?? 0))
    }

    @Test func aSpoolKeepsItBesideTheMessage() async throws {
        let queue = try SpoolUnderTest()
        for round in 1...2 {
            // The same name again must not take the first one's result.
            try queue.put(Array("body \(round)".utf8), as: "m-1")
            let end = try await Worker.run(queue, Self.withResult, task: Shell.run("cat; printf !"))
            #expect(end.status == .exited(0), "\(end.stderr)")
        }
        let names = queue.files("done")
        try #require(names.count == 4)
        for name in names where !name.hasSuffix(".result") {
            let body = try Data(contentsOf: URL(fileURLWithPath: queue.path("done/\(name)")))
            let result = try Data(contentsOf: URL(fileURLWithPath: queue.path("done/\(name).result")))
            #expect(result == body + Data("!".utf8))
        }
        #expect(queue.files("incoming") == [])
    }

    @Test func aResultThatCannotBeWrittenKeepsTheMessage() async throws {
        let queue = try SpoolUnderTest()
        try FileManager.default.createDirectory(
            atPath: queue.path("done/m-1.result"), withIntermediateDirectories: true)
        try queue.put(Array("body".utf8), as: "m-1")
        let end = try await Worker.run(queue, Self.withResult, task: Shell.succeeding)
        #expect(end.status == .exited(75), "\(end.stderr)")
        #expect(end.report?.reason?.contains("handed back to the queue") == true)
        #expect(queue.files("done") == [])
        try FileManager.default.removeItem(atPath: queue.path("done/m-1.result"))
        let again = try await Worker.run(queue, Self.withResult, task: Shell.succeeding)
        #expect(again.status == .exited(0), "\(again.stderr)")
        #expect(queue.files("done") == ["m-1", "m-1.result"])
    }
}
