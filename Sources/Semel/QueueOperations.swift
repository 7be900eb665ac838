/// A message on its way into a queue.
public struct OutgoingMessage: Sendable {
    public var body: [UInt8]
    /// `nil` lets the queue choose.
    public var id: String?
    public var contentType: String?
    public var headers: [String: String]

    public init(body: [UInt8], id: String? = nil, contentType: String? = nil, headers: [String: String] = [:]) {
        self.body = body
        self.id = id
        self.contentType = contentType
        self.headers = headers
    }
}

/// Puts messages into a queue. Serves one caller at a time.
public protocol MessageProducer: Sendable {
    /// Returning means that the broker is known to have taken every one of them, in this order; throwing, that some may
    /// be missing. Without any message it only makes sure that the queue is there.
    func enqueue(_ messages: [OutgoingMessage]) async throws(QueueFailure)
    func close() async
}

/// Puts one message into a queue and waits for what becomes of it. Serves one message.
public protocol MessageRequester: Sendable {
    /// Returning means that the broker is known to have the message, whatever becomes of the waiting.
    func enqueue(_ message: OutgoingMessage) async throws(QueueFailure)

    /// Waits until a worker has completed or dead-lettered the message; `nil` when the calling task was cancelled first.
    /// The message stays where it is then, and when this throws.
    func end() async throws(QueueFailure) -> RequestEnd?

    func close() async
}

/// What became of a message.
public enum RequestEnd: Sendable, Hashable {
    /// The result is what its task printed, for a worker with `--result stdout`.
    case completed(result: [UInt8]?)
    case deadLettered(reason: String)
    /// It is no longer in the queue, and no worker has said why: it was removed, or the queue has lost it.
    case vanished
}

/// What is in a queue. A number that a queue cannot tell is `nil`.
public struct QueueCounts: Sendable, Codable, Hashable {
    /// To be claimed now.
    public var ready: Int
    /// Held by workers.
    public var claimed: Int?
    /// Waiting for their next attempt.
    public var delayed: Int?
    public var dead: Int?
    /// Since the oldest ready message was queued.
    public var oldestSeconds: Double?
    /// Of messages that no worker will ever find: a sentence without a full stop.
    public var warning: String?

    public init(
        ready: Int, claimed: Int? = nil, delayed: Int? = nil, dead: Int? = nil, oldestSeconds: Double? = nil,
        warning: String? = nil
    ) {
        self.ready = ready
        self.claimed = claimed
        self.delayed = delayed
        self.dead = dead
        self.oldestSeconds = oldestSeconds
        self.warning = warning
    }
}

/// Looks into a queue without touching a message.
public protocol QueueInspector: Sendable {
    func counts() async throws(QueueFailure) -> QueueCounts
    func close() async
}
