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

    public init(
        ready: Int, claimed: Int? = nil, delayed: Int? = nil, dead: Int? = nil, oldestSeconds: Double? = nil
    ) {
        self.ready = ready
        self.claimed = claimed
        self.delayed = delayed
        self.dead = dead
        self.oldestSeconds = oldestSeconds
    }
}

/// Looks into a queue without touching a message.
public protocol QueueInspector: Sendable {
    func counts() async throws(QueueFailure) -> QueueCounts
    func close() async
}
