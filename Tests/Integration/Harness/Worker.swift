import Foundation
import TestSupport

/// One `semel run` that a test has started.
final class Worker: Sendable {
    let process: RunningProcess
    private let directory: TemporaryDirectory
    private let secrets: [String]
    /// Kept for as long as the worker runs, since a queue goes with its last reference.
    private let queue: (any QueueUnderTest)?
    private let started = ContinuousClock.now

    /// Unless a test says otherwise: no port, and no waiting longer than needed.
    private static let defaults = [("--status-address", "off"), ("--wait", "30s"), ("--retry-delay", "100ms")]

    /// Starts a worker on a queue that it finds in its environment, with a termination log like the kubelet's: a file
    /// that is there already.
    ///
    /// - Parameter secrets: must appear in nothing that the worker or its task writes.
    init(
        url: String? = nil, _ flags: [String] = [], environment: [String: String] = [:], secrets: [String] = [],
        task: [String]? = nil, queue: (any QueueUnderTest)? = nil
    ) throws {
        self.queue = queue
        directory = try TemporaryDirectory("worker")
        try directory.write("", to: "termination-log")
        self.secrets = secrets
        var arguments = ["run"] + flags
        for (flag, value) in Self.defaults + [("--termination-log", directory.path("termination-log"))]
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

    /// Starts a worker on a queue.
    convenience init(
        _ queue: any QueueUnderTest, _ flags: [String] = [], environment: [String: String] = [:], task: [String]
    ) throws {
        try self.init(url: queue.url, flags, environment: environment, secrets: queue.secrets, task: task, queue: queue)
    }

    private static func variable(_ flag: String) -> String {
        "SEMEL_" + flag.dropFirst(2).uppercased().replacing("-", with: "_")
    }

    /// Runs a worker from start to end.
    static func run(
        _ queue: any QueueUnderTest, _ flags: [String] = [], environment: [String: String] = [:], task: [String],
        timeout: Duration = .seconds(90)
    ) async throws -> WorkerEnd {
        try await Worker(queue, flags, environment: environment, task: task).end(timeout: timeout)
    }

    /// Waits for the end, and looks for secrets in everything that was written.
    func end(timeout: Duration = .seconds(90)) async throws -> WorkerEnd {
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

    /// Waits until the task has said that it runs; see ``Shell/untilStopped``.
    func waitForTask() async throws {
        try await process.waitForOutput(containing: Shell.started, timeout: .seconds(60))
    }
}

struct WorkerEnd: Sendable {
    let status: ExitStatus
    let stdout: [UInt8]
    let stderrBytes: [UInt8]
    /// What the termination log says.
    let report: TerminationReport?
    let elapsed: Duration

    var text: String { String(decoding: stdout, as: UTF8.self) }
    var stderr: String { String(decoding: stderrBytes, as: UTF8.self) }
    /// What the worker said for people: its last words.
    var lastLine: String { stderr.split(separator: "\n").last.map(String.init) ?? "" }
}

/// Tasks.
enum Shell {
    static let started = "task-started"

    static func run(_ script: String, _ arguments: String...) -> [String] {
        ["/bin/sh", "-c", script, "task"] + arguments
    }

    static let succeeding = run("cat")
    static let rejecting = run("cat >/dev/null; echo 'no good' >&2; exit 65")
    static let failing = run("cat >/dev/null; echo 'went wrong' >&2; exit 3")
    /// Says that it runs, and then does until somebody ends it.
    static let untilStopped = run("echo \(started); exec sleep 300")

    /// Says that it runs, goes on until a file is there, and ends with this status.
    static func until(_ file: String, exit status: Int = 0) -> [String] {
        run(#"echo \#(started); while [ ! -e "$1" ]; do sleep 0.05; done; exit \#(status)"#, file)
    }
}
