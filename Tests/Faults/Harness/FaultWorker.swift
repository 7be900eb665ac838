import Foundation
import Glibc
import TestSupport
import Testing

extension Worker {
    /// Unless a test says otherwise: no port, and nothing that a test would have to wait for longer than needed.
    private static let defaults: Defaults = [
        ("--status-address", "off"), ("--wait", "60s"), ("--retry-delay", "100ms"), ("--grace", "5s"),
    ]

    /// Starts a worker on a queue.
    convenience init(
        _ queue: any QueueUnderTest, _ flags: [String] = [], through proxy: TCPProxy? = nil, task: [String]
    ) throws {
        try self.init(
            url: queue.url(through: proxy), flags, environment: [:], secrets: queue.secrets, task: task, queue: queue,
            defaults: Self.defaults + (queue.kind.traits.hasLease ? [("--lease", "2s")] : []))
    }

    /// Starts a worker on a queue that is not there.
    convenience init(
        url: String, _ flags: [String] = [], environment: [String: String] = [:], secrets: [String] = [],
        task: [String]
    ) throws {
        try self.init(
            url: url, flags, environment: environment, secrets: secrets, task: task, queue: nil,
            defaults: Self.defaults)
    }

    /// Runs a worker from start to end.
    static func run(
        _ queue: any QueueUnderTest, _ flags: [String] = [], through proxy: TCPProxy? = nil, task: [String]
    ) async throws -> WorkerEnd {
        try await Worker(queue, flags, through: proxy, task: task).end()
    }

    /// Ends it as the kernel does when memory runs out.
    func kill() async throws {
        process.send(SIGKILL)
        let end = try await end()
        guard end.status == .signalled(SIGKILL) else { throw SupportError("it was gone before: \(end.stderr)") }
    }

    /// Makes it stand still until SIGCONT.
    func pause() async throws {
        process.send(SIGSTOP)
        try await eventually("it stands still") { ProcessState.isStopped(process.pid) }
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

extension WorkerEnd {
    /// The exit code, the termination log and the last line of the log tell the same story, in these words.
    func expect(
        _ code: Int32, _ outcome: String, attempt: Int? = nil, saying words: String...,
        at place: SourceLocation = #_sourceLocation
    ) {
        #expect(status == .exited(code), "\(stderr)", sourceLocation: place)
        #expect(report?.outcome == outcome, "\(stderr)", sourceLocation: place)
        if let attempt { #expect(report?.attempt == attempt, "\(stderr)", sourceLocation: place) }
        #expect(
            lastLine.contains(" \(outcome) ") && lastLine.contains("exit=\(code)"), "\(stderr)", sourceLocation: place)
        for word in words {
            #expect(
                report?.reason?.contains(word) ?? false, "‘\(word)’ in \(report?.reason ?? "")", sourceLocation: place)
            #expect(lastLine.contains(word), "‘\(word)’ in \(lastLine)", sourceLocation: place)
        }
    }
}

extension QueueUnderTest {
    /// The next attempt at a message whose worker has died; see ``QueueTraits/countsLostAttempts``.
    func nextAttempt(after attempt: Int = 1, _ flags: [String] = [], task: [String]) async throws -> WorkerEnd {
        let next = try await Worker.run(self, flags, task: task)
        guard !kind.traits.countsLostAttempts else { return next }
        next.expect(75, "retry", attempt: attempt, saying: "ended without a settlement", "counted now")
        return try await Worker.run(self, flags, task: task)
    }
}

extension RedisUnderTest {
    /// Whether the earliest lease has ended by the server's own clock.
    func leaseIsOver() async throws -> Bool {
        if form == .stream {
            let claims = try await server.command("XPENDING", "\(list)", "\(Self.group)", "-", "+", "1").array ?? []
            guard let claim = claims.first?.array, let idle = claim[2].integer else { return false }
            // The holder's lease is in its name.
            return claim[1].text?.split(separator: ":").last.flatMap { Int($0) }.map { $0 < idle } ?? false
        }
        let replies = try await server.pipeline([["TIME"], ["ZRANGE", key("leases"), "0", "0", "WITHSCORES"]])
        guard let now = replies[0].array?.first?.integer, let end = replies[1].array?.last?.integer else {
            return false
        }
        return end / 1_000 < now
    }
}
