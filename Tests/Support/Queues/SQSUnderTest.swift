import Foundation
public import Glibc

extension QueueTraits {
    /// A release counts as an attempt, since SQS counts what it hands out. 1 MiB is its limit, and what is not text grows by
    /// a third.
    static let sqs = QueueTraits(
        server: "SQS", hasLease: true, uncountsReleases: false, keepsOrder: false, carriesAnyHeader: false,
        knowsItsWaiters: false, tellsDelayed: false, crowd: 40, largestBody: 700 << 10)
}

extension QueueTraits {
    static let fifo: QueueTraits = {
        var traits = sqs
        traits.ownHeaders = ["MessageGroupId", "MessageDeduplicationId", "SequenceNumber"]
        return traits
    }()
}

/// A queue of moto's, worked on by a user who has the right to everything.
public final class SQSUnderTest: QueueUnderTest {
    public let kind: QueueKind
    public let server: MotoServer
    public let name: String

    public var secrets: [String] { [server.keys.secret, Credentials.wrong] }
    public var port: Int? { server.port }

    public init(_ kind: QueueKind, named name: String = QueueKind.freshName(), _ attributes: [String: String] = [:])
        async throws
    {
        self.kind = kind
        self.name = kind == .fifo ? "\(name).fifo" : name
        server = try await MotoServer.shared()
        let fifo = kind == .fifo ? ["FifoQueue": "true"] : [:]
        let _: String = try await server.ask(
            "create", Creation(queue: self.name, attributes: attributes.merging(fifo) { $1 }))
    }

