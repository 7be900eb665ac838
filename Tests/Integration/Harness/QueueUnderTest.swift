import Foundation
import TestSupport
import Testing

/// The queues that every promise is tested on.
enum QueueKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case spool, redis, classic, quorum

    var testDescription: String { rawValue }

    /// A fresh queue that no other test knows.
    func make() async throws -> any QueueUnderTest {
        let name = "q-\(UUID().uuidString.prefix(8).lowercased())"
        switch self {
        case .spool: return try SpoolUnderTest()
        case .redis: return try await RedisUnderTest(name)
        case .classic: return try await RabbitMQUnderTest(name, .classic)
        case .quorum: return try await RabbitMQUnderTest(name, .quorum)
        }
    }
}

/// A queue as a user who is not semel sees it: through the broker's own commands, or the files.
protocol QueueUnderTest: Sendable {
    /// With credentials, where the broker has any.
    var url: String { get }
    /// What must never be seen anywhere.
    var secrets: [String] { get }

    func put(_ bodies: [[UInt8]]) async throws
    /// How many messages are where, at this moment.
    func left() async throws -> Left
    func readyBodies() async throws -> [[UInt8]]
    func deadLetters() async throws -> [DeadLetterSeen]
    /// Whether this worker has claimed nothing yet and waits for a message.
    func isAwaited(by worker: Worker) async throws -> Bool
    /// The result that was delivered for a message, where the queue has a place for it.
    func result(of id: String) async throws -> [UInt8]?
}

extension QueueUnderTest {
    func put(_ bodies: String...) async throws {
        try await put(bodies.map { Array($0.utf8) })
    }

    func readyTexts() async throws -> [String] {
        try await readyBodies().map { String(decoding: $0, as: UTF8.self) }
    }

    func deadLetter() async throws -> DeadLetterSeen {
        let letters = try await deadLetters()
        guard letters.count == 1 else { throw SupportError("\(letters.count) dead letters where one was expected") }
        return letters[0]
    }
}

/// How many messages a queue holds in each state.
struct Left: Hashable {
    var ready = 0
    var claimed = 0
    var delayed = 0
    var dead = 0

    static let nothing = Left()
}

struct DeadLetterSeen: Hashable {
    var body: [UInt8]
    var reason: String?
    var attempts: Int?
    var exit: Int?
    var output: String?

    var text: String { String(decoding: body, as: UTF8.self) }
}
