import Foundation

/// The queues that every promise is tested on.
///
/// A new one is a case here, a file beside this one with its ``QueueUnderTest`` and its ``QueueTraits``, and a line in
/// each of the two switches.
public enum QueueKind: String, CaseIterable, Sendable, CustomStringConvertible {
    case spool, redis, stream, classic, quorum, sqs, fifo

    /// Those with a network in between.
    public static let remote = allCases.filter(\.traits.isRemote)

    public var description: String { rawValue }

    /// What it can do and others cannot, or the other way round.
    public var traits: QueueTraits {
        switch self {
        case .spool: .spool
        case .redis: .redis
        case .stream: .stream
        case .classic: .classic
        case .quorum: .quorum
        case .sqs: .sqs
        case .fifo: .fifo
        }
    }

    /// A fresh queue that no other test knows, on a server that other tests use as well.
    ///
    /// - Parameter heartbeat: how soon a silent connection counts as lost, where that is said by the URL.
    public func make(heartbeat: String? = nil) async throws -> any QueueUnderTest {
        switch self {
        case .spool: try SpoolUnderTest()
        case .redis: try await RedisUnderTest()
        case .stream: try await RedisUnderTest(as: .stream)
        case .classic: try await RabbitMQUnderTest(.classic, heartbeat: heartbeat)
        case .quorum: try await RabbitMQUnderTest(.quorum, heartbeat: heartbeat)
        case .sqs, .fifo: try await SQSUnderTest(self)
        }
    }

    public static func freshName() -> String {
        "q-\(UUID().uuidString.prefix(8).lowercased())"
    }
}

/// In which ways queues differ for those who use them. Each says why a test expects one thing of this queue and
/// another of the next.
public struct QueueTraits: Sendable {
    /// What semel calls the server, before its address; nothing for a queue without one.
    public var server: String?

    /// Whether a claim ends by a time running out. Otherwise it ends with the worker's connection or process.
    public var hasLease = false

    /// Whether the queue itself counts the attempts of workers that died. One that does not only tells that a message
    /// was handed out before: there a worker first spends its run on writing the dead one's attempt down.
    public var countsLostAttempts = true

    /// Whether a release does not use up the attempt.
    public var uncountsReleases = true

    /// Whether messages are claimed in the order in which one producer queued them.
    public var keepsOrder = true

    /// Whether an orphan has its old place before what is ready.
    public var orphansComeFirst = false

    /// Whether the id of a message is the same at all its attempts even if its producer gave it none.
    public var givesIDs = true

    /// Whether a content type and headers can go with a body.
    public var carriesHeaders = true

    /// Whether a header may be empty, and have any letters in its name.
    public var carriesAnyHeader = true

    /// Whether a worker waits on one connection, by which the queue knows when it is gone. Otherwise a message may be handed
    /// out to nobody, and is back after the lease; and a connection that breaks is nothing but another question.
    public var knowsItsWaiters = true

    /// What it tells of a message as headers, though nobody gave it any.
    public var ownHeaders: Set<String> = []

    /// Whether it can be asked how many messages are claimed.
    public var tellsClaimed = true

    /// Whether it can be asked how many messages wait for their next attempt. One that cannot counts them as claimed.
    public var tellsDelayed = true

    /// Whether it can be asked how long the oldest message has been ready.
    public var tellsAge = false

    /// Whether a body over the worker's limit stays where it is when its message is claimed.
    public var sparesLargeBodies = false

    /// How many messages a test may queue that wants many.
    public var crowd = 2000

    /// The largest body that a test may queue, in bytes: what the broker takes, unless that is more than tests need.
    public var largestBody = 64 << 20

    public var isRemote: Bool { server != nil }

    /// Of a JSON object of headers those that the producer gave.
    public func headersOfTheProducer(_ json: some StringProtocol) throws -> [String: String] {
        try JSONDecoder().decode([String: String].self, from: Data(json.utf8)).filter { !ownHeaders.contains($0.key) }
    }
}
