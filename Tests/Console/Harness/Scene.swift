import Foundation
import TestSupport
import Testing

/// What the tests of the pages need on the queues: messages, workers that run, letters that died.
enum Scene {
    private static let defaults: Worker.Defaults = [("--wait", "60s"), ("--max-attempts", "1")]

    /// Queues a message with an id of its own, and with headers where the queue carries any.
    static func enqueue(
        _ queue: any QueueUnderTest, _ id: String, _ body: String, headers: [String: String] = [:]
    ) async throws {
        let named = queue.kind.traits.carriesHeaders ? headers.flatMap { ["--header", "\($0.key)=\($0.value)"] } : []
        let end = try await run(
            .semelctl, ["enqueue", "--id", id, "--file", "-"] + named,
            environment: RunningProcess.environment(adding: ["SEMEL_QUEUE": queue.url]), input: Array(body.utf8))
        #expect(end.status == .exited(0), "\(end.stderrText)")
    }

    static func worker(_ queue: any QueueUnderTest, _ flags: [String], task: [String]) throws -> Worker {
        try Worker(
            url: queue.url, flags, environment: [:], secrets: queue.secrets, task: task, queue: queue,
            defaults: defaults)
    }

    /// Makes dead letters: a worker takes each message, and its task fails with this complaint.
    static func bury(
        _ queue: any QueueUnderTest, _ letters: [(id: String, body: String)], complaint: String = "went wrong",
        headers: [String: String] = [:]
    ) async throws {
        for (id, body) in letters { try await enqueue(queue, id, body, headers: headers) }
        let flags = ["--status-address", "off", "--max-messages", "\(letters.count)"]
        let task = Shell.run(#"cat >/dev/null; printf '%s\n' "$1" >&2; exit 65"#, complaint)
        let end = try await worker(queue, flags, task: task).end()
        #expect(end.reports.map(\.outcome) == letters.map { _ in "dead-lettered" }, "\(end.stderr)")
        try await eventually("the letters are dead") { try await queue.left().dead >= letters.count }
    }
}

/// A worker whose task says how far it is when the test wants it to, and which is through when the test lets it.
final class PacedWorker: Sendable {
    let address: String
    let worker: Worker
    private let directory: TemporaryDirectory

    init(_ queue: any QueueUnderTest) throws {
        directory = try TemporaryDirectory("paced")
        address = "127.0.0.1:\(try FreePort.next())"
        let script = """
            cat >/dev/null
            echo 'unpacking the archive'
            until [ -e "$1/end" ]; do
                if [ -e "$1/progress" ]; then
                    cat "$1/progress" >&"$SEMEL_PROGRESS_FD"
                    rm "$1/progress"
                fi
                sleep 0.05
            done
            """
        worker = try Scene.worker(
            queue, ["--status-address", address], task: Shell.run(script, directory.path))
    }

    func waitUntilItRuns() async throws {
        try await worker.process.waitForOutput(containing: "unpacking", timeout: .seconds(60))
    }

    /// - Parameter line: `0.42 unpacking layer 3`
    func say(_ line: String) throws {
        try directory.write(line + "\n", to: ".progress")
        try FileManager.default.moveItem(atPath: directory.path(".progress"), toPath: directory.path("progress"))
    }

    func finish() async throws -> WorkerEnd {
        try directory.write("", to: "end")
        return try await worker.end()
    }
}
