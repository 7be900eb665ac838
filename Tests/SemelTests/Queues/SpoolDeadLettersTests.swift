import Semel
import SemelSpool
import Synchronization
import Testing

@Suite struct SpoolDeadLettersTests {
    /// Goes through the dead letters and answers with what was seen.
    private func visit(
        _ spool: SpoolFixture, _ decide: @escaping @Sendable (StoredDeadLetter) -> DeadLetterAction = { _ in .keep }
    ) async throws -> [StoredDeadLetter] {
        let seen = Mutex<[StoredDeadLetter]>([])
        let store = try SpoolDeadLetters(spool.address)
        try await store.visit { letter in
            seen.withLock { $0.append(letter) }
            return decide(letter)
        }
        await store.close()
        return seen.withLock { $0 }
    }

    private func deadLetter(_ name: String, at time: String, in spool: SpoolFixture) async throws {
        try spool.put("body of \(name)", "ready/\(name)")
        var letter = DeadLetter.example
        letter.time = time
        try await spool.mustClaim().settle(.deadLetter(letter))
    }

    @Test func areSeenOldestFirst() async throws {
        let spool = try SpoolFixture()
        #expect(try await visit(spool).isEmpty)
        try await deadLetter("a", at: "2026-03-01T00:00:00.000Z", in: spool)
        try await deadLetter("b", at: "2026-01-01T00:00:00.000Z", in: spool)
        try await deadLetter("c", at: "2026-02-01T00:00:00.000Z", in: spool)
        let seen = try await visit(spool)
        #expect(seen.map(\.messageID) == ["b", "c", "a"])
        #expect(seen.map { String(decoding: $0.body, as: UTF8.self) } == ["body of b", "body of c", "body of a"])
        #expect(seen[0].letter.reason == "it was rejected")
        #expect(seen[0].letter.output == ["one", "two"])
        #expect(try spool.names("dead").count == 6)
    }

    @Test func areDropped() async throws {
        let spool = try SpoolFixture()
        try await spool.produce([OutgoingMessage(body: [7], id: "m")])
        try await spool.mustClaim().settle(.deadLetter(.example))
        _ = try await visit(spool) { _ in .drop }
        #expect(try spool.names("dead") == [])
        #expect(try spool.names("meta") == [])
        #expect(try await spool.claim() == nil)
    }

    @Test func withoutAReasonAreShownAllTheSame() async throws {
        let spool = try SpoolFixture()
        try spool.put("by hand", "dead/a")
        try spool.put("broken", "dead/b")
        try spool.put("{", "dead/b.reason.json")
        let seen = try await visit(spool)
        #expect(seen.map(\.messageID) == ["a", "b"])
        #expect(seen.map(\.letter.reason) == ["unknown: not put here by semel", "its reason cannot be read"])
    }

    /// A message may be as large as the worker's limit, 128 MiB unless told otherwise.
    @Test func mayBeLarge() async throws {
        let spool = try SpoolFixture()
        try Files.write([UInt8](repeating: 1, count: 17 << 20), to: spool.path("dead/large"))
        let seen = try await visit(spool) { _ in .retry }
        #expect(seen.map(\.body.count) == [17 << 20])
        #expect(try spool.names("ready") == ["large"])
    }
}
