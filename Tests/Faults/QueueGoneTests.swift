import Foundation
import Glibc
import TestSupport
import Testing

/// Somebody deletes or purges the queue under the worker.
@Suite(.throttled)
struct QueueGoneTests {
    // MARK: RabbitMQ

    private func rabbitMQ(_ type: RabbitMQServer.QueueType) async throws -> RabbitMQUnderTest {
        try await RabbitMQUnderTest(type)
    }

    @Test(arguments: RabbitMQServer.QueueType.allCases)
    func deletedWhileIdle(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await rabbitMQ(type)
        let worker = try Worker(queue, ["--wait", "forever"], task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        try await queue.server.deleteQueue(queue.queue)
        try await worker.end().expect(78, "misconfigured", saying: queue.queue, "was deleted")
        try await Worker.run(queue, task: ["true"]).expect(78, "misconfigured", saying: queue.queue, "no queue")
    }

    /// The work is done and there is nothing left to settle.
    @Test(arguments: RabbitMQServer.QueueType.allCases)
    func deletedWhileTheTaskSucceeds(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await rabbitMQ(type)
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, task: notes.held())
        try await worker.waitForTask()
        try await queue.server.deleteQueue(queue.queue)
        try notes.allow()
        try await worker.end().expect(0, "completed", attempt: 1)
    }

    /// Nobody would ever have the next attempt.
    @Test(arguments: RabbitMQServer.QueueType.allCases)
    func deletedWhileTheTaskFails(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await rabbitMQ(type)
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, task: notes.held(exit: 3))
        try await worker.waitForTask()
        try await queue.server.deleteQueue(queue.queue)
        try notes.allow()
        try await worker.end().expect(76, "lost", attempt: 1, saying: "no queue '\(queue.queue)'")
    }

    @Test(arguments: RabbitMQServer.QueueType.allCases)
    func deletedWhileStopping(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await rabbitMQ(type)
        try await queue.put("m")
        let worker = try Worker(queue, task: try Notes().held())
        try await worker.waitForTask()
        try await queue.server.deleteQueue(queue.queue)
        worker.process.send(SIGTERM)
        try await worker.end().expect(76, "lost", attempt: 1, saying: "no queue '\(queue.queue)'")
    }

    /// What is claimed is not purged, and a consumer stays one.
    @Test(arguments: RabbitMQServer.QueueType.allCases)
    func purged(_ type: RabbitMQServer.QueueType) async throws {
        let queue = try await rabbitMQ(type)
        let notes = try Notes()
        try await queue.put("m")
        let running = try Worker(queue, task: notes.held())
        try await running.waitForTask()
        let idle = try Worker(queue, task: notes.held())
        try await queue.waitUntilAwaited(by: idle)
        try await queue.server.purge(queue.queue)
        try notes.allow()
        try await running.end().expect(0, "completed", attempt: 1)
        try await queue.put("next")
        try await idle.end().expect(0, "completed", attempt: 1)
        try await queue.waitUntilLeft(.nothing)
    }

    // MARK: Redis

    /// With everything that belongs to it.
    @Test func redisKeysDeletedWhileTheTaskRuns() async throws {
        let queue = try await RedisUnderTest()
        try await queue.put("m")
        let worker = try Worker(queue, task: try Notes().held())
        try await worker.waitForTask()
        let keys = try await queue.otherKeys()
        try await queue.server.command(["DEL", "\(queue.list)"] + keys.map { RedisArgument($0) })
        try await worker.end().expect(76, "lost", attempt: 1, saying: "or it was deleted")
        try await queue.waitUntilLeft(.nothing)
    }

    /// The list alone: what is claimed is elsewhere.
    @Test func redisListDeleted() async throws {
        let queue = try await RedisUnderTest()
        let notes = try Notes()
        try await queue.put("m", "purged")
        let running = try Worker(queue, task: notes.held())
        try await running.waitForTask()
        try await queue.server.command("DEL", "\(queue.list)")
        let idle = try Worker(queue, task: notes.held())
        try await queue.waitUntilAwaited(by: idle)
        try await queue.server.command("DEL", "\(queue.list)")
        try notes.allow()
        try await running.end().expect(0, "completed", attempt: 1)
        try await queue.put("next")
        try await idle.end().expect(0, "completed", attempt: 1)
        try await queue.waitUntilLeft(.nothing)
        #expect(try await queue.otherKeys() == [])
    }

    /// Somebody has put something else in its place.
    @Test func redisListReplacedWhileIdle() async throws {
        let queue = try await RedisUnderTest()
        let worker = try Worker(queue, ["--wait", "2s"], task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        try await queue.server.command("SET", "\(queue.list)", "text")
        try await worker.end().expect(78, "misconfigured", saying: "‘\(queue.list)’ is not a list")
    }

    // MARK: Spool

    @Test func spoolDeletedWhileIdle() async throws {
        let queue = try SpoolUnderTest()
        let worker = try Worker(queue, ["--wait", "forever"], task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        try FileManager.default.removeItem(atPath: queue.root)
        try await worker.end().expect(78, "misconfigured", saying: queue.root)
    }

    @Test(arguments: [0, 3, 65])
    func spoolDeletedWhileTheTaskRuns(_ status: Int) async throws {
        let queue = try SpoolUnderTest()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, task: notes.held(exit: status))
        try await worker.waitForTask()
        try FileManager.default.removeItem(atPath: queue.root)
        try notes.allow()
        try await worker.end().expect(76, "lost", attempt: 1, saying: "was taken away")
    }

    /// By somebody who wants to have a look at it.
    @Test(arguments: [0, 3, 65, 143])
    func aClaimedFileIsTakenAway(_ status: Int) async throws {
        let queue = try SpoolUnderTest()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, task: notes.held(exit: status))
        try await worker.waitForTask()
        let file = try #require(queue.files("claimed").first)
        try FileManager.default.moveItem(atPath: queue.path("claimed/\(file)"), toPath: queue.path("looked-at"))
        if status == 143 { worker.process.send(SIGTERM) } else { try notes.allow() }
        try await worker.end().expect(76, "lost", attempt: 1, saying: "was taken away")
        try await queue.waitUntilLeft(.nothing)
    }
}
