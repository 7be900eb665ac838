import Semel

/// One thing that can be set, by a flag or by its variable: `--retry-delay` is `SEMEL_RETRY_DELAY`.
///
/// A table of its own, not swift-argument-parser: that has no variables beside its flags, and looking for its
/// conformances costs 1.1 ms of a start that takes 9 (a third of what an empty program and this table take).
struct Setting: Sendable {
    let name: String
    let placeholder: String
    let standard: String?
    let help: String

    var flag: String { "--\(name)" }

    static let prefix = "SEMEL_"

    var variable: String {
        // Names are lower-case ASCII and hyphens.
        let letters = name.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 & 0xDF }
        return Self.prefix + String(decoding: letters, as: UTF8.self)
    }

    init?(variable: String) {
        let length = variable.utf8.count
        guard
            let setting = Self.all.first(where: {
                $0.name.utf8.count + Self.prefix.utf8.count == length && $0.variable == variable
            })
        else { return nil }
        self = setting
    }

    private init(_ name: String, _ placeholder: String, _ standard: String?, _ help: String) {
        self.name = name
        self.placeholder = placeholder
        self.standard = standard
        self.help = help
    }

    static let queue = Setting(
        "queue", "URL", nil,
        "amqp(s)://…?queue=a, redis://…/0?list=a or ?stream=a, sqs://REGION/a, or spool:/dir (spool:/var/spool/semel)")
    static let queueFile = Setting("queue-file", "FILE", nil, "holds the URL; its password may change at any time")
    static let maxMessages = Setting(
        "max-messages", "N", "1", "so many, one after the other; 0: a long-lived worker, until SIGTERM")
    static let wait = Setting(
        "wait", "DURATION", "10s", "for a message; 0 takes what is there; or forever, as with --max-messages 0")
    static let delivery = Setting(
        "delivery", "at-least-once|at-most-once", "at-least-once", "what a crash does: repeat or lose")
    static let lease = Setting("lease", "DURATION", "30s", "for how long a claim lasts unless extended (Redis, SQS)")
    static let timeout = Setting("timeout", "DURATION", "none", "stop a task that runs longer")
    static let grace = Setting("grace", "DURATION", "20s", "from the task's SIGTERM to its SIGKILL")
    static let onTerm = Setting(
        "on-term", "stop|finish", "stop", "what SIGTERM does to a running task; with --max-messages 0: finish")
    static let onLost = Setting("on-lost", "stop|finish", "stop", "what a lost claim does to a running task")
    static let maxAttempts = Setting("max-attempts", "N", "5", "before a message is dead-lettered")
    static let deadLetter = Setting(
        "dead-letter", "queue|broker", "queue", "to NAME.dead with the reason, or by RabbitMQ's dead letter exchange")
    static let retryDelay = Setting("retry-delay", "MIN..MAX", "10s..10m", "doubles from MIN with every attempt")
    static let input = Setting(
        "input", "stdin|file|none", "stdin", "how the task gets the body; file: SEMEL_MESSAGE_FILE")
    static let maxMessageBytes = Setting("max-message-bytes", "SIZE", "128MiB", "a larger message is dead-lettered")
    static let result = Setting(
        "result", "none|stdout", "none", "what the task prints on stdout is delivered as its result")
    static let statusAddress = Setting("status-address", "HOST:PORT|off", "0.0.0.0:8082", "of the HTTP status endpoint")
    static let linger = Setting("linger", "DURATION", "0s", "keep the final status readable before the exit")
    static let terminationLog = Setting(
        "termination-log", "FILE|off", "/dev/termination-log",
        "gets a line of JSON for each message (default: if it exists)")
    static let logFormat = Setting("log-format", "text|json", "text", "of the log on standard error")
    static let logLevel = Setting(
        "log-level", "LEVEL", "info", "trace, debug, info, notice, warning, error or critical")

    static let all = [
        queue, queueFile, maxMessages, wait, delivery, lease, timeout, grace, onTerm, onLost, maxAttempts, retryDelay,
        deadLetter,
        input, maxMessageBytes,
        result, statusAddress, linger, terminationLog, logFormat, logLevel,
    ]
}

/// What was given on the command line and in the environment, not yet understood.
struct GivenSettings {
    struct Value {
        var text: String
        /// The flag or variable that it came from.
        var source: String
    }

    private var values: [(name: String, value: Value)] = []
    /// What came after `--`.
    private(set) var command: [String] = []

    /// - Throws: A usage error (64) for flags that make no sense.
    init(_ arguments: [String], _ environment: [String: String]) throws(ConfigurationError) {
        // By what was given, not by what could be: most workers are given little, and each name costs their start.
        for (variable, text) in environment where variable.hasPrefix(Setting.prefix) {
            // An empty variable is one that a template left out.
            guard !text.isEmpty, let setting = Setting(variable: variable) else { continue }
            values.append((setting.name, Value(text: text, source: variable)))
        }
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                command = Array(rest)
                break
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard argument.hasPrefix("-"), let name = parts.first else {
                throw .usage("unexpected argument ‘\(argument)’; the task's command comes after --")
            }
            let bare = name.dropFirst(2)
            guard name.hasPrefix("--"), let setting = Setting.all.first(where: { $0.name == bare }) else {
                throw .usage("unknown flag \(name); semel --help lists them")
            }
            guard self[setting]?.source != setting.flag else { throw .usage("\(setting.flag) is given twice") }
            guard let text = parts.count > 1 ? String(parts[1]) : rest.popFirst(), !text.isEmpty, text != "--" else {
                throw .usage("\(setting.flag) needs a value: \(setting.flag) \(setting.placeholder)")
            }
            values.removeAll { $0.name == setting.name }
            values.append((setting.name, Value(text: text, source: setting.flag)))
        }
    }

    /// What was given.
    subscript(_ setting: Setting) -> Value? { values.first { $0.name == setting.name }?.value }

    /// What was given on the command line.
    func flag(_ setting: Setting) -> String? {
        self[setting].flatMap { $0.source == setting.flag ? $0.text : nil }
    }

    /// What was given, or the standard.
    func value(_ setting: Setting) -> Value {
        self[setting] ?? Value(text: setting.standard ?? "", source: setting.flag)
    }

    func duration(_ setting: Setting, atLeast minimum: Duration = .zero) throws(ConfigurationError) -> Duration {
        let value = value(setting)
        guard let duration = Units.duration(value.text) else {
            throw ConfigurationError("\(value.source): ‘\(value.text)’ is not a duration; write 500ms, 10s, 5m or 2h")
        }
        guard duration >= minimum else {
            throw ConfigurationError("\(value.source): \(value.text) is too short; at least \(Units.text(minimum))")
        }
        return duration
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_ setting: Setting) throws(ConfigurationError) -> Choice
    where Choice.RawValue == String {
        let value = value(setting)
        guard let choice = Choice(rawValue: value.text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError("\(value.source): ‘\(value.text)’ is none of \(known)")
        }
        return choice
    }
}
