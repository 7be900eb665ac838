import Foundation
import Glibc
import TestSupport
import Testing

/// One `semel run` that a test has started.
final class Worker: Sendable {
    let process: RunningProcess
    private let directory: TemporaryDirectory
    private let secrets: [String]
    private let started = ContinuousClock.now

    /// Unless a test says otherwise.
    private static let defaults = [
        ("--status-address", "off"), ("--wait", "60s"), ("--retry-delay", "100ms"), ("--grace", "5s"),
    ]

    /// Starts a worker on a queue, with a termination log like the kubelet's: a file that is there already.
    init(_ queue: any FaultQueue, _ flags: [String] = [], through proxy: TCPProxy? = nil, task: [String]) throws {
        var defaults = Self.defaults
        if queue.kind == .redis { defaults.append(("--lease", "2s")) }
        (process, directory) = try Self.start(url: queue.url(through: proxy), flags, defaults, task)
        secrets = queue.secrets
    }

    /// Starts a worker on a queue that is not there.
    init(url: String, _ flags: [String] = [], secrets: [String] = [], task: [String]) throws {
        (process, directory) = try Self.start(url: url, flags, Self.defaults, task)
        self.secrets = secrets
    }

    private static func start(
        url: String, _ flags: [String], _ defaults: [(String, String)], _ task: [String]
    ) throws -> (RunningProcess, TemporaryDirectory) {
        let directory = try TemporaryDirectory("worker")
        try directory.write("", to: "termination-log")
        var arguments = ["run", "--termination-log", directory.path("termination-log")] + flags
        for (flag, value) in defaults where !flags.contains(flag) { arguments += [flag, value] }
        let process = try RunningProcess(
            .semel, arguments + ["--"] + task, environment: RunningProcess.environment(adding: ["SEMEL_QUEUE": url]))
        return (process, directory)
    }

    /// Runs a worker from start to end.
    static func run(
        _ queue: any FaultQueue, _ flags: [String] = [], through proxy: TCPProxy? = nil, task: [String]
    ) async throws -> WorkerEnd {
        try await Worker(queue, flags, through: proxy, task: task).end()
    }

    /// Waits for the end, and looks for secrets in everything that was written.
    func end(timeout: Duration = .seconds(60)) async throws -> WorkerEnd {
        let status = try await process.waitForExit(timeout: timeout)
        let log = try Data(contentsOf: URL(fileURLWithPath: directory.path("termination-log")))
        for secret in secrets {
            for written in [process.stdout.text, process.stderr.text, String(decoding: log, as: UTF8.self)]
            where written.contains(secret) {
                throw SupportError("a password was written: \(written)")
            }
        }
        return WorkerEnd(
            status: status, output: process.stdout.text, errors: process.stderr.text,
            report: log.isEmpty ? nil : try JSONDecoder().decode(TerminationReport.self, from: log),
            elapsed: ContinuousClock.now - started)
    }

    /// Ends it as the kernel does when memory runs out.
    func kill() async throws {
        process.send(SIGKILL)
        let end = try await end()
        guard end.status == .signalled(SIGKILL) else { throw SupportError("it was gone before: \(end.errors)") }
    }

    /// Makes it stand still until SIGCONT.
    func pause() async throws {
        process.send(SIGSTOP)
        try await eventually("it stands still") { ProcessState.isStopped(process.pid) }
    }

    /// Waits until its task has begun; see ``Notes``.
    func waitForTask() async throws {
        try await process.waitForOutput(containing: Notes.started, timeout: .seconds(60))
    }

    func waitForLog(_ words: String, timeout: Duration = .seconds(60)) async throws {
        try await process.waitForOutput(containing: words, timeout: timeout)
    }

    /// The first process that it has started and not yet collected.
    var taskProcess: pid_t? {
        let file = "/proc/\(process.pid)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: file)) ?? []
        for thread in threads {
            let children = (try? String(contentsOfFile: "\(file)/\(thread)/children", encoding: .utf8)) ?? ""
            if let first = children.split(separator: " ").first { return pid_t(first) }
        }
        return nil
    }

    /// Waits until the task has ended and the worker has seen it: it settles.
    func waitUntilSettling() async throws {
        try await eventually(timeout: .seconds(60), "the task ends: \(process.report)") { taskProcess == nil }
    }
}

/// The termination log's line.
struct TerminationReport: Decodable, Hashable, Sendable {
    var outcome: String
    var messageId: String?
    var attempt: Int?
    var taskExit: Int?
    var seconds: Double
    var reason: String?
}

struct WorkerEnd: Sendable {
    let status: TestSupport.ExitStatus
    let output: String
    let errors: String
    /// What the termination log says; nothing when the worker was killed.
    let report: TerminationReport?
    let elapsed: Duration

    /// What the worker said for people: its last words.
    var lastLine: String { errors.split(separator: "\n").last.map(String.init) ?? "" }

    /// The exit code, the termination log and the last line of the log tell the same story, in these words.
    func expect(
        _ code: Int32, _ outcome: String, attempt: Int? = nil, saying words: String...,
        at place: SourceLocation = #_sourceLocation
    ) {
        #expect(status == .exited(code), "\(errors)", sourceLocation: place)
        #expect(report?.outcome == outcome, "\(errors)", sourceLocation: place)
        if let attempt { #expect(report?.attempt == attempt, "\(errors)", sourceLocation: place) }
        #expect(
            lastLine.contains(" \(outcome) ") && lastLine.contains("exit=\(code)"), "\(errors)", sourceLocation: place)
        for word in words {
            #expect(
                report?.reason?.contains(word) ?? false, "‘\(word)’ in \(report?.reason ?? "")", sourceLocation: place)
            #expect(lastLine.contains(word), "‘\(word)’ in \(lastLine)", sourceLocation: place)
        }
    }
}
