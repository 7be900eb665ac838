import Foundation
import Glibc
import TestSupport
import Testing

/// `semelctl queue`: how many messages are in which state.
@Suite(.oneLane)
struct CtlQueueTests {
    /// A queue with messages in every state: 2 ready, 1 claimed, 1 delayed, 1 dead.
    private func fill(_ queue: any QueueUnderTest, until go: String) async throws -> Worker {
        try await queue.put("dead", "delayed", "claimed", "ready", "ready too")
        let rejecting = try await Worker.run(queue, task: Shell.rejecting)
        #expect(rejecting.status == .exited(65), "\(rejecting.stderr)")
        let failing = try await Worker.run(queue, ["--retry-delay", "10m"], task: Shell.failing)
        #expect(failing.status == .exited(75), "\(failing.stderr)")
        let holding = try Worker(queue, task: Shell.until(go))
        try await holding.waitForTask()
        return holding
    }

    @Test(arguments: QueueKind.allCases)
    func countsEveryState(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let files = try Ledger()
        let worker = try await fill(queue, until: files.path("go"))
        let isRabbitMQ = queue is RabbitMQUnderTest
        let counts = try #require(try await Ctl.objects(queue, "queue", "--json").first)
        #expect(Set(counts.keys) == ["queue", "ready", "claimed", "delayed", "dead", "oldestSeconds"])
        #expect(counts["ready"] as? Int == 2)
        #expect(counts["claimed"] as? Int == (isRabbitMQ ? nil : 1))
        #expect(counts["claimed"] is NSNull == isRabbitMQ)
        #expect(counts["delayed"] as? Int == 1)
        #expect(counts["dead"] as? Int == 1)
        #expect(counts["oldestSeconds"] is NSNull == !kind.traits.tellsAge)
        if kind.traits.tellsAge { #expect((0...600).contains(counts["oldestSeconds"] as? Double ?? -1)) }
        let name = try #require(counts["queue"] as? String)
        #expect(!name.contains("@") && (name.contains("q-") || !kind.traits.isRemote))

        let text = try await Ctl.run(queue, "queue")
        #expect(text.status == .exited(0), "\(text.stderrText)")
        let rows = text.stdoutText.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        try #require(rows.count == 2)
        #expect(rows[0] == ["READY", "CLAIMED", "DELAYED", "DEAD", "OLDEST"])
        #expect(Array(rows[1].prefix(4)) == ["2", isRabbitMQ ? "-" : "1", "1", "1"])
        #expect((rows[1].last == "-") == !kind.traits.tellsAge)

        // Looking has touched nothing.
        #expect(try await queue.left() == Left(ready: 2, claimed: 1, delayed: 1, dead: 1))
        try files.create("go")
        let end = try await worker.end()
        #expect(end.report?.attempt == 1)
        let after = try #require(try await Ctl.objects(queue, "queue", "--json").first)
        #expect(after["ready"] as? Int == 2)
        #expect(after["claimed"] as? Int == (isRabbitMQ ? nil : 0))
    }

    @Test(arguments: QueueKind.allCases)
    func anEmptyQueue(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let counts = try #require(try await Ctl.objects(queue, "queue", "--json").first)
        #expect(counts["ready"] as? Int == 0)
        #expect(counts["delayed"] as? Int == 0)
        #expect(counts["dead"] as? Int == 0)
        #expect(counts["oldestSeconds"] is NSNull)
    }

    /// A retry that is due is ready, whoever has noticed.
    @Test func whatIsDueIsReady() async throws {
        let queue = try await QueueKind.redis.make()
        try await queue.put("again")
        let failing = try await Worker.run(queue, ["--retry-delay", "300ms"], task: Shell.failing)
        #expect(failing.status == .exited(75), "\(failing.stderr)")
        try await eventually(timeout: .seconds(30), "it is due") {
            let counts = try await Ctl.objects(queue, "queue", "--json").first
            return counts?["ready"] as? Int == 1 && counts?["delayed"] as? Int == 0
        }
    }

    @Test(arguments: QueueKind.allCases)
    func watchesUntilItIsStopped(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let process = try Ctl.start(queue, ["queue", "--json", "--watch=100ms"])
        try await process.waitForOutput(containing: #""ready":0"#, timeout: .seconds(60))
        try await queue.put("a", "b", "c")
        try await process.waitForOutput(containing: #""ready":3"#, timeout: .seconds(60))
        process.send(SIGTERM)
        let end = try await Ctl.end(of: process, queue)
        #expect(end.status == .signalled(SIGTERM) || end.status == .exited(143), "\(end.status)")
        #expect(end.stderrText == "")
        let lines = end.stdoutText.split(separator: "\n")
        #expect(lines.count >= 2 && lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
    }

    @Test(arguments: ["fast", "99ms", "0", "25h"])
    func anIntervalThatIsNone(_ interval: String) async throws {
        let queue = try await QueueKind.spool.make()
        let end = try await Ctl.run(queue, "queue", "--watch=\(interval)")
        #expect(end.status == .exited(64))
        #expect(end.complaint == "--watch: ‘\(interval)’ is not a time between 100ms and 24h")
    }

    @Test func aMissingRabbitMQQueue() async throws {
        let queue = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        try await queue.server.deleteQueue(queue.queue)
        let end = try await Ctl.run(queue, "queue")
        #expect(end.status == .exited(78))
        #expect(end.complaint.contains("no queue '\(queue.queue)'"), "\(end.complaint)")
        #expect(end.stdout == [])
    }
}
