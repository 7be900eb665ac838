import Foundation
import TestSupport
import Testing

/// `semelctl enqueue --await` when the queue itself is in trouble.
@Suite(.oneLane)
struct CtlAwaitTroubleTests {
    private static let withResult = ["--result", "stdout"]

    @Test func aMessageThatVanishesFromASpool() async throws {
        let queue = try SpoolUnderTest()
        let requester = try Ctl.start(queue, ["enqueue", "--await", "body"])
        try await eventually(timeout: .seconds(60), "it is there") { queue.files("ready").count == 1 }
        try FileManager.default.removeItem(atPath: queue.path("ready/\(queue.files("ready")[0])"))
        let end = try await Ctl.end(of: requester, queue)
        #expect(end.status == .exited(76))
        #expect(end.complaint == "the message is no longer in the queue, and no worker has said why")
    }

    @Test func aMessageThatVanishesFromRedis() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        let requester = try Ctl.start(queue, ["enqueue", "--await", "body"])
        try await eventually(timeout: .seconds(60), "it is there") { try await queue.left().ready == 1 }
        try await queue.server.command("DEL", "\(queue.list)", queue.key("named"))
        let end = try await Ctl.end(of: requester, queue)
        #expect(end.status == .exited(76))
        #expect(end.complaint == "the message is no longer in the queue, and no worker has said why")
    }

    /// A dead letter that somebody tries again at once has not come to its end.
    @Test func aRetriedDeadLetterIsWaitedForInRedis() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        try await Ctl.enqueue(queue, "--id", "m-1", "body")
        try await queue.killAll(1)
        let retry = try await Ctl.run(queue, "dead", "retry", "m-1", "--yes")
        #expect(retry.status == .exited(0), "\(retry.stderrText)")
        let end = try await Worker.run(queue, Self.withResult, task: Shell.succeeding)
        #expect(end.report?.messageId == "m-1")
        #expect(try await queue.result(of: "m-1") == Array("body".utf8))
    }

    /// A result of an earlier message with the same id is not this one's.
    @Test func anOldResultInRedis() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        try await queue.server.command("SET", queue.key("result:m-1"), "old")
        let requester = try Ctl.start(queue, ["enqueue", "--await", "--id", "m-1", "new"])
        let worker = try await Worker.run(queue, Self.withResult, task: Shell.succeeding)
        #expect(worker.status == .exited(0), "\(worker.stderr)")
        let end = try await Ctl.end(of: requester, queue)
        #expect(end.stdoutText == "new")
    }

    @Test func aRedisThatIsStartedAgain() async throws {
        let server = try await RedisServer.start(keepsData: true)
        let url = server.url(list: "again")
        let requester = try RunningProcess(
            .semelctl, ["enqueue", "--await", "body"],
            environment: RunningProcess.environment(adding: ["SEMEL_QUEUE": url]))
        try await eventually(timeout: .seconds(60), "it is there") {
            try await server.command("LLEN", "again").integer == 1
        }
        try await server.restart()
        let worker = try await Worker(url: url, Self.withResult, task: Shell.succeeding).end()
        #expect(worker.status == .exited(0), "\(worker.stderr)")
        try await requester.waitForExit(timeout: .seconds(60))
        #expect(requester.status == .exited(0), "\(requester.report)")
        #expect(requester.stdout.text == "body")
    }

    /// The broker knows the waiting connection and no other: what is left is to say so at once.
    @Test func aRabbitMQConnectionThatBreaks() async throws {
        let queue = try #require(try await QueueKind.quorum.make() as? RabbitMQUnderTest)
        let proxy = try TCPProxy(to: queue.server.port)
        let url = queue.url.replacing(":\(queue.server.port)/", with: ":\(proxy.port)/")
        let requester = try RunningProcess(
            .semelctl, ["enqueue", "--await", "body"],
            environment: RunningProcess.environment(adding: ["SEMEL_QUEUE": url]))
        try await eventually(timeout: .seconds(60), "it is there") { try await queue.left().ready == 1 }
        await proxy.cut()
        try await requester.waitForExit(timeout: .seconds(60))
        #expect(requester.status == .exited(69), "\(requester.report)")
        let said = requester.stderr.text
        // The broker may have it a moment before semelctl knows.
        let ends = ["; the message stays where it is\n", "; the message may be in the queue\n"]
        #expect(ends.contains { said.hasSuffix($0) }, "\(said)")
        let worker = try await Worker.run(queue, Self.withResult, task: Shell.succeeding)
        #expect(worker.status == .exited(0), "\(worker.stderr)")
        #expect(worker.text == "body")
    }
}
