import Logging
import Semel
import SemelSpool
import Testing

/// A spool of a test's own.
struct SpoolFixture {
    let root: TemporaryDirectory
    let address: SpoolAddress

    init() throws {
        root = try TemporaryDirectory()
        address = try SpoolAddress(QueueURL("spool:\(root.path)", source: "--queue"))
        for room in ["ready", "delayed", "claimed", "done", "dead", "meta", "incoming"] {
            try Files.makeDirectory(root / room)
        }
    }

    func path(_ name: String) -> String { root / name }

    func put(_ text: String, _ name: String) throws { try Files.write(text, to: path(name)) }

    func names(_ room: String) throws -> [String] { try Files.names(in: path(room)) }

    func queue() throws -> SpoolQueue { try SpoolQueue(address, log: .silent) }

    /// One look by a worker of its own, which stays alive as long as the claim.
    func claim(_ request: ClaimRequest = ClaimRequest(wait: .upTo(.zero))) async throws -> (any Claim)? {
        try await queue().claim(request)
    }

    func mustClaim(sourceLocation: SourceLocation = #_sourceLocation) async throws -> any Claim {
        try #require(try await claim(), sourceLocation: sourceLocation)
    }

    func produce(_ messages: [OutgoingMessage]) async throws {
        let producer = try SpoolProducer(address)
        try await producer.enqueue(messages)
        await producer.close()
    }

    func counts() async throws -> QueueCounts {
        let inspector = try SpoolInspector(address)
        let counts = try await inspector.counts()
        await inspector.close()
        return counts
    }
}

extension Message {
    var text: String { (try? body.bytes()).map { String(decoding: $0, as: UTF8.self) } ?? "unreadable" }
}

extension DeadLetter {
    static let example = DeadLetter(
        reason: "it was rejected", attempts: 3, exit: 65, output: ["one", "two"], worker: "pod-1",
        time: "2026-11-21T13:27:42.123Z")
}
