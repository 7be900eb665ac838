import Semel
import TestSupport
import Testing

/// A claim lasts until it is settled, and whoever loses it finds out and settles nothing.
@Suite(.gated, .timeLimit(.minutes(5)))
struct HoldingTests {
    /// The shortest that a queue counts in: nothing but the adapter keeps the claim, for several times as long.
    private static let lease = Duration.seconds(2)

    @Test(arguments: QueueKind.allCases)
    func lastsAsLongAsTheTask(_ kind: QueueKind) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        try await queue.put("a")
        let holder = try await queue.mustClaim(.soon.lease(Self.lease))
        // It is a promise about time: nothing happens that could be waited for.
        try await Task.sleep(for: Self.lease * 2.5)
        #expect(holder.claim.loss.value == nil)
        #expect(try await queue.claim() == nil)
        #expect(try await queue.left() == .oneClaimed)
        try await holder.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }

    /// A connection that is cut takes a claim with it, unless the claim is a lease.
    @Test(arguments: QueueKind.remote)
    func outlivesACutWhereItIsALease(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let proxy = try queue.proxy()
        try await queue.put("a")
        let holder = try await queue.mustClaim(.soon.lease(.seconds(20)), through: proxy)
        await proxy.cut()
        if kind.traits.hasLease {
            try await holder.settle(.complete(result: nil))
            try await queue.waitUntilLeft(.nothing)
        } else {
            #expect(await holder.claim.loss.wait() != nil)
            try await queue.waitUntilLeft(.oneReady)
            await #expect(throws: SettlementFailure.self) { try await holder.settle(.complete(result: nil)) }
            try await queue.waitUntilLeft(.oneReady)
        }
    }

    /// The network is gone for longer than the claim lasts, and somebody else has the message by then.
    @Test(arguments: QueueKind.remote, Ending.allCases)
    func isLostWhenItIsSomebodyElses(_ kind: QueueKind, _ ending: Ending) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        let proxy = try queue.proxy()
        try await queue.put("a")
        let first = try await queue.mustClaim(.soon.lease(.seconds(1)), through: proxy)
        await proxy.freeze()
        let second = try await queue.mustClaim(afterCrashOf: 1, .soon.lease(.seconds(30)))
        #expect(await first.claim.loss.wait() != nil)
        await proxy.thaw()
        let failure = await #expect(throws: SettlementFailure.self) { try await first.settle(ending.settlement) }
        guard case .lost = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        try await queue.waitUntilLeft(.oneClaimed)
        #expect(second.claim.loss.value == nil)
        try await second.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }
}
