import Foundation
import TestSupport
import Testing

/// `--result stdout`: what the task prints is delivered before the message is completed.
@Suite(.oneLane)
struct ResultTests {
    private static let flags = ["--result", "stdout"]
    private static let everyByte: [UInt8] = Array(0...255)
    /// Prints every byte value, and something on the other stream that is not the result.
    private static let task = Shell.run(
        #"""
        i=0; while [ $i -lt 256 ]; do printf "\\$(printf %03o $i)"; i=$((i + 1)); done
        echo chatter >&2
        exit "$STATUS"
        """#)

    private func run(_ queue: any QueueUnderTest, exit status: Int = 0) async throws -> WorkerEnd {
        try await Worker.run(
            queue, Self.flags + ["--retry-delay", "1h"], environment: ["STATUS": "\(status)"], task: Self.task)
    }

    private func request(_ name: String, correlationID: String?, replyTo: String?) -> MessageProperties {
        MessageProperties(correlationID: correlationID, replyTo: replyTo, messageID: "request-\(name)")
    }

    @Test(arguments: [RabbitMQServer.QueueType.classic, .quorum])
    func toTheReplyQueue(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await RabbitMQUnderTest(type, named: "requests-\(type)")
        let replies = "replies-\(type)"
        try await queue.server.declareQueue(replies)
        try await queue.put("x", request("1", correlationID: "c-1", replyTo: replies))
        try await queue.put("x", request("2", correlationID: nil, replyTo: replies))
        for id in ["c-1", "request-2"] {
            let end = try await run(queue)
            #expect(end.status == .exited(0), "\(end.stderr)")
            let reply = try #require(try await queue.server.take(from: replies).first)
            #expect(reply.body == Self.everyByte)
            #expect(reply.properties.correlationID == id)
        }
        #expect(try await queue.left() == .nothing)
    }

    @Test func withoutAReplyQueueTheMessageIsCompleted() async throws {
        let queue = try await RabbitMQUnderTest(.quorum, named: "no-reply")
        try await queue.put("x", request("1", correlationID: nil, replyTo: nil))
        try await queue.put("x", request("2", correlationID: nil, replyTo: "replies-that-are-gone"))
        for _ in 1...2 {
            let end = try await run(queue)
            #expect(end.status == .exited(0), "\(end.stderr)")
            #expect(end.report?.outcome == "completed")
        }
        #expect(try await queue.left() == .nothing)
    }

    /// A result that the broker does not take must not be lost with its message.
    @Test func aReplyQueueThatIsFullKeepsTheMessage() async throws {
        let queue = try await RabbitMQUnderTest(.quorum, named: "full-reply")
        let full: [String: AMQPValue] = ["x-max-length": 1, "x-overflow": "reject-publish"]
        try await queue.server.declareQueue("replies-full", arguments: full)
        try await queue.server.publish("the only one", to: "replies-full")
        try await queue.put("x", request("1", correlationID: "c", replyTo: "replies-full"))
        let end = try await run(queue)
        #expect(end.status == .exited(75), "\(end.stderr)")
        #expect(end.report?.outcome == "retry")
        #expect(end.report?.taskExit == 0)
        try await eventually("it is back") {
            let left = try await queue.left()
            return left == Left(ready: 1) || left == Left(delayed: 1)
        }
    }

    @Test func toARedisKey() async throws {
        let queue = try await RedisUnderTest("results")
        try await queue.put("x")
        let end = try await run(queue)
        #expect(end.status == .exited(0), "\(end.stderr)")
        let id = try #require(end.report?.messageId)
        #expect(try await queue.result(of: id) == Self.everyByte)
        #expect(try await queue.server.command("PTTL", queue.key("result:\(id)")).integer ?? 0 > 0)
        #expect(try await queue.left() == .nothing)
        #expect(try await queue.otherKeys() == ["{results}:result:\(id)"])
    }

    @Test func toAFileBesideTheSpoolsMessage() async throws {
        let queue = try SpoolUnderTest()
        try queue.put([1], as: "picture.png")
        let end = try await run(queue)
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(try await queue.result(of: "picture.png") == Self.everyByte)
        #expect(queue.files("done") == ["picture.png", "picture.png.result"])
    }

    @Test(arguments: [QueueKind.spool, .redis])
    func atMostOnceDeliversItToo(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("x")
        let flags = Self.flags + ["--delivery", "at-most-once"]
        let end = try await Worker.run(queue, flags, environment: ["STATUS": "0"], task: Self.task)
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(try await queue.result(of: try #require(end.report?.messageId)) == Self.everyByte)
    }

    @Test(arguments: [QueueKind.spool, .redis], [1, 65])
    func aFailureHasNoResult(_ kind: QueueKind, _ status: Int) async throws {
        let queue = try await kind.make()
        try await queue.put("x")
        let end = try await run(queue, exit: status)
        #expect(end.status == .exited(status == 65 ? 65 : 75), "\(end.stderr)")
        #expect(try await queue.result(of: try #require(end.report?.messageId)) == nil)
    }

    @Test(arguments: [QueueKind.spool, .redis])
    func anEmptyResultIsOne(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("x")
        let end = try await Worker.run(queue, Self.flags, task: ["true"])
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(try await queue.result(of: try #require(end.report?.messageId)) == [])
    }

    /// Without the flag nothing is kept.
    @Test(arguments: [QueueKind.spool, .redis])
    func noneByDefault(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("x")
        let end = try await Worker.run(queue, environment: ["STATUS": "0"], task: Self.task)
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.stdout == Self.everyByte)
        #expect(try await queue.result(of: try #require(end.report?.messageId)) == nil)
    }
}
