import Semel
import TestSupport
import Testing

/// Attempts are counted over workers that die, and their messages find another worker.
@Suite(.gated, .timeLimit(.minutes(5)))
struct AttemptTests {
    @Test(arguments: QueueKind.allCases)
    func areCountedOverCrashes(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        try await queue.crash()
        let second = try await queue.mustClaim(afterCrashOf: 1)
        #expect(try second.message.text == "a")
        try await second.settle(.retry(after: .zero))
        try await queue.crash()
        let fourth = try await queue.mustClaim(afterCrashOf: 3)
        try await fourth.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases.filter(\.traits.uncountsReleases))
    func areKeptByARelease(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        try await queue.crash()
        try await queue.mustClaim(afterCrashOf: 1).settle(.release)
        let again = try await queue.mustClaim()
        #expect(again.message.attempt == 2)
        #expect(!again.message.attemptIsUncounted)
        try await again.settle(.complete(result: nil))
    }

    /// Who waits gets the orphan, though nobody puts anything into the queue.
    @Test(arguments: QueueKind.allCases)
    func goOnWithAWaitingWorker(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        var first: Holder? = try await queue.mustClaim(.soon.lease(.seconds(1)))
        let waiting = try await queue.waiting()
        await first?.adapter.close()
        first = nil
        let next = try #require(try await waiting.value)
        #expect(next.message.attempt == (kind.traits.countsLostAttempts ? 2 : 1))
        #expect(next.message.attemptIsUncounted == !kind.traits.countsLostAttempts)
        try await next.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases.filter(\.traits.orphansComeFirst))
    func comeBeforeWhatIsReady(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let lease = Duration.milliseconds(200)
        try await queue.put("a")
        try await queue.crash(lease: lease)
        // Nothing tells that a lease is over but the next claim, which is to find both.
        try await Task.sleep(for: lease * 2)
        try await queue.put("b")
        let first = try await queue.mustClaim(.soon)
        #expect(try first.message.text == "a")
        try await first.settle(.complete(result: nil))
        #expect(try await queue.drain().map { try $0.text } == ["b"])
    }
}
