import FoundationEssentials
import Semel

/// The variables that a command is started with: what its worker was given, and what is known of the message.
struct TaskEnvironment: Sendable {
    private static let traceParent = "TRACEPARENT"

    let temporaryDirectory: String
    private let inherited: [String]
    private let traceParent: String?

    init(inherited: [String: String]) {
        temporaryDirectory = inherited["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        traceParent = inherited[Self.traceParent]
        self.inherited = inherited.compactMap { name, value in
            if Self.isOfMessage(name) { return nil }
            // A worker may have been given hundreds of variables, and interpolation would grow each line piece by piece.
            var line = ""
            line.reserveCapacity(name.utf8.count + 1 + value.utf8.count)
            line += name
            line += "="
            line += value
            return line
        }
    }

    /// Whether the message decides about it. (A set would have to be made at every start.)
    private static func isOfMessage(_ name: String) -> Bool {
        guard name.utf8.first == UInt8(ascii: "S") || name.utf8.first == UInt8(ascii: "T") else { return false }
        return switch name {
        case "SEMEL_MESSAGE_ID", "SEMEL_ATTEMPT", "SEMEL_MAX_ATTEMPTS", "SEMEL_QUEUE", "SEMEL_CONTENT_TYPE",
            "SEMEL_HEADERS", "SEMEL_DEADLINE", "SEMEL_PROGRESS_FD", "SEMEL_MESSAGE_FILE", traceParent:
            true
        default: false
        }
    }

    /// All of them, as `NAME=value`.
    ///
    /// - Parameter file: Where the message's body is, for a command that does not read it from its standard input.
    func lines(for message: Message, _ context: TaskContext, file: String?) -> [String] {
        var lines = inherited
        lines.append("SEMEL_ATTEMPT=\(message.attempt)")
        lines.append("SEMEL_MAX_ATTEMPTS=\(context.maxAttempts)")
        lines.append("SEMEL_QUEUE=\(context.queueName)")
        lines.append("SEMEL_PROGRESS_FD=\(ChildProcess.progressDescriptor)")
        if let deadline = context.deadline { lines.append("SEMEL_DEADLINE=\(deadline.rfc3339)") }
        if let file { lines.append("SEMEL_MESSAGE_FILE=\(file)") }
        // Whatever comes from a producer and has a NUL in it would be cut there, or hide what follows.
        func append(_ name: String, _ value: String?) {
            guard let value, !value.utf8.contains(0) else { return }
            lines.append("\(name)=\(value)")
        }
        append("SEMEL_MESSAGE_ID", message.id)
        append("SEMEL_CONTENT_TYPE", message.contentType)
        append("SEMEL_HEADERS", Self.json(message.headers))
        append(Self.traceParent, message.traceParent ?? traceParent)
        return lines
    }

    static func json(_ headers: [String: HeaderValue]) -> String {
        // Most messages carry none, and an encoder costs more than two characters.
        guard !headers.isEmpty else { return "{}" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(headers) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
