import TestSupport
import Testing

/// What a network does to a connection over TLS is noticed as on a plain one.
@Suite(.throttled)
struct TLSConnectionTests {
    private func queue(heartbeat: String) async throws -> RabbitMQUnderTest {
        try await RabbitMQUnderTest(.quorum, over: .shared(), heartbeat: heartbeat)
    }

    /// The broker ends a connection that is silent for two intervals, and so does the worker.
    @Test func heartbeatsGoBothWays() async throws {
        let queue = try await queue(heartbeat: "1s")
        let proxy = try queue.proxy()
        try await queue.put("m")
        let worker = try Worker(queue, through: proxy, task: Shell.run("echo \(Shell.started); sleep 6"))
        try await worker.end().expect(0, "completed", attempt: 1)
        #expect(await proxy.acceptedCount == 1)
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: NetworkFault.allCases.filter { $0 != .shortlyFrozen })
    func whileTheTaskRuns(_ fault: NetworkFault) async throws {
        let queue = try await queue(heartbeat: "1s")
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, through: proxy, task: notes.held())
        try await worker.waitForTask()
        try await fault.strike(proxy, worker, on: queue.kind)
        try await worker.end().expect(76, "lost", attempt: 1)
        await proxy.cut()
        try notes.allow()
        try await queue.nextAttempt(task: notes.held()).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: NetworkFault.allCases.filter { $0 != .shortlyFrozen })
    func whileIdle(_ fault: NetworkFault) async throws {
        let queue = try await queue(heartbeat: "1s")
        let proxy = try queue.proxy()
        let worker = try Worker(queue, ["--wait", "5m"], through: proxy, task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        try await fault.strike(proxy, worker, on: queue.kind)
        try await worker.end().expect(69, "unreachable", saying: "RabbitMQ at 127.0.0.1:\(proxy.port)")
    }

    /// The time for connecting is for the handshake as well.
    @Test func aHandshakeThatIsNotAnswered() async throws {
        let queue = try await queue(heartbeat: "30s")
        let proxy = try queue.proxy()
        await proxy.freeze()
        let worker = try Worker(queue, ["--wait", "0"], through: proxy, task: ["true"])
        try await worker.end(timeout: .seconds(30)).expect(69, "unreachable", saying: "127.0.0.1:\(proxy.port)")
    }
}
