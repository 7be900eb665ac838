import Foundation
import Glibc
import TestSupport
import Testing

/// `--max-messages 0`: until SIGTERM, and then drained.
@Suite(.oneLane)
struct LongLivedTests {
    private static let endless = ["--max-messages", "0", "--wait", "forever"]

    @Test(arguments: QueueKind.allCases)
    func stoppedWhileItWaits(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a", "b")
        let worker = try Worker(queue, Self.endless, task: Shell.succeeding)
        try await queue.waitUntilLeft(.nothing)
        try await queue.waitUntilAwaited(by: worker)
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.reports.map(\.outcome) == ["completed", "completed"])

        // Nothing of it is left that would take the next message.
        try await queue.put("for another")
        let next = try await Worker.run(queue, task: Shell.succeeding)
        #expect(next.status == .exited(0), "\(next.stderr)")
        #expect(next.report?.attempt == 1)
    }

    @Test(arguments: QueueKind.allCases)
    func stoppedBeforeAnyMessage(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let worker = try Worker(queue, Self.endless, task: Shell.succeeding)
        try await queue.waitUntilAwaited(by: worker)
        worker.process.send(SIGINT)
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.reports.map(\.outcome) == ["idle"])
        #expect(end.report?.reason?.contains("SIGINT") == true)
    }

    /// Without being told: a pod that is scaled down must not throw work away.
    @Test(arguments: QueueKind.allCases)
    func theTaskThatRunsIsFinished(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let files = try Ledger()
        try await queue.put("a", "b")
        let flags = Self.endless + ["--grace", "1h"]
        let worker = try Worker(queue, flags, task: Shell.until(files.path("go")))
        try await worker.waitForTask()
        worker.process.send(SIGTERM)
        try await worker.process.waitForOutput(containing: "finishing", timeout: .seconds(60))
        try files.create("go")
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.reports.map(\.outcome) == ["completed"])
        try await queue.waitUntilLeft(Left(ready: 1))
    }

    @Test(arguments: QueueKind.allCases)
    func orStoppedIfThatIsWanted(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a")
        let worker = try Worker(queue, Self.endless + ["--on-term", "stop"], task: Shell.untilStopped)
        try await worker.waitForTask()
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(143), "\(end.stderr)")
        #expect(end.reports.map(\.outcome) == ["terminated"])
        try await queue.waitUntilLeft(Left(ready: 1))
    }

    @Test func finishingEndsWithTheGrace() async throws {
        let queue = try await QueueKind.spool.make()
        try await queue.put("endless")
        let worker = try Worker(queue, Self.endless + ["--grace", "300ms"], task: Shell.untilStopped)
        try await worker.waitForTask()
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(143), "\(end.stderr)")
        #expect(try await queue.left() == Left(ready: 1))
    }

    /// Whatever its messages come to: they are settled.
    @Test(arguments: QueueKind.allCases)
    func goesOnAfterFailures(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("3\n", "65\n", "0\n")
        let flags = Self.endless + ["--max-attempts", "2"]
        let worker = try Worker(queue, flags, task: Shell.run("read -r status; exit $status"))
        try await eventually(timeout: .seconds(90), "four ends: \(worker.process.report)") {
            worker.process.stderr.text.split(separator: "\n").count { $0.contains(" exit=") } == 4
        }
        try await queue.waitUntilLeft(Left(dead: 2))
        try await queue.waitUntilAwaited(by: worker)
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(
            end.reports.map(\.outcome).sorted() == ["completed", "dead-lettered", "dead-lettered", "retry"],
            "\(end.stderr)")
    }

    @Test(arguments: QueueKind.allCases)
    func theEndOfAWaitIsNotItsOwn(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let ledger = try Ledger()
        let flags = ["--max-messages", "0", "--wait", "1s", "--log-level", "debug"]
        let worker = try Worker(queue, flags, task: ledger.task)
        try await eventually(timeout: .seconds(60), "two waits have ended: \(worker.process.report)") {
            worker.process.stderr.text.split(separator: "\n").count { $0.contains("waiting again") } >= 2
        }
        try await queue.put("late")
        try await eventually(timeout: .seconds(60), "taken: \(worker.process.report)") {
            try ledger.lines == ["late"]
        }
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
    }

    // MARK: The status endpoint

    @Test(arguments: QueueKind.allCases)
    func statusOverSeveralMessages(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let files = try Ledger()
        let port = try FreePort.next()
        let script = #"""
            body=$(cat); echo 1234; echo '0.5 half' >&3; printf '%s\n' "$body" >> "$1"
            while [ ! -e "$2-$body" ]; do sleep 0.02; done
            [ "$body" = bad ] && exit 65; exit 0
            """#
        let worker = try Worker(
            queue, Self.endless + ["--status-address", "127.0.0.1:\(port)"],
            task: Shell.run(script, files.path, files.path("go")))
        func page(_ path: String) async throws -> HTTP.Response { try await HTTP.get(port: port, path: path) }
        func metric(_ name: String) async throws -> String? {
            try await page("/metrics").text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
                .map { String($0.dropFirst(name.count + 1)) }
        }

        // Ready as soon as the queue is there: a rollout waits for it.
        try await eventually(timeout: .seconds(60), "ready: \(worker.process.report)") {
            (try? await page("/readyz").status) == 200
        }
        #expect(try await page("/get/status").text == "IDLE")
        #expect(try await metric(#"semel_messages_total{outcome="completed"}"#) == "0.0")
        for (number, body) in ["good", "bad"].enumerated() {
            try await queue.put(body)
            try await eventually(timeout: .seconds(60), "it runs") { try files.lines.count == number + 1 }
            #expect(try await page("/get/status").text == "ING")
            try await eventually(timeout: .seconds(60), "output and progress of this message, bytes of all") {
                let progress = try await metric("semel_progress_ratio")
                let bytes = try await metric("semel_output_bytes_total")
                return progress == "0.5" && bytes == "\(5 * (number + 1)).0"
            }
            let status = try await page("/status").text
            #expect(status.contains(#""output":["1234"]"#), "\(status)")
            try files.create("go-\(body)")
            try await eventually(timeout: .seconds(60), "it waits again") {
                try await page("/get/status").text == "IDLE"
            }
            #expect(try await metric("semel_progress_ratio") == "0.0")
            #expect(try await metric("semel_output_bytes_total") == "\(5 * (number + 1)).0")
            #expect(try await page("/readyz").status == 200)
            #expect(try await page("/healthz").status == 200)
        }
        #expect(try await metric(#"semel_messages_total{outcome="completed"}"#) == "1.0")
        #expect(try await metric(#"semel_messages_total{outcome="dead-lettered"}"#) == "1.0")
        let status = try await page("/status").text
        #expect(status.contains(#""messages":{"completed":1,"dead-lettered":1}"#), "\(status)")
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
    }

    /// Once, at the end, with the last message's status.
    @Test func lingersOnce() async throws {
        let queue = try await QueueKind.spool.make()
        let port = try FreePort.next()
        try await queue.put("a", "b")
        let flags = ["--max-messages", "5", "--wait", "300ms", "--linger", "1h"]
        let worker = try Worker(
            queue, flags + ["--status-address", "127.0.0.1:\(port)"], task: Shell.succeeding)
        try await eventually(timeout: .seconds(60), "over: \(worker.process.report)") {
            guard worker.process.stderr.text.contains(" ended ") else { return false }
            return try await HTTP.get(port: port, path: "/get/status").text == "COMPLETED"
        }
        #expect(try await HTTP.get(port: port, path: "/readyz").status == 200)
        #expect(try await queue.left() == .nothing)
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
    }

    // MARK: What it leaves behind

    /// Descriptors and threads of a worker that waits are the same after a few messages and after many.
    @Test(arguments: QueueKind.allCases)
    func nothingPilesUp(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let ledger = try Ledger()
        let flags = Self.endless + ["--timeout", "1h"]
        let worker = try Worker(queue, flags, task: ledger.task)
        func footprint(after count: Int) async throws -> [Int] {
            try await eventually(timeout: .seconds(120), "\(count) messages") { try ledger.lines.count == count }
            try await queue.waitUntilLeft(.nothing)
            try await queue.waitUntilAwaited(by: worker)
            var seen: [Int] = []
            // What was the last message's goes in its own time.
            try await eventually(timeout: .seconds(30), "settled") {
                let now = [
                    ProcFiles.descriptors(of: worker.process.pid).count,
                    ProcFiles.status(worker.process.pid, "Threads") ?? 0,
                ]
                defer { seen = now }
                return now == seen
            }
            return seen
        }
        try await queue.put((1...3).map { Array("\($0)".utf8) })
        let few = try await footprint(after: 3)
        try await queue.put((4...40).map { Array("\($0)".utf8) })
        let many = try await footprint(after: 40)
        #expect(few == many, "descriptors and threads, after 3 and after 40 messages")
        worker.process.send(SIGTERM)
        let end = try await worker.end()
        #expect(end.status == .exited(0), "\(end.stderr)")
    }
}
