import FoundationEssentials
import Glibc
import Logging
import Semel
import SemelCommand
import SemelQueues
import SemelRabbitMQ
import SemelSQS
import SemelStatusServer

/// All that `semel run` was told, understood and checked, before anything is connected, bound or claimed.
struct RunSettings {
    var queue: NamedQueue
    /// How many messages one after the other; `nil` for a single one.
    var series: SeriesLength?
    var policy: WorkerPolicy
    var deadLettering: RabbitMQQueue.DeadLettering
    var executable: String
    var command: [String]
    var taskEnvironment: [String: String]
    var input: InputMode
    var result: CommandTask.ResultMode
    var statusAddress: StatusAddress?
    var terminationLog: TerminationLog
    var logFormat: LogFormat
    var logLevel: Logger.Level
    /// What is odd but no mistake.
    var warnings: [String]

    init(_ given: GivenSettings, _ environment: [String: String]) throws(ConfigurationError) {
        // First, so that whatever is wrong with the rest can be written there.
        terminationLog = try TerminationLog(given)
        logFormat = try given.choice(.logFormat)
        logLevel = try given.choice(.logLevel)
        queue = try NamedQueue(
            flag: given.flag(.queue), file: given.flag(.queueFile), environment: environment)
        series = try SeriesLength(given)
        policy = try WorkerPolicy(given, series)
        if case .sqs = queue.address, policy.request.lease > SQSQueue.longestClaim {
            throw ConfigurationError("\(given.value(.lease).source): SQS holds a message for 12h at the most")
        }
        deadLettering = try given.choice(.deadLetter)
        input = try given.choice(.input)
        result = try given.choice(.result)
        let address = given.value(.statusAddress)
        statusAddress = try StatusAddress.parse(address.text, source: address.source)
        command = try Self.command(given, environment)
        executable = try ExecutableSearch.find(
            command.first ?? "", path: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
        taskEnvironment = environment
        for secret in queue.secretVariables { taskEnvironment[secret] = nil }
        if input == .file { try Self.checkTemporaryDirectory(environment) }
        warnings = Self.warnings(given, environment, queue, timeout: policy.timeout)
    }

    private static func command(_ given: GivenSettings, _ environment: [String: String]) throws(ConfigurationError)
        -> [String]
    {
        if !given.command.isEmpty { return given.command }
        guard let text = environment["SEMEL_COMMAND"], !text.isEmpty else {
            throw .usage("no command; write semel run [flags] -- COMMAND [ARG…], or set SEMEL_COMMAND to a JSON array")
        }
        guard let command = try? JSONDecoder().decode([String].self, from: Data(text.utf8)), !command.isEmpty else {
            throw ConfigurationError(#"SEMEL_COMMAND: not a JSON array of strings; write ["my-task","--flag"]"#)
        }
        return command
    }

    private static func checkTemporaryDirectory(_ environment: [String: String]) throws(ConfigurationError) {
        let directory = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        guard access(directory, W_OK | X_OK) != 0 else { return }
        throw ConfigurationError("--input file: \(SystemError(doing: "write to TMPDIR (\(directory))"))")
    }

    private static func warnings(
        _ given: GivenSettings, _ environment: [String: String], _ queue: NamedQueue, timeout: Duration?
    ) -> [String] {
        var warnings: [String] = []
        switch queue.address {
        case .redis: break
        case .sqs:
            if let timeout, timeout > SQSQueue.longestClaim {
                warnings.append(
                    "\(given.value(.timeout).source): SQS takes the message away after 12h, before the timeout of "
                        + Units.text(timeout))
            }
        case .rabbitMQ, .spool:
            if let lease = given[.lease] {
                warnings.append(
                    "\(lease.source) has no effect here: this queue's claims last as long as the worker lives")
            }
        }
        if case .rabbitMQ = queue.address {
        } else if let given = given[.deadLetter], given.text == RabbitMQQueue.DeadLettering.broker.rawValue {
            warnings.append("\(given.source) broker has no effect here: only RabbitMQ dead-letters by itself")
        }
        let others = ["SEMEL_COMMAND", "SEMEL_PROGRESS_FD"]
        for name in environment.keys.filter({ $0.hasPrefix(Setting.prefix) }).sorted()
        where !others.contains(name) && Setting(variable: name) == nil {
            warnings.append("\(name) is not a setting of semel's; semel --help lists them")
        }
        return warnings
    }
}

extension SeriesLength {
    fileprivate init?(_ given: GivenSettings) throws(ConfigurationError) {
        let value = given.value(.maxMessages)
        guard let count = Int(value.text), count >= 0 else {
            throw ConfigurationError(
                "\(value.source): ‘\(value.text)’ is not a number from 1 up, or 0 for a long-lived worker")
        }
        switch count {
        case 0: self = .endless
        case 1: return nil
        default: self = .messages(count)
        }
    }
}

extension WorkerPolicy {
    fileprivate init(_ given: GivenSettings, _ series: SeriesLength?) throws(ConfigurationError) {
        let isEndless = series == .endless
        let wait = given.value(.wait)
        // A long-lived worker that does not wait at all would ask and ask again.
        let limit: ClaimRequest.Wait =
            wait.text == "forever" || (isEndless && given[.wait] == nil)
            ? .forever : .upTo(try given.duration(.wait, atLeast: isEndless ? .seconds(1) : .zero))
        let size = given.value(.maxMessageBytes)
        guard let maxBytes = Units.bytes(size.text) else {
            throw ConfigurationError("\(size.source): ‘\(size.text)’ is not a size; write 1000, 64KiB, 128MiB or 1GiB")
        }
        let request = try ClaimRequest(
            wait: limit, delivery: given.choice(.delivery), lease: given.duration(.lease, atLeast: .seconds(1)),
            maxMessageBytes: maxBytes)
        self.init(
            request: request, retry: try RetryPolicy(given),
            timeout: given.value(.timeout).text == "none"
                ? nil : try given.duration(.timeout, atLeast: .milliseconds(1)),
            grace: try given.duration(.grace),
            onTerm: isEndless && given[.onTerm] == nil ? .finish : try given.choice(.onTerm),
            onLost: try given.choice(.onLost),
            linger: try given.duration(.linger))
    }
}

extension RetryPolicy {
    fileprivate init(_ given: GivenSettings) throws(ConfigurationError) {
        let attempts = given.value(.maxAttempts)
        guard let maxAttempts = Int(attempts.text), maxAttempts >= 1 else {
            throw ConfigurationError("\(attempts.source): ‘\(attempts.text)’ is not a number from 1 up")
        }
        let delay = given.value(.retryDelay)
        let ends = Self.ends(of: delay.text)
        guard let first = Units.duration(ends.first), let last = Units.duration(ends.last), first <= last,
            last <= .seconds(86_400)
        else {
            throw ConfigurationError(
                "\(delay.source): ‘\(delay.text)’ is not a range of durations up to 24h; write 10s..10m, or 30s for always the same"
            )
        }
        self.init(maxAttempts: maxAttempts, delay: first...last)
    }

    /// What is before and behind the two dots; without them the same twice.
    private static func ends(of range: String) -> (first: String, last: String) {
        let bytes = range.utf8
        for index in bytes.indices where bytes[index...].starts(with: "..".utf8) {
            return (String(range[..<index]), String(range[bytes.index(index, offsetBy: 2)...]))
        }
        return (range, range)
    }
}
