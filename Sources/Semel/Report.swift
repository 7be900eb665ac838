import FoundationEssentials

/// The story of one message's worker, as the termination log tells it.
public struct Report: Sendable, Codable, Hashable {
    public var outcome: Outcome
    public var messageId: String?
    public var attempt: Int?
    /// The task's exit status, or 128 + the signal that ended it.
    public var taskExit: Int32?
    /// From the claim to the end of the task; 0 when none was claimed.
    public var seconds: Double = 0
    public var reason: String?
    /// Whether the queue would not take the settlement and has the message back as it was. Not part of the line.
    var isHandedBack = false

    private enum CodingKeys: String, CodingKey {
        case outcome, messageId, attempt, taskExit, seconds, reason
    }

    public init(
        outcome: Outcome, messageId: String? = nil, attempt: Int? = nil, taskExit: Int32? = nil, seconds: Double = 0,
        reason: String? = nil
    ) {
        self.outcome = outcome
        self.messageId = messageId
        self.attempt = attempt
        self.taskExit = taskExit
        self.seconds = (seconds * 1_000).rounded() / 1_000
        self.reason = reason
    }

    /// What the kubelet keeps of a termination log; the rest would be cut off and the JSON broken.
    /// Source: kubernetes.io, "Determine the Reason for Pod Failure".
    public static let maximumBytes = 4096

    /// One line of JSON of at most 4096 bytes, its line feed included; a longer reason is shortened.
    public func line() -> [UInt8] {
        var report = self
        var bytes = report.encoded()
        if bytes.count > Self.maximumBytes {
            report.messageId = messageId.map { String(String.UnicodeScalarView($0.unicodeScalars.prefix(256))) }
            // What is more than this is certainly too much, and need not be written again and again.
            var kept = (reason ?? "").unicodeScalars.prefix(Self.maximumBytes)
            if let reason, kept.endIndex < reason.endIndex { report.reason = String(kept) + "…" }
            bytes = report.encoded()
            while bytes.count > Self.maximumBytes, !kept.isEmpty {
                // A scalar takes up to six bytes in JSON: this many are certainly too much, if not yet all that are.
                kept = kept.dropLast(max(1, (bytes.count - Self.maximumBytes) / 6))
                report.reason = String(kept) + "…"
                bytes = report.encoded()
            }
        }
        return bytes
    }

    private func encoded() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { return [] }
        return Array(data) + [UInt8(ascii: "\n")]
    }
}
