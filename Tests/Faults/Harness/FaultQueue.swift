import Foundation
import TestSupport
import Testing

/// The queues on which a fault is tried.
enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case spool, redis, classic, quorum

    static let all = Kind.allCases
    /// Those with a network in between.
    static let remote: [Kind] = [.redis, .classic, .quorum]
    static let rabbitMQ: [Kind] = [.classic, .quorum]

    var testDescription: String { rawValue }

    /// A fresh queue on a server that other tests use as well.
    func make(heartbeat: String = "30s") async throws -> any FaultQueue {
        switch self {
        case .spool: try SpoolFaultQueue()
        case .redis: try await RedisFaultQueue(on: .shared())
        case .classic: try await RabbitMQFaultQueue(.classic, on: .shared(), heartbeat: heartbeat)
        case .quorum: try await RabbitMQFaultQueue(.quorum, on: .shared(), heartbeat: heartbeat)
        }
    }

    static func freshName() -> String {
        "f-\(UUID().uuidString.prefix(8).lowercased())"
    }
}

/// A queue as its broker sees it.
protocol FaultQueue: Sendable {
    var kind: Kind { get }
    /// What must be written nowhere.
    var secrets: [String] { get }

    /// The way that a worker takes to it.
    func url(through proxy: TCPProxy?) -> String
    /// A network of its own for whoever takes that way.
    func proxy() throws -> TCPProxy
    func put(_ bodies: [String]) async throws
    /// How many messages are where, at this moment.
    func left() async throws -> Left
    /// What is ready, in order.
    func ready() async throws -> [String]
    func deadLetters() async throws -> [DeadLetterSeen]
    /// Whether this worker waits for a message.
    func isAwaited(by worker: Worker) async throws -> Bool
}

extension FaultQueue {
    func put(_ bodies: String...) async throws {
        try await put(bodies)
    }

    func deadLetter() async throws -> DeadLetterSeen {
        let letters = try await deadLetters()
        guard letters.count == 1 else { throw SupportError("\(letters.count) dead letters where one was expected") }
        return letters[0]
    }

    func waitUntilAwaited(by worker: Worker) async throws {
        try await eventually(timeout: .seconds(60), "the worker waits: \(worker.process.report)") {
            guard worker.process.isRunning else { throw SupportError("it ended: \(worker.process.report)") }
            return try await isAwaited(by: worker)
        }
    }

    /// Waits until the messages are where they should be, and says where they are instead.
    func waitUntilLeft(_ wanted: Left, timeout: Duration = .seconds(30)) async throws {
        var seen = try await left()
        do {
            try await eventually(timeout: timeout, "\(wanted)") {
                seen = try await left()
                return seen == wanted
            }
        } catch {
            throw SupportError("\(kind): not within \(timeout): \(wanted), but \(seen)")
        }
    }
}

/// How many messages a queue holds in each state.
struct Left: Hashable, CustomStringConvertible {
    var ready = 0
    var claimed = 0
    /// Waiting for their next attempt, due or not.
    var delayed = 0
    var dead = 0

    static let nothing = Left()
    static let oneReady = Left(ready: 1)
    static let oneClaimed = Left(claimed: 1)
    static let oneDead = Left(dead: 1)

    var all: Int { ready + claimed + delayed + dead }
    var description: String { "\(ready) ready, \(claimed) claimed, \(delayed) delayed, \(dead) dead" }
}

struct DeadLetterSeen: Hashable, Sendable {
    var body: String
    var reason: String
    var attempts: Int
}

extension FaultQueue {
    /// The next attempt at a message whose worker has died. A classic queue does not count: there a worker first spends
    /// its run on writing the dead one's attempt down.
    func nextAttempt(after attempt: Int = 1, _ flags: [String] = [], task: [String]) async throws -> WorkerEnd {
        let next = try await Worker.run(self, flags, task: task)
        guard kind == .classic else { return next }
        next.expect(75, "retry", attempt: attempt, saying: "ended without a settlement", "counted now")
        return try await Worker.run(self, flags, task: task)
    }
}
