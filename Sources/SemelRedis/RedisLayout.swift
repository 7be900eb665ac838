import Semel

/// How messages lie in Redis, as a list or as a stream, and the commands for either.
///
/// All that changes something happens on the server in one step. What both have in common, leases that are extended and
/// settlements that are tried again, is the business of those who use it.
protocol RedisLayout: Sendable {
    /// The user's own key.
    var key: String { get }
    /// What that key has to be: `list`, `stream`.
    var type: String { get }
    /// Stream of dead letters.
    var dead: String { get }

    // MARK: For the worker

    /// What tells one worker's claim from all others. The token is unlike any other's.
    func owner(token: String, lease: Duration) -> String
    /// Claims a message that is there; at most once, it takes it off the queue.
    func claim(_ request: ClaimRequest, by owner: String) -> RedisQuestion<RedisFound>
    /// Blocks until something is queued, which may come with the answer: as a claim, also at most once.
    func news(within limit: Duration, for owner: String) -> RedisQuestion<RedisDelivery?>
    /// Hands back what was claimed by an answer that nobody has heard; `nil` where waiting claims nothing.
    func handBack(from owner: String) -> RedisQuestion<Void>?
    func extend(_ delivery: RedisDelivery, by owner: String, _ lease: Duration) -> RedisQuestion<RedisAnswer>
    func end(_ delivery: RedisDelivery, by owner: String, _ settlement: Settlement) throws(RedisFailure)
        -> RedisQuestion<RedisAnswer>
    /// At most once: the message itself is off the queue since it was claimed. `nil` when there is nothing to be done.
    ///
    /// - Parameter span: For how long it may be asked again.
    func endTaken(_ delivery: RedisDelivery, by owner: String, _ settlement: Settlement, span: Duration)
        throws(RedisFailure) -> RedisQuestion<RedisAnswer>?

    // MARK: For operators

    /// Whether this queue can hold this message.
    func check(_ message: OutgoingMessage, source: String) throws(QueueFailure)
    /// A command that queues this message and as many of the others as go with it, which it takes away.
    func put(_ first: OutgoingMessage, _ rest: inout ArraySlice<OutgoingMessage>)
        -> (command: [RedisArgument], bytes: Int)
    /// Queues one message that somebody will ask for.
    func request(_ message: OutgoingMessage, id: String) -> RedisQuestion<RedisTicket>
    /// What became of it; `nil` while it waits or is worked on.
    func end(of ticket: RedisTicket) -> RedisQuestion<RequestEnd?>
    func counts() -> RedisQuestion<QueueCounts>
    /// Puts a dead letter back, as a new message with the same id.
    func retry(deadLetter entry: String) -> [RedisArgument]
}

/// A command, and how its reply is understood.
struct RedisQuestion<Answer>: Sendable {
    let command: [RedisArgument]
    let read: @Sendable (RedisValue) throws(RedisFailure) -> Answer
}

extension RedisConnection {
    func ask<Answer>(_ question: RedisQuestion<Answer>, within limit: Duration = patience) async throws(RedisFailure)
        -> Answer
    {
        try question.read(try await command(question.command, within: limit))
    }
}

extension RedisFailure {
    static let outOfTurn = RedisFailure.broken("Redis answered out of turn")
}

/// A message as Redis hands it out, and what its layout needs to settle it.
struct RedisDelivery: Sendable {
    let message: Message
    /// By which the scripts know it.
    let entry: String
    /// Whether its id is the producer's.
    let isNamed: Bool
    /// Of a stream's entry: the field with the body; `nil` when all fields together are the body.
    var bodyField: String?
}

enum RedisFound: Sendable {
    case message(RedisDelivery)
    /// - Parameter warning: Of messages that nobody will ever find.
    case nothing(RedisLeases?, warning: String? = nil)
}

/// What is leased, or rests before its next attempt: the times until the earliest and the latest end.
struct RedisLeases: Sendable {
    let earliest: Duration
    let latest: Duration

    init(millisecondsTo earliest: Int64, _ latest: Int64) {
        self.earliest = .milliseconds(max(0, earliest))
        self.latest = .milliseconds(max(0, latest))
    }
}

/// What a script of a claim's came to.
enum RedisAnswer: Int64, Sendable {
    case notOurs = 0
    case done = 1
    /// The claim was ended in another way before, which this worker has not heard of.
    case endedBefore = 2

    static func question(_ command: [RedisArgument]) -> RedisQuestion<RedisAnswer> {
        RedisQuestion(command: command) { reply throws(RedisFailure) in
            guard let answer = reply.integer.flatMap({ RedisAnswer(rawValue: $0) }) else { throw .outOfTurn }
            return answer
        }
    }
}

/// A message whose end somebody waits for.
struct RedisTicket: Sendable {
    let id: String
    /// What stands for it while it is in the queue.
    let place: String
    /// By the server's clock, in milliseconds since 1970.
    let since: String
}

extension RequestEnd {
    static func question(_ command: [RedisArgument]) -> RedisQuestion<RequestEnd?> {
        RedisQuestion(command: command) { reply throws(RedisFailure) in
            guard let fields = reply.elements, let word = fields.first?.text else { throw .outOfTurn }
            switch word {
            case "completed":
                if fields.count > 1, case .bytes(let result) = fields[1] { return .completed(result: result) }
                return .completed(result: nil)
            case "dead": return .deadLettered(reason: fields.count > 1 ? fields[1].text ?? "" : "")
            case "vanished": return .vanished
            default: return nil
            }
        }
    }
}

extension MessageBody {
    convenience init(redis bytes: [UInt8]) throws(RedisFailure) {
        do throws(SystemError) { try self.init(bytes) } catch { throw .broken(error.description) }
    }

    func redisArgument() throws(RedisFailure) -> RedisArgument {
        do throws(SystemError) { return RedisArgument(try bytes()) } catch { throw .broken(error.description) }
    }

    /// As a script that keeps a result expects it: for how long it may be fetched, and the result.
    func resultArguments() throws(RedisFailure) -> [RedisArgument] {
        [RedisArgument(Duration.seconds(86_400).milliseconds), try redisArgument()]
    }
}

extension DeadLetter {
    /// The fields that go with the message's own.
    var redisFields: [RedisArgument] {
        var fields: [RedisArgument] = [
            "reason", RedisArgument(reason), "attempts", RedisArgument(attempts),
            "output", RedisArgument(output.joined(separator: "\n")), "worker", RedisArgument(worker),
            "time", RedisArgument(time),
        ]
        if let exit { fields += ["exit", RedisArgument(exit)] }
        return fields
    }
}

extension ArraySlice<OutgoingMessage> {
    /// One command's share: short enough that other clients of the server are not held up.
    private static var messagesPerCommand: Int { 1_000 }
    private static var bytesPerCommand: Int { 256 << 10 }

    /// Takes those from the front that go with this message, which has no id; it goes always, however large.
    mutating func takeBatch(with first: OutgoingMessage) -> (messages: [OutgoingMessage], bytes: Int) {
        var messages = [first]
        var bytes = first.body.count
        while let next = self.first, next.id == nil, messages.count < Self.messagesPerCommand,
            bytes + next.body.count <= Self.bytesPerCommand
        {
            messages.append(next)
            bytes += next.body.count
            removeFirst()
        }
        return (messages, bytes)
    }
}
