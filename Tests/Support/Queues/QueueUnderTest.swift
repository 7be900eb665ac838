public import Glibc

/// A queue as somebody sees it who is not semel: through the broker's own commands, or the files.
public protocol QueueUnderTest: Sendable {
    var kind: QueueKind { get }
    /// What must never be seen anywhere.
    var secrets: [String] { get }
    /// Where its server listens on 127.0.0.1; nothing for a queue without one.
    var port: Int? { get }

    /// For workers, with credentials where the broker has any.
    ///
    /// - Parameter port: takes the place of the server's own; nothing for the direct way.
    func url(at port: Int?) -> String
    /// The same server, and a queue that is not there; nothing where any name is as good as another.
    var urlOfMissingQueue: String? { get }
    /// The same queue for somebody whose credentials are wrong; nothing where there are none.
    var urlWithWrongCredentials: String? { get }

    func put(_ bodies: [[UInt8]]) async throws
    /// How many messages are where, at this moment.
    func left() async throws -> Left
    /// What is ready, in order where the queue has one.
    func readyBodies() async throws -> [[UInt8]]
    func deadLetters() async throws -> [DeadLetterSeen]
    /// Whether this process waits for a message.
    func isAwaited(by process: pid_t) async throws -> Bool
    /// The result that was delivered for a message, where the queue has a place for it.
    func result(of id: String) async throws -> [UInt8]?
}

extension QueueUnderTest {
    public var url: String { url(at: nil) }

    /// The way through a proxy.
    public func url(through proxy: TCPProxy?) -> String { url(at: proxy?.port) }

    /// A network of its own for whoever takes that way.
    public func proxy() throws -> TCPProxy {
        guard let port else { throw SupportError("\(kind) has no network") }
        return try TCPProxy(to: port)
    }

    public func put(_ bodies: String...) async throws {
        try await put(bodies.map { Array($0.utf8) })
    }

    public func readyTexts() async throws -> [String] {
        try await readyBodies().map { String(decoding: $0, as: UTF8.self) }
    }

    public func deadLetter() async throws -> DeadLetterSeen {
        let letters = try await deadLetters()
        guard letters.count == 1 else { throw SupportError("\(letters.count) dead letters where one was expected") }
        return letters[0]
    }

    public func waitUntilAwaited(by worker: Worker) async throws {
        try await eventually(timeout: .seconds(60), "the worker waits: \(worker.process.report)") {
            guard worker.process.isRunning else { throw SupportError("it ended: \(worker.process.report)") }
            return try await isAwaited(by: worker.process.pid)
        }
    }

    /// Waits until the messages are where they should be, and says where they are instead.
    public func waitUntilLeft(_ wanted: Left, timeout: Duration = .seconds(30)) async throws {
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
public struct Left: Hashable, Sendable, CustomStringConvertible {
    public var ready: Int
    public var claimed: Int
    /// Waiting for their next attempt, due or not.
    public var delayed: Int
    public var dead: Int

    public init(ready: Int = 0, claimed: Int = 0, delayed: Int = 0, dead: Int = 0) {
        self.ready = ready
        self.claimed = claimed
        self.delayed = delayed
        self.dead = dead
    }

    public static let nothing = Left()
    public static let oneReady = Left(ready: 1)
    public static let oneClaimed = Left(claimed: 1)
    public static let oneDead = Left(dead: 1)

    public var all: Int { ready + claimed + delayed + dead }
    public var description: String { "\(ready) ready, \(claimed) claimed, \(delayed) delayed, \(dead) dead" }
}

/// A dead letter, read past semel; nothing where it does not say.
public struct DeadLetterSeen: Hashable, Sendable {
    public var body: [UInt8]
    public var reason: String?
    public var attempts: Int?
    public var exit: Int?
    public var output: String?

    public init(body: [UInt8], reason: String? = nil, attempts: Int? = nil, exit: Int? = nil, output: String? = nil) {
        self.body = body
        self.reason = reason
        self.attempts = attempts
        self.exit = exit
        self.output = output
    }

    public var text: String { String(decoding: body, as: UTF8.self) }
}
