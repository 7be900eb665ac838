import FoundationEssentials
public import Semel

/// A dead letter for a program.
public struct DeadLetterDocument: Encodable, Sendable {
    public var id: String
    public var reason: String
    public var attempts: Int
    public var exit: Int32?
    public var output: [String]
    /// Host name (in Kubernetes: the pod's) of the worker.
    public var worker: String
    /// RFC 3339
    public var time: String
    public var contentType: String?
    public var headers: [String: HeaderValue]
    /// Of the whole body.
    public var bytes: Int
    public var body: String?
    /// In place of `body` when that is not UTF-8.
    public var bodyBase64: String?

    /// - Parameter bytes: Of the whole body, when it is not in there.
    public init(_ stored: StoredDeadLetter, withBody: Bool, bytes: Int? = nil) {
        let letter = stored.letter
        (id, reason, attempts, exit) = (stored.messageID, letter.reason, letter.attempts, letter.exit)
        (output, worker, time) = (letter.output, letter.worker, letter.time)
        (contentType, headers, self.bytes) = (stored.contentType, stored.headers, bytes ?? stored.body.count)
        guard withBody else { return }
        body = String(validating: stored.body, as: UTF8.self)
        if body == nil { bodyBase64 = Data(stored.body).base64EncodedString() }
    }
}
