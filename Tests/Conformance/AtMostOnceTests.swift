import Semel
import TestSupport
import Testing

/// At most once the message leaves the queue when it is claimed: a crash loses it, and never runs it twice.
@Suite(.gated, .timeLimit(.minutes(5)))
struct AtMostOnceTests {
    private let request = ClaimRequest.soon.delivery(.atMostOnce)

    @Test(arguments: QueueKind.allCases, ClaimTests.waits)
    func takesOneMessageOff(_ kind: QueueKind, _ request: ClaimRequest) async throws {
        let queue = try await kind.make()
        try await queue.put("a", "b")
        let holder = try await queue.mustClaim(request.delivery(.atMostOnce))
        try await queue.waitUntilLeft(.oneReady)
        #expect(holder.message.attempt == 1)
        #expect(holder.claim.lease == nil)
        try await holder.settle(.complete(result: nil))
        let rest = try await queue.drain()
        #expect(try rest.count == 1 && rest[0].attempt == 1 && rest[0].text != holder.message.text)
    }

    @Test(arguments: QueueKind.allCases)
    func losesAMessageByACrash(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        let holder = try await queue.mustClaim(request)
        await holder.adapter.close()
        #expect(try await queue.left() == .nothing)
        #expect(try await queue.claim() == nil)
    }

    @Test(arguments: QueueKind.allCases)
    func keepsADeadLetter(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        try await queue.mustClaim(request).settle(.deadLetter(.example))
        #expect(try await queue.left() == .oneDead)
        let stored = try #require(try await queue.visit().first)
        #expect(stored.letter == .example)
        #expect(stored.body == Array("a".utf8))
    }

    /// The message that is claimed may have run before: that can be told from its attempt.
    @Test(arguments: QueueKind.allCases)
    func tellsOfAnEarlierAttempt(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        try await queue.crash()
        let holder = try await queue.mustClaim(request)
        #expect(holder.message.attempt > 1 || holder.message.attemptIsUncounted)
        try await holder.settle(.deadLetter(.example))
        try await queue.waitUntilLeft(.oneDead)
    }
}
