import FoundationEssentials
import Glibc
import Logging
import Semel

enum LogFormat: String, CaseIterable {
    case text
    case json

    func logger(_ level: Logger.Level) -> Logger {
        Logger(label: "semel") { _ in LineLog(format: self, logLevel: level) }
    }
}

/// One line an event, on standard error, in one write: lines of several processes do not mix.
private struct LineLog: LogHandler {
    let format: LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.isEmpty ? event.metadata ?? [:] : metadata.merging(event.metadata ?? [:]) { $1 }
        let time = Timestamp.now.rfc3339
        var line: String
        switch format {
        case .text:
            line = "\(time) \(event.level.rawValue) \(event.message)"
            for (name, value) in facts.sorted(by: { $0.key < $1.key }) { line += " \(name)=\(quoted("\(value)"))" }
        case .json:
            var facts = facts.mapValues { "\($0)" }
            facts["time"] = time
            facts["level"] = event.level.rawValue
            facts["message"] = "\(event.message)"
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            line = (try? encoder.encode(facts)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        }
        LogWriter.shared.write(line + "\n")
    }

    /// Values with spaces or control characters in quotes, so that a line stays a line and its end is seen.
    private func quoted(_ value: String) -> String {
        let plain = value.unicodeScalars.allSatisfy { $0.value > 32 && $0 != "\"" && $0 != "=" && $0.value != 127 }
        guard !plain || value.isEmpty else { return value }
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case _ where scalar.value < 32 || scalar.value == 127: text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

enum StandardError {
    /// Whether this text goes through without waiting: a pipe that is writable takes so much at once (pipe(7)).
    static func takes(_ text: String) -> Bool {
        var writable = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return text.utf8.count <= 4096 && poll(&writable, 1, 0) == 1 && writable.revents == Int16(POLLOUT)
    }

    static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
                if written < 0 && errno != EINTR { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[max(0, written)...])
            }
        }
    }
}
