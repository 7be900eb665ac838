import Glibc
import Semel
import TestSupport
import Testing

/// A claim is one worker's hold on one message.
@Suite(.gated, .timeLimit(.minutes(5)))
struct ClaimTests {
    /// With and without waiting, which may be two ways of asking.
    static let waits: [ClaimRequest] = [.now, .soon]

    @Test(arguments: QueueKind.allCases, waits)
    func holdsOneMessage(_ kind: QueueKind, _ request: ClaimRequest) async throws {
        let queue = try await kind.make()
        try await queue.put("hello")
        let holder = try await queue.mustClaim(request.lease(.seconds(20)))
        let message = holder.message
        #expect(try message.text == "hello")
        #expect(message.size == 5)
        #expect(message.attempt == 1)
        #expect(!message.attemptIsUncounted)
        #expect(!message.id.isEmpty)
        #expect(message.contentType == nil)
        // A broker may tell what it knows itself.
        #expect(message.headers.keys.allSatisfy { $0.hasPrefix("x-") })
        #expect(holder.claim.lease == (kind.traits.hasLease ? .seconds(20) : nil))
        #expect(holder.claim.loss.value == nil)
        // The task gets this as its standard input, and cannot change what its next attempt would get.
        #expect(lseek(message.body.descriptor, 0, SEEK_CUR) == 0)
        #expect(write(message.body.descriptor, "x", 1) == -1)
        try await queue.waitUntilLeft(.oneClaimed)
        try await holder.settle(.complete(result: nil))
    }

    /// Not even for a moment: what was touched would come back as delivered before.
    @Test(arguments: QueueKind.allCases, waits)
    func touchesNoSecondMessage(_ kind: QueueKind, _ request: ClaimRequest) async throws {
        let queue = try await kind.make()
        try await queue.put("a", "b", "c")
        let holder = try await queue.mustClaim(request)
        try await queue.waitUntilLeft(Left(ready: 2, claimed: 1))
        try await holder.settle(.complete(result: nil))
        try await queue.waitUntilLeft(Left(ready: 2))
        let rest = try await queue.drain()
        #expect(rest.count == 2)
        #expect(rest.allSatisfy { $0.attempt == 1 && !$0.attemptIsUncounted })
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases.filter(\.traits.keepsOrder))
    func comesInOrder(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let bodies = (1...8).map { "message \($0)" }
        for body in bodies { try await queue.put(body) }
        #expect(try await queue.drain().map { try $0.text } == bodies)
    }

    @Test(arguments: QueueKind.allCases)
    func isNobodyElses(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        let first = try await queue.mustClaim()
        #expect(try await queue.claim() == nil)
        try await queue.put("b")
        let second = try await queue.mustClaim()
        #expect(try second.message.text == "b")
        #expect(try await queue.claim() == nil)
        try await first.settle(.complete(result: nil))
        try await second.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func isOneWorkersWhenTwoRace(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let workers = [try await queue.waiting(), Task { try await queue.claim(.endless) }]
        try await queue.put("a")
        try await queue.waitUntilLeft(.oneClaimed)
        for worker in workers { worker.cancel() }
        var holders: [Holder] = []
        for worker in workers { holders += [try await worker.value].compactMap(\.self) }
        #expect(holders.count == 1)
        try await holders.first?.settle(.complete(result: nil))
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func isMadeOnceForEachMessage(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let bodies = (1...24).map { "message \($0)" }
        try await queue.put(bodies.map { Array($0.utf8) })
        let claimed = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 1...4 { group.addTask { try await queue.drain().map { try $0.text } } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        // A worker finds nothing for a moment while another one's message is on its way back to the queue: what is left
        // over then is no loss.
        let rest = try await queue.drain().map { try $0.text }
        #expect((claimed + rest).sorted() == bodies.sorted())
        try await queue.waitUntilLeft(.nothing)
    }
}
