import TestSupport
import Testing

/// `amqp://h1,h2/…`: the first that answers, for every connection anew.
@Suite(.throttled)
struct SeveralHostsTests {
    /// Of the queue, at these ports in turn.
    private func url(_ queue: RabbitMQUnderTest, _ ports: Int...) -> String {
        queue.url(at: ports[0]).replacing(
            ":\(ports[0])/", with: ":\(ports.map(String.init).joined(separator: ",127.0.0.1:"))/")
    }

    private func work(_ url: String, _ flags: [String] = [], task: [String]) async throws -> WorkerEnd {
        try await Worker(url: url, ["--wait", "10s"] + flags, secrets: Credentials.secrets, task: task).end()
    }

    @Test(arguments: [false, true])
    func theFirstIsDown(overTLS: Bool) async throws {
        let queue = try await RabbitMQUnderTest(.quorum, over: overTLS ? .shared() : nil)
        let port = try #require(queue.port)
        let closed = try FreePort.next()
        try await queue.put("m", "n", "o")
        try await work(url(queue, closed, port), task: ["true"]).expect(0, "completed")
        // The publisher's connection as well.
        try await work(url(queue, closed, port), task: Shell.rejecting).expect(65, "dead-lettered")
        try await work(url(queue, port, closed), task: ["true"]).expect(0, "completed")
        try await queue.waitUntilLeft(.oneDead)
    }

    /// A host that is not there at all must not use up the time of the next one.
    @Test func theFirstIsSilent() async throws {
        let queue = try await RabbitMQUnderTest(.quorum)
        let hole = try BlackHole()
        let listener = try TCPProxy(to: queue.server.port)
        await listener.freeze()
        try await queue.put("m", "n")
        try await work(url(queue, hole.port, queue.server.port), task: ["true"]).expect(0, "completed")
        // It takes the connection and says nothing.
        try await work(url(queue, listener.port, queue.server.port), task: ["true"]).expect(0, "completed")
    }

    @Test func allAreDown() async throws {
        let queue = try await RabbitMQUnderTest(.classic)
        let (one, other) = (try FreePort.next(), try FreePort.next())
        try await work(url(queue, one, other), task: ["true"]).expect(
            69, "unreachable", saying: "no RabbitMQ at 127.0.0.1:\(one) (no connection: refused",
            ", 127.0.0.1:\(other) (no connection: refused")
    }

    /// What the first one says that answers is not asked of the next one.
    @Test func aRefusalEndsTheSearch() async throws {
        let queue = try await RabbitMQUnderTest(.classic)
        let next = try queue.proxy()
        let wrong = try #require(queue.urlWithWrongCredentials)
        let port = queue.server.port
        try await work(
            wrong.replacing(":\(port)/", with: ":\(port),127.0.0.1:\(next.port)/"), task: ["true"]
        ).expect(77, "refused", saying: "refused")
        #expect(await next.acceptedCount == 0)
    }

    /// The claim is on the first host, and when the task has failed that one takes no more connections.
    @Test func theNextConnectionGoesElsewhere() async throws {
        let queue = try await RabbitMQUnderTest(.quorum)
        let (first, second) = (try queue.proxy(), try queue.proxy())
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(
            url: url(queue, first.port, second.port), ["--retry-delay", "1h"], secrets: queue.secrets,
            task: notes.held(exit: 3))
        try await worker.waitForTask()
        try await first.refuse(true)
        try notes.allow()
        try await worker.end().expect(75, "retry", attempt: 1)
        #expect(await first.acceptedCount == 1)
        #expect(await second.acceptedCount >= 1)
        try await queue.waitUntilLeft(Left(delayed: 1))
    }
}
