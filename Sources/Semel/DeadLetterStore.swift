/// A message that will not be tried again, as it is kept.
public struct StoredDeadLetter: Sendable {
    public var messageID: String
    /// Why, and what was seen last. A dead letter that somebody else put there has only what could be read.
    public var letter: DeadLetter
    public var body: [UInt8]
    public var contentType: String?
    public var headers: [String: HeaderValue]

    public init(
        messageID: String, letter: DeadLetter, body: [UInt8], contentType: String? = nil,
        headers: [String: HeaderValue] = [:]
    ) {
        self.messageID = messageID
        self.letter = letter
        self.body = body
        self.contentType = contentType
        self.headers = headers
    }
}

/// What is to become of a dead letter.
public enum DeadLetterAction: Sendable, Hashable {
    case keep
    /// Back to the queue, with a fresh count of attempts. It is in the queue before it is no longer a dead letter.
    case retry
    case drop
    /// Keeps this one, and looks at no more.
    case stop
}

/// The dead letters of one queue.
public protocol DeadLetterStore: Sendable {
    /// Goes through the dead letters, oldest first, and does with each what `decide` says. Those that come while it
    /// runs, retried ones that died again among them, are left out; one that is retried or dropped was looked at.
    func visit(_ decide: @escaping @Sendable (StoredDeadLetter) -> DeadLetterAction) async throws(QueueFailure)
    func close() async
}

/// Which dead letters are meant: all of them, unless something is said.
public struct DeadLetterSelection: Sendable, Hashable {
    /// Of messages; several dead letters may have the same.
    public var ids: Set<String>?
    /// A part of the reason, whatever the case.
    public var reason: String?

    public init(ids: Set<String>? = nil, reason: String? = nil) {
        (self.ids, self.reason) = (ids, reason)
    }

    public func contains(_ letter: StoredDeadLetter) -> Bool {
        // Swift takes texts for equal that are written differently, é and e with an accent; brokers do not.
        if let ids,
            ids.firstIndex(of: letter.messageID).map({ ids[$0].utf8.elementsEqual(letter.messageID.utf8) }) != true
        {
            return false
        }
        if let reason, !letter.letter.reason.lowercased().contains(reason.lowercased()) { return false }
        return true
    }
}

extension DeadLetter {
    /// Cut at line feeds. A carriage return before one is part of its line, though Swift makes one character of the two.
    package static func lines(of text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// For a dead letter of which nothing else is known.
    public static func unknown(_ reason: String = "unknown: not put here by semel") -> DeadLetter {
        DeadLetter(reason: reason, attempts: 0, exit: nil, output: [], worker: "", time: "")
    }
}
