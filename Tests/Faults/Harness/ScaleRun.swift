import Foundation
import Glibc
import TestSupport
import Testing

/// A `semelctl scale` with manifests of this repository, on real brokers, until its queue is empty.
final class ScaleRun: Sendable {
    let process: RunningProcess
    private let directory: TemporaryDirectory

    /// `Tests/Faults/Harness/X.swift` is three folders below the root.
    static let manifests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("k8s/manifests").path

    /// What the manifests' Secrets say.
    static let user = "semel"
    static let password = "change-me"
    static let queue = "scans"

    /// - Parameters:
    ///   - hosts: See `--host`.
    ///   - task: What a worker does with its message, which is `$m`, before it writes it down.
    init(_ preset: String, hosts: [String], variables: [String: String] = [:], flags: [String] = [], task: String = "")
        throws
    {
        directory = try TemporaryDirectory("scale")
        try directory.write("", to: "ledger")
        var given = ["SEMEL_WAIT": "2s", "SEMEL_LINGER": "0s"]
        given.merge(variables) { _, new in new }
        let poll = flags.contains("--poll") ? [] : ["--poll", "200ms"]
        let words = ["scale", "-f", "\(Self.manifests)/\(preset)", "--json", "--until-empty"] + poll
        let script = "m=$(cat); \(task) echo \"$m\" >>\"$0\""
        process = try RunningProcess(
            .semelctl,
            words + flags + hosts.flatMap { ["--host", $0] } + given.flatMap { ["--env", "\($0.key)=\($0.value)"] }
                + ["--", "sh", "-c", script, directory.path("ledger")])
    }

    struct Summary: Decodable, Sendable {
        var jobsCreated: Int
        var jobsComplete: Int
        var jobsFailed: Int
        var idleJobs: Int
        var peakJobs: Int
        var outcomes: [String: Int]
    }

    /// What `semelctl simulate` says; the names are the same.
    struct Simulated: Decodable, Sendable {
        var jobsCreated: Int
        var idleJobs: Int
        var peakJobs: Int
    }

    static func simulated(_ preset: String, _ flags: [String]) async throws -> Simulated {
        let end = try await run(
            .semelctl, ["simulate", "-f", "\(manifests)/\(preset)/scaledjob.yaml", "--json"] + flags)
        guard end.status == .exited(0) else { throw SupportError("\(end.status): \(end.stderrText)") }
        return try JSONDecoder().decode(Simulated.self, from: Data(end.stdout))
    }

    struct End: Sendable {
        let status: TestSupport.ExitStatus
        let summary: Summary
        /// The messages that tasks have finished, in order.
        let ledger: [String]
    }

    func end(timeout: Duration = .seconds(240)) async throws -> End {
        let status = try await process.waitForExit(timeout: timeout)
        for written in [process.stdout.text, process.stderr.text] where written.contains(Self.password) {
            throw SupportError("a password was written: \(written)")
        }
        guard let line = process.stdout.text.split(separator: "\n").last(where: { $0.contains("\"summary\"") }) else {
            throw SupportError("\(status): \(process.report)")
        }
        return End(
            status: status, summary: try JSONDecoder().decode(Summary.self, from: Data(line.utf8)), ledger: ledger)
    }

    var ledger: [String] {
        let text = (try? String(contentsOfFile: directory.path("ledger"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// The workers that run at this moment.
    var workers: [pid_t] {
        let file = "/proc/\(process.pid)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: file)) ?? []
        return threads.flatMap { thread in
            let children = (try? String(contentsOfFile: "\(file)/\(thread)/children", encoding: .utf8)) ?? ""
            return children.split(separator: " ").compactMap { pid_t($0) }
        }
    }

    /// Kills workers, now this one and now that, until so many have been killed.
    func kill(_ count: Int) async throws {
        var killed = Set<pid_t>()
        while killed.count < count, process.isRunning {
            if let worker = workers.randomElement(), killed.insert(worker).inserted { Glibc.kill(worker, SIGKILL) }
            // The pace of the faults, also while there is no worker.
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
