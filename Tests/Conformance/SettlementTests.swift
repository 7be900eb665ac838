import Semel
import TestSupport
import Testing

/// The four ways in which a worker ends its claim.
@Suite(.gated, .timeLimit(.minutes(5)))
struct SettlementTests {
    @Test(arguments: QueueKind.allCases, ClaimTests.waits)
    func completed(_ kind: QueueKind, _ request: ClaimRequest) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        try await queue.mustClaim(request).settle(.complete(result: nil))
        // Known to be taken, not merely on its way.
        #expect(try await queue.left() == .nothing)
        #expect(try await queue.claim() == nil)
    }

    /// Not before its time, and then as the next attempt.
    @Test(arguments: QueueKind.allCases)
    func retried(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let delay = Duration.seconds(1)
        try await queue.put("a")
        try await queue.mustClaim().settle(.retry(after: delay))
        let settled = ContinuousClock.now
        #expect(try await queue.left() == Left(delayed: 1))
        #expect(try await queue.claim() == nil)
        let second = try await queue.mustClaim()
        // The delay began before the settlement was confirmed.
        #expect(ContinuousClock.now - settled > delay - .milliseconds(250))
        #expect(second.message.attempt == 2)
        #expect(!second.message.attemptIsUncounted)
        #expect(try second.message.text == "a")
        try await second.settle(.retry(after: .zero))
        let third = try await queue.mustClaim()
        #expect(third.message.attempt == 3)
        try await third.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func retriedByAWaitingWorker(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        let first = try await queue.mustClaim()
        let waiting = try await queue.waiting()
        try await first.settle(.retry(after: .milliseconds(300)))
        let second = try #require(try await waiting.value)
        #expect(second.message.attempt == 2)
        try await second.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases, [Int32?.none, 65])
    func deadLettered(_ kind: QueueKind, _ exit: Int32?) async throws {
        let queue = try await kind.make()
        var letter = DeadLetter.example
        letter.exit = exit
        try await queue.put("a")
        try await queue.mustClaim().settle(.deadLetter(letter))
        #expect(try await queue.left() == .oneDead)
        #expect(try await queue.claim() == nil)
        let seen = try await queue.deadLetter()
        #expect(seen.text == "a")
        #expect(seen.reason == letter.reason)
        #expect(seen.attempts == letter.attempts)
        #expect(seen.exit == exit.map(Int.init))
        #expect(seen.output == letter.output.joined(separator: "\n"))
    }

    /// At once, and as the same attempt where the queue can do that.
    @Test(arguments: QueueKind.allCases)
    func released(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let step = kind.traits.uncountsReleases ? 0 : 1
        try await queue.put("a")
        try await queue.mustClaim().settle(.release)
        let again = try await queue.mustClaim()
        #expect(again.message.attempt == 1 + step)
        #expect(!again.message.attemptIsUncounted)
        try await again.settle(.retry(after: .zero))
        let second = try await queue.mustClaim()
        #expect(second.message.attempt == 2 + step)
        try await second.settle(.release)
        let third = try await queue.mustClaim()
        #expect(third.message.attempt == 2 + 2 * step)
        #expect(try third.message.text == "a")
        try await third.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }

    /// A claim has one end. Whether a second one is refused or passed over, it changes nothing.
    @Test(arguments: QueueKind.allCases, Ending.allCases)
    func once(_ kind: QueueKind, _ ending: Ending) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        let holder = try await queue.mustClaim()
        try await holder.claim.settle(.complete(result: nil))
        try? await holder.claim.settle(ending.settlement)
        await holder.adapter.close()
        #expect(try await queue.left() == .nothing)
    }
}

/// Each way to settle, for tests of what must not count.
enum Ending: String, CaseIterable {
    case complete, retry, deadLetter, release

    var settlement: Settlement {
        switch self {
        case .complete: .complete(result: nil)
        case .retry: .retry(after: .zero)
        case .deadLetter: .deadLetter(.example)
        case .release: .release
        }
    }
}

extension DeadLetter {
    /// With everything that there may be.
    static let example = DeadLetter(
        reason: "rejected: ‘größer’ than 1", attempts: 3, exit: 65, output: ["one", "  two – 2", "three"],
        worker: "pod-1", time: "2026-11-21T13:27:42.123Z")
}
