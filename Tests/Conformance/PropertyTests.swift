import Semel
import TestSupport
import Testing

/// What goes with a body: an id on every queue, a content type and headers where there is room for them.
@Suite(.gated, .timeLimit(.minutes(5)))
struct PropertyTests {
    private let id = "order 17/ü"

    @Test(arguments: QueueKind.allCases)
    func anIDStays(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.enqueue(OutgoingMessage(body: [1], id: id))
        let first = try await queue.mustClaim()
        #expect(first.message.id == id)
        try await first.settle(.retry(after: .zero))
        let second = try await queue.mustClaim()
        #expect(second.message.id == id)
        try await second.settle(.release)
        let third = try await queue.mustClaim()
        #expect(third.message.id == id)
        try await third.settle(.deadLetter(.example))
        #expect(try await queue.visit { _ in .retry }.map(\.messageID) == [id])
        let fourth = try await queue.mustClaim()
        #expect(fourth.message.id == id)
        #expect(fourth.message.attempt == 1)
        try await fourth.settle(.complete(result: nil))
    }

    @Test(arguments: QueueKind.allCases.filter(\.traits.givesIDs))
    func anIDIsGiven(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a", "a")
        let first = try await queue.mustClaim()
        let other = try await queue.mustClaim()
        #expect(first.message.id != other.message.id)
        try await other.settle(.complete(result: nil))
        try await first.settle(.retry(after: .zero))
        let second = try await queue.mustClaim()
        #expect(second.message.id == first.message.id)
        try await second.settle(.complete(result: nil))
    }

    @Test(arguments: QueueKind.allCases.filter(\.traits.carriesHeaders))
    func aContentTypeAndHeadersStay(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let message = OutgoingMessage(
            body: [1], id: id, contentType: "text/plain; charset=utf-8",
            headers: ["traceparent": trace, "colour": "größer"])
        let headers = message.headers.mapValues { HeaderValue.string($0) }
        func expect(_ claimed: Message) {
            #expect(claimed.contentType == message.contentType)
            #expect(claimed.headers.filter { headers[$0.key] != nil } == headers)
            #expect(claimed.traceParent == trace)
        }
        try await queue.enqueue(message)
        let first = try await queue.mustClaim()
        expect(first.message)
        try await first.settle(.retry(after: .zero))
        let second = try await queue.mustClaim()
        expect(second.message)
        try await second.settle(.deadLetter(.example))
        let letter = try #require(try await queue.visit { _ in .retry }.first)
        #expect(letter.contentType == message.contentType)
        #expect(letter.headers == headers)
        let third = try await queue.mustClaim()
        expect(third.message)
        try await third.settle(.complete(result: nil))
    }

    /// What would be lost is refused, and nothing of it is queued.
    @Test(arguments: QueueKind.allCases.filter { !$0.traits.carriesHeaders })
    func areRefusedWhereThereIsNoRoom(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        for message in [
            OutgoingMessage(body: [1], contentType: "a/b"), OutgoingMessage(body: [1], headers: ["a": "b"]),
        ] {
            let failure = await #expect(throws: QueueFailure.self) { try await queue.enqueue(message) }
            guard case .misconfigured = failure else {
                Issue.record("\(String(describing: failure))")
                continue
            }
        }
        #expect(try await queue.left() == .nothing)
    }
}
