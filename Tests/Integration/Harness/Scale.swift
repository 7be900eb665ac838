import Foundation
import TestSupport
import Testing

/// Runs `semelctl scale`.
enum Scale {
    /// With JSON lines, to its end.
    static func run(_ text: String, _ flags: [String]) async throws -> End {
        try await start(text, flags).end()
    }

    static func plain(_ text: String, _ flags: [String]) async throws -> CtlEnd {
        let end = try await TestSupport.run(
            .semelctl, ["scale", "-f", "-"] + flags, input: Array(text.utf8), timeout: .seconds(60))
        return CtlEnd(status: end.status, stdout: end.stdout, stderrText: end.stderrText)
    }

    /// - Parameters:
    ///   - text: The manifest, for standard input; `nil` when it is among the flags.
    ///   - temporary: Where its temporary files go: those of a command that is killed stay.
    static func start(
        _ text: String?, _ flags: [String], temporary: String? = nil, environment: [String: String] = [:]
    ) throws -> Run {
        let own = temporary.map { ["TMPDIR": $0] } ?? [:]
        return Run(
            process: try RunningProcess(
                .semelctl, ["scale", "--json"] + (text == nil ? [] : ["-f", "-"]) + flags,
                environment: RunningProcess.environment(adding: environment.merging(own) { $1 }),
                input: Array((text ?? "").utf8)))
    }

    struct Run: Sendable {
        let process: RunningProcess

        func end(timeout: Duration = .seconds(90)) async throws -> End {
            let status = try await process.waitForExit(timeout: timeout)
            return End(status: status, text: process.stdout.text, stderrText: process.stderr.text)
        }

        /// What it has said so far of one kind.
        func lines(_ event: String) -> [[String: any Sendable]] {
            End(status: .exited(0), text: process.stdout.text, stderrText: "").lines(event)
        }
    }

    struct End: Sendable {
        let status: TestSupport.ExitStatus
        let text: String
        let stderrText: String

        var complaint: String { CtlEnd(status: status, stdout: [], stderrText: stderrText).complaint }

        func lines(_ event: String) -> [[String: any Sendable]] {
            text.split(separator: "\n").compactMap { line in
                (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: any Sendable]
            }.filter { $0["event"] as? String == event }
        }

        func count(_ event: String) -> Int { lines(event).count }

        var summary: Summary {
            get throws {
                let line = try #require(text.split(separator: "\n").last, "\(stderrText)")
                return try JSONDecoder().decode(Summary.self, from: Data(line.utf8))
            }
        }
    }

    struct Summary: Decodable, Sendable {
        var polls: Int
        var jobsCreated: Int
        var jobsComplete: Int
        var jobsFailed: Int
        var jobsDeleted: Int
        var idleJobs: Int
        var peakJobs: Int
        var outcomes: [String: Int]
    }
}
