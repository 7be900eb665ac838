import Foundation
import TestSupport
import Testing

/// How a task says how far it is.
@Suite(.oneLane)
struct TasksProgressTests {
    private func status(_ port: Int) async throws -> [String: Any] {
        try #require(await HTTP.get(port: port, path: "/status").json() as? [String: Any])
    }

    @Test func fromAnyScript() async throws {
        let spool = try TaskSpool()
        let port = try FreePort.next()
        let semel = try Executable.semel.path
        let task = spool.script(
            """
            '\(semel)' progress 0.42 "unpacking layer" 3 || exit 1
            await two; echo 0.5 >&$SEMEL_PROGRESS_FD
            await three; printf 'nonsense\\n0.9x\\nnan\\n0.75 <b>"ü"\\n' >&3; head -c 100000 /dev/urandom | tr "\\n" x >&3
            await four; printf '\\n7 too much\\n' >&3
            await five
            """)
        let worker = try spool.start(["--status-address", "127.0.0.1:\(port)"], task: task)
        func expect(_ progress: Double, _ note: String) async throws {
            try await eventually(timeout: .seconds(60), "\(progress) \(note)") {
                guard let shown = try? await status(port) else { return false }
                return shown["progress"] as? Double == progress && shown["note"] as? String == note
            }
            let metrics = try await HTTP.get(port: port, path: "/metrics").text
            #expect(metrics.split(separator: "\n").contains("semel_progress_ratio \(progress)"))
        }
        try await expect(0.42, "unpacking layer 3")
        try spool.release("two")
        // Without a new note the old one stands.
        try await expect(0.5, "unpacking layer 3")
        try spool.release("three")
        try await expect(0.75, "<b>\"ü\"")
        try spool.release("four")
        try await expect(1, "too much")
        try spool.release("five")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
        #expect(spool.rooms == .init(done: ["a"]))
    }

    @Test(arguments: [["1.5"], ["-0.1"], ["abc"], ["42%"], ["nan"], ["inf"], [""], ["0,5"], []])
    func badFractions(_ arguments: [String]) async throws {
        let finished = try await run(.semel, ["progress"] + arguments)
        #expect(finished.status == .exited(64))
        #expect(finished.stdout.isEmpty)
        #expect(
            finished.stderrText.split(separator: "\n").count == 1
                && finished.stderrText.contains("semel progress FRACTION"))
    }

    /// Scripts are also run by hand.
    @Test func withNobodyListening() async throws {
        for environment in [[:], ["SEMEL_PROGRESS_FD": "77"], ["SEMEL_PROGRESS_FD": "three"]] {
            let finished = try await run(
                .semel, ["progress", "0.5", "half"], environment: RunningProcess.environment(adding: environment))
            #expect(finished.status == .exited(0))
            #expect(finished.stderrText.contains("0.5 half"))
        }
    }

    /// A line is written at once: those of tasks that run side by side do not mix.
    @Test func aNoteIsOneLine() async throws {
        let spool = try TaskSpool()
        let port = try FreePort.next()
        let semel = try Executable.semel.path
        let task = spool.script(
            """
            '\(semel)' progress 0.1 "$(printf 'two\\n0.9 lines')" || exit 1
            await two; '\(semel)' progress 0.2 "$(head -c 100000 /dev/zero | tr '\\0' x)" || exit 1
            await go
            """)
        let worker = try spool.start(["--status-address", "127.0.0.1:\(port)"], task: task)
        func shows(_ progress: Double) async throws -> String {
            try await eventually(timeout: .seconds(60), "\(progress)") {
                (try? await status(port))?["progress"] as? Double == progress
            }
            return try #require(await status(port)["note"] as? String)
        }
        #expect(try await shows(0.1) == "two 0.9 lines")
        try spool.release("two")
        let note = try await shows(0.2)
        #expect(note.utf8.count <= 4096 && note.allSatisfy { $0 == "x" })
        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
    }
}
