import Semel
import TestSupport
import Testing

/// What `semelctl` asks of a queue: to put messages in, to wait for their ends, to count.
@Suite(.gated, .timeLimit(.minutes(5)))
struct OperationTests {
    @Test(arguments: QueueKind.allCases)
    func aProducerPutsMessagesIn(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let bodies = (1...30).map { Array("message \($0)".utf8) }
        let producer = try queue.producer()
        // None: it only looks whether the queue is there.
        try await producer.enqueue([])
        #expect(try await queue.left() == .nothing)
        try await producer.enqueue(bodies.prefix(12).map { OutgoingMessage(body: $0) })
        try await producer.enqueue(bodies.dropFirst(12).map { OutgoingMessage(body: $0) })
        await producer.close()
        #expect(try await queue.left() == Left(ready: 30))
        let claimed = try await queue.drain().map { try $0.bytes }
        #expect(kind.traits.keepsOrder ? claimed == bodies : Set(claimed) == Set(bodies) && claimed.count == 30)
    }

    /// Enqueues a message, lets a worker end it like this, and answers with what its requester hears.
    private func end(_ queue: any QueueUnderTest, _ settlement: Settlement) async throws -> RequestEnd? {
        let requester = try queue.requester()
        try await requester.enqueue(OutgoingMessage(body: [1]))
        let waiting = Task { try await requester.end() }
        try await queue.mustClaim().settle(settlement)
        let end = try await waiting.value
        await requester.close()
        return end
    }

    @Test(arguments: QueueKind.allCases)
    func aRequesterHearsOfTheEnd(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        #expect(try await end(queue, .complete(result: nil)) == .completed(result: nil))
        for result in [[], Array(0...255)] as [[UInt8]] {
            let body = try MessageBody(result)
            #expect(try await end(queue, .complete(result: body)) == .completed(result: result))
        }
        #expect(
            try await end(queue, .deadLetter(.example)) == .deadLettered(reason: DeadLetter.example.reason))
    }

    /// Its message stays where it is.
    @Test(arguments: QueueKind.allCases)
    func aRequesterCanStopWaiting(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let requester = try queue.requester()
        try await requester.enqueue(OutgoingMessage(body: Array("a".utf8)))
        let waiting = Task { try await requester.end() }
        waiting.cancel()
        #expect(try await waiting.value == nil)
        await requester.close()
        let message = try #require(try await queue.drain().first)
        #expect(try message.text == "a")
    }

    @Test(arguments: QueueKind.allCases)
    func aRequesterHearsOfTheLastAttempt(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let requester = try queue.requester()
        try await requester.enqueue(OutgoingMessage(body: [1], id: "m"))
        let waiting = Task { try await requester.end() }
        try await queue.mustClaim().settle(.retry(after: .zero))
        try await queue.mustClaim().settle(.release)
        let last = try await queue.mustClaim()
        #expect(last.message.id == "m")
        try await last.settle(.complete(result: try MessageBody([7])))
        #expect(try await waiting.value == .completed(result: [7]))
        await requester.close()
        try await queue.waitUntilLeft(.nothing)
    }

    /// The same that its broker counts, and nothing is touched by that.
    @Test(arguments: QueueKind.allCases)
    func anInspectorCounts(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let nothing = QueueCounts(ready: 0, claimed: kind.traits.tellsClaimed ? 0 : nil, delayed: 0, dead: 0)
        #expect(try await queue.counts() == nothing)
        try await queue.put("dies", "waits", "runs", "is ready", "is ready")
        try await queue.mustClaim().settle(.deadLetter(.example))
        try await queue.mustClaim().settle(.retry(after: .seconds(600)))
        let holder = try await queue.mustClaim()
        for _ in 1...2 {
            let counts = try await queue.counts()
            #expect(counts.ready == 2)
            #expect(counts.claimed == (kind.traits.tellsClaimed ? 1 : nil))
            #expect(counts.delayed == 1)
            #expect(counts.dead == 1)
            #expect((counts.oldestSeconds != nil) == kind.traits.tellsAge)
            #expect((0...60).contains(counts.oldestSeconds ?? 0))
            try await queue.waitUntilLeft(Left(ready: 2, claimed: 1, delayed: 1, dead: 1))
        }
        try await holder.settle(.complete(result: nil))
        #expect(try await queue.drain().allSatisfy { $0.attempt == 1 && !$0.attemptIsUncounted })
    }
}
