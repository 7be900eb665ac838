import Semel
import TestSupport
import Testing

/// How long a worker waits for a message, and what ends the waiting.
@Suite(.gated, .timeLimit(.minutes(5)))
struct WaitingTests {
    @Test(arguments: QueueKind.allCases, [Duration.zero, .milliseconds(300)])
    func endsWithoutAMessage(_ kind: QueueKind, _ limit: Duration) async throws {
        let queue = try await kind.make()
        let started = ContinuousClock.now
        #expect(try await queue.claim(ClaimRequest(wait: .upTo(limit))) == nil)
        #expect(ContinuousClock.now - started >= limit)
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases, [ClaimRequest.soon, .endless])
    func endsWithAMessage(_ kind: QueueKind, _ request: ClaimRequest) async throws {
        let queue = try await kind.make()
        let waiting = try await queue.waiting(request)
        try await queue.put("a")
        let holder = try #require(try await waiting.value)
        #expect(try holder.message.text == "a")
        #expect(holder.message.attempt == 1)
        try await holder.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func endsWhenItIsCancelled(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let waiting = try await queue.waiting()
        waiting.cancel()
        #expect(try await waiting.value == nil)
        // Nothing of it is left that would take a message.
        try await queue.put("a")
        let holder = try await queue.mustClaim()
        #expect(holder.message.attempt == 1)
        #expect(!holder.message.attemptIsUncounted)
        try await holder.settle(.complete(result: nil))
    }

    /// Who is told to stop as a message comes has it or leaves it.
    @Test(arguments: QueueKind.allCases)
    func endsOneWayOrTheOther(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        for _ in 1...4 {
            let waiting = try await queue.waiting()
            async let put: Void = queue.put("a")
            waiting.cancel()
            try await put
            var holder = try await waiting.value
            if holder == nil { holder = try await queue.mustClaim() }
            try await holder?.settle(.complete(result: nil))
            try await queue.waitUntilLeft(.nothing)
        }
    }
}
