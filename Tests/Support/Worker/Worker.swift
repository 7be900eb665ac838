import Foundation

/// One `semel run` that a test has started.
public final class Worker: Sendable {
    public let process: RunningProcess
    private let directory: TemporaryDirectory
    private let secrets: [String]
    /// Kept for as long as the worker runs, since a queue goes with its last reference.
    private let queue: (any QueueUnderTest)?
    private let started = ContinuousClock.now

    /// Flags, each with its value, that a worker gets unless its test says otherwise.
    public typealias Defaults = [(flag: String, value: String)]

    /// Starts a worker on a queue that it finds in its environment, with a termination log like the kubelet's: a file
    /// that is there already.
    ///
    /// - Parameter secrets: must appear in nothing that the worker or its task writes.
    public init(
        url: String?, _ flags: [String], environment: [String: String], secrets: [String], task: [String]?,
        queue: (any QueueUnderTest)?, defaults: Defaults
    ) throws {
        self.queue = queue
        directory = try TemporaryDirectory("worker")
        try directory.write("", to: "termination-log")
        self.secrets = secrets
        let log = (flag: "--termination-log", value: directory.path("termination-log"))
        var arguments = ["run"] + flags
        for (flag, value) in defaults + [log]
        where !flags.contains(where: { $0 == flag || $0.hasPrefix(flag + "=") })
            && environment[Self.variable(flag)] == nil
        {
            arguments += [flag, value]
        }
        if let task { arguments += ["--"] + task }
        var variables = environment
        if let url { variables["SEMEL_QUEUE"] = url }
        process = try RunningProcess(
            .semel, arguments, environment: RunningProcess.environment(adding: variables))
    }

    private static func variable(_ flag: String) -> String {
        "SEMEL_" + flag.dropFirst(2).uppercased().replacing("-", with: "_")
    }

    /// Waits for the end, and looks for secrets in everything that was written.
    public func end(timeout: Duration = .seconds(90)) async throws -> WorkerEnd {
        let status = try await process.waitForExit(timeout: timeout)
        let log = try Data(contentsOf: URL(fileURLWithPath: directory.path("termination-log")))
        for secret in secrets {
            for written in [process.stdout.text, process.stderr.text, String(decoding: log, as: UTF8.self)]
            where written.contains(secret) {
                throw SupportError("a password was written: \(written)")
            }
        }
        return WorkerEnd(
            status: status, stdout: process.stdout.bytes, stderrBytes: process.stderr.bytes,
            report: try log.isEmpty ? nil : TerminationReport(log), elapsed: ContinuousClock.now - started)
    }

    /// Waits until the task has said that it runs; see ``Shell/started``.
    public func waitForTask() async throws {
        try await process.waitForOutput(containing: Shell.started, timeout: .seconds(60))
    }
}

/// A worker that has ended.
public struct WorkerEnd: Sendable {
    public let status: ExitStatus
    public let stdout: [UInt8]
    public let stderrBytes: [UInt8]
    /// What the termination log says; nothing when the worker was killed.
    public let report: TerminationReport?
    public let elapsed: Duration

    public var text: String { String(decoding: stdout, as: UTF8.self) }
    public var stderr: String { String(decoding: stderrBytes, as: UTF8.self) }
    /// What the worker said for people: its last words.
    public var lastLine: String { stderr.split(separator: "\n").last.map(String.init) ?? "" }
}