    /// With a redrive policy: SQS moves what was received so often without being deleted.
    public convenience init(_ kind: QueueKind, redriveTo target: SQSUnderTest, after count: Int) async throws {
        let arn = "arn:aws:sqs:\(MotoServer.region):123456789012:\(target.name)"
        try await self.init(
            kind, ["RedrivePolicy": #"{"deadLetterTargetArn":"\#(arn)","maxReceiveCount":"\#(count)"}"#])
    }

    private struct Creation: Encodable {
        var queue: String
        var attributes: [String: String]
    }

    public func url(at port: Int?) -> String { url(at: port, profile: "worker") }

    public func url(at port: Int? = nil, queue: String? = nil, profile: String, more: String = "") -> String {
        "sqs://\(MotoServer.region)/\(queue ?? name)?endpoint=http://127.0.0.1:\(port ?? server.port)&profile=\(profile)\(more)"
    }

    public var urlOfMissingQueue: String? { url(queue: QueueKind.freshName(), profile: "worker") }
    public var urlWithWrongCredentials: String? { url(profile: "wrong") }

    /// Where its dead letters go unless it says otherwise.
    public var deadQueue: String { kind == .fifo ? "\(name.dropLast(5))-dead.fifo" : "\(name)-dead" }

    public func put(_ bodies: [[UInt8]]) async throws {
        try await put(bodies.map { Outgoing($0, group: kind == .fifo ? UUID().uuidString : nil) })
    }

    /// A message as a producer of SQS writes it, in the encoding that semel's documentation names.
    public struct Outgoing: Encodable, Sendable {
        var body: String
        var attributes: [String: String]
        var group: String?
        var deduplication: String?
        var delay: Int?

        /// - Parameter delay: For how many seconds it is nobody's.
        public init(_ body: [UInt8], _ attributes: [String: String] = [:], group: String? = nil, delay: Int? = nil) {
            self.attributes = attributes
            self.group = group
            self.delay = delay
            deduplication = group == nil ? nil : UUID().uuidString
            // What XML 1.0 has no characters for, SQS has none for either.
            if let text = String(validating: body, as: UTF8.self), !text.isEmpty,
                text.unicodeScalars.allSatisfy({
                    $0.value > 31 && $0.value < 0xFFFE || "\t\n\r".unicodeScalars.contains($0) || $0.value > 0xFFFF
                })
            {
                self.body = text
            } else {
                self.body = body.isEmpty ? "\n" : Data(body).base64EncodedString()
                self.attributes["x-semel-encoding"] = "base64"
            }
        }
    }

    public func put(_ messages: [Outgoing]) async throws {
        struct Input: Encodable {
            var queue: String
            var messages: [Outgoing]
        }
        let _: Int? = try await server.ask("put", Input(queue: name, messages: messages))
    }

    public func left() async throws -> Left {
        let own: [Int] = try await server.ask("left", ["queue": name])
        return Left(ready: own[0], claimed: own[1], delayed: own[2], dead: try await dead().count)
    }

    public struct Seen: Decodable, Sendable {
        public var body: String
        public var attributes: [String: String]
        public var group: String?
        public var receives: Int

        var bytes: [UInt8] {
            guard attributes["x-semel-encoding"] == "base64" else { return Array(body.utf8) }
            return Array(Data(base64Encoded: body, options: .ignoreUnknownCharacters) ?? Data())
        }
    }

    public func readyBodies() async throws -> [[UInt8]] {
        let messages: [Seen] = try await server.ask("ready", ["queue": name])
        return messages.map(\.bytes)
    }

    public func readyAndHeldBodies() async throws -> [[UInt8]] {
        try await messages(in: name)?.map(\.bytes) ?? []
    }

    /// All of them, in whatever state.
    public func messages(in queue: String) async throws -> [Seen]? {
        try await server.ask("messages", ["queue": queue])
    }

    private func dead() async throws -> [Seen] { try await messages(in: deadQueue) ?? [] }

    private struct Letter: Decodable {
        struct Facts: Decodable {
            var reason: String
            var attempts: Int
            var exit: Int?
            var output: [String]
        }
        var id: String
        var letter: Facts
    }

    public func deadLetters() async throws -> [DeadLetterSeen] {
        try await dead().map { message in
            let text = message.attributes["x-semel-dead-letter"] ?? ""
            let letter = (try? JSONDecoder().decode(Letter.self, from: Data(text.utf8)))?.letter
            return DeadLetterSeen(
                body: message.bytes, reason: letter?.reason, attempts: letter?.attempts, exit: letter?.exit,
                output: letter?.output.joined(separator: "\n"))
        }
    }

    /// The server does not know of processes, but this queue has one at a time.
    public func isAwaited(by process: pid_t) async throws -> Bool {
        let count: Int = try await server.ask("waiting", ["queue": name])
        return count > 0
    }

    /// SQS has no place for results but a queue that the message names.
    public func result(of id: String) async throws -> [UInt8]? { nil }

    public func delete() async throws {
        let _: Int? = try await server.ask("delete", ["queue": name])
    }

    // MARK: What SQS does and moto does not

    /// A receipt handle is good as long as it is the last one, and on a FIFO queue as long as the message is hidden.
    public func fence() async throws {
        let _: Int? = try await server.ask("fence", ["queue": name])
    }

    /// A claim lasts for no longer than this, in whole seconds, however often it is extended. SQS' own ceiling is 12 hours.
    public func limitClaims(to span: Duration) async throws {
        struct Input: Encodable {
            var queue: String
            var seconds: Int64
        }
        let _: Int? = try await server.ask("ceiling", Input(queue: name, seconds: span.components.seconds))
    }

    /// Refuses what is asked about this queue.
    ///
    /// - Parameters:
    ///   - action: Only this, such as `ReceiveMessage`.
    ///   - times: So often; without it until ``accept()``.
    public func refuse(_ refusal: AWSRefusal, _ action: String? = nil, times: Int? = nil) async throws {
        struct Input: Encodable {
            var queue: String
            var status: Int
            var code: String
            var message: String
            var action: String?
            var times: Int?
        }
        let _: Int? = try await server.ask(
            "order",
            Input(
                queue: name, status: refusal.status, code: refusal.code, message: refusal.message, action: action,
                times: times))
    }

    public func accept() async throws {
        let _: Int? = try await server.ask("withdraw", ["queue": name])
    }

    /// How many requests have been refused so far.
    public var refusals: Int {
        get async throws { try await server.ask("refused", ["queue": name]) }
    }

    /// Puts the clock of this queue's server ahead of this machine's.
    public func setClock(ahead span: Duration) async throws {
        struct Input: Encodable {
            var queue: String
            var ahead: Int64
        }
        let _: Int? = try await server.ask("clock", Input(queue: name, ahead: span.components.seconds))
    }
}
