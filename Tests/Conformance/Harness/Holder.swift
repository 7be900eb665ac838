import Glibc
import Semel
import TestSupport
import Testing

/// One worker's adapter and the claim that it has made.
struct Holder: Sendable {
    let adapter: any MessageQueue
    let claim: any Claim

    var message: Message { claim.message }

    /// Settles and goes.
    func settle(_ settlement: Settlement) async throws {
        try await claim.settle(settlement)
        await adapter.close()
    }
}

extension QueueUnderTest {
    /// The claim of a new worker; nothing when it got none.
    func claim(_ request: ClaimRequest = .now, through proxy: TCPProxy? = nil) async throws -> Holder? {
        let adapter = try adapter(through: proxy)
        if let claim = try await adapter.claim(request) { return Holder(adapter: adapter, claim: claim) }
        await adapter.close()
        return nil
    }

    func mustClaim(
        _ request: ClaimRequest = .soon, through proxy: TCPProxy? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Holder {
        try #require(try await claim(request, through: proxy), sourceLocation: sourceLocation)
    }

    /// A new worker claims and completes whatever comes until nothing is there.
    func drain() async throws -> [Message] {
        var messages: [Message] = []
        while let holder = try await claim() {
            messages.append(holder.message)
            try await holder.settle(.complete(result: nil))
        }
        return messages
    }

    /// A worker claims and dies. What a claim holds by itself goes with its last reference, as with a process.
    func crash(lease: Duration = .seconds(1), sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let holder = try await mustClaim(.soon.lease(lease), sourceLocation: sourceLocation)
        await holder.adapter.close()
    }

    /// The claim after one that ended without a settlement. Where the queue does not count those, a worker comes first
    /// that writes it down.
    func mustClaim(
        afterCrashOf attempt: Int, _ request: ClaimRequest = .soon, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Holder {
        let first = try await mustClaim(request, sourceLocation: sourceLocation)
        guard !kind.traits.countsLostAttempts else {
            #expect(!first.message.attemptIsUncounted, sourceLocation: sourceLocation)
            #expect(first.message.attempt == attempt + 1, sourceLocation: sourceLocation)
            return first
        }
        #expect(first.message.attemptIsUncounted, sourceLocation: sourceLocation)
        #expect(first.message.attempt == attempt, sourceLocation: sourceLocation)
        try await first.settle(.retry(after: .zero))
        let second = try await mustClaim(request, sourceLocation: sourceLocation)
        #expect(second.message.attempt == attempt + 1, sourceLocation: sourceLocation)
        return second
    }

    /// A worker that waits for a message, once the queue knows of it.
    func waiting(_ request: ClaimRequest = .endless) async throws -> Task<Holder?, any Error> {
        let task = Task { try await claim(request) }
        try await eventually(timeout: .seconds(30), "a worker waits") { try await isAwaited(by: getpid()) }
        return task
    }
}
