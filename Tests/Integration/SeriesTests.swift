import Foundation
import Glibc
import TestSupport
import Testing

/// `--max-messages N`: one message after the other in one process.
@Suite(.oneLane)
struct SeriesTests {
    /// Ends as its message says: a number is the exit status.
    private static let asTold = Shell.run("read -r status; exit $status")

    @Test(arguments: QueueKind.allCases)
    func soManyMessages(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let ledger = try Ledger()
        try await queue.put("a", "b", "c", "d", "e")
        let end = try await Worker.run(queue, ["--max-messages", "3"], task: ledger.task)
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.reports.map(\.outcome) == ["completed", "completed", "completed"])
        #expect(end.reports.map(\.attempt) == [1, 1, 1])
        #expect(Set(end.reports.map(\.messageId)).count == 3)
        #expect(end.lastLine.contains(" ended completed=3 exit=0 messages=3"), "\(end.stderr)")
        let done = try ledger.lines
        #expect(done.count == 3 && Set(done).isSubset(of: ["a", "b", "c", "d", "e"]), "\(done)")
        if kind.traits.keepsOrder { #expect(done == ["a", "b", "c"]) }
        try await queue.waitUntilLeft(Left(ready: 2))
    }

    @Test(arguments: QueueKind.allCases)
    func fewerThanAskedFor(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("a", "b")
        let end = try await Worker.run(queue, ["--max-messages", "10", "--wait", "1s"], task: Shell.succeeding)
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.reports.map(\.outcome) == ["completed", "completed"])
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func noneAtAll(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let end = try await Worker.run(queue, ["--max-messages", "10", "--wait", "1s"], task: Shell.succeeding)
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.reports.map(\.outcome) == ["idle"])
    }

    /// Every message has its own end; the exit code is that of the last one that was not completed.
    @Test(arguments: QueueKind.allCases)
    func everyMessageItsOwnEnd(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("0\n", "65\n", "3\n", "0\n")
        let end = try await Worker.run(queue, ["--max-messages", "4", "--retry-delay", "1h"], task: Self.asTold)
        let outcomes = end.reports.map(\.outcome)
        #expect(outcomes.sorted() == ["completed", "completed", "dead-lettered", "retry"], "\(end.stderr)")
        let last = outcomes.last { $0 != "completed" }
        #expect(end.status == .exited(last == "retry" ? 75 : 65), "\(end.stderr)")
        if kind.traits.keepsOrder {
            #expect(end.reports.map(\.taskExit) == [0, 65, 3, 0])
            #expect(end.status == .exited(75))
        }
        try await queue.waitUntilLeft(Left(delayed: 1, dead: 1))
    }

    /// The task that runs when the worker dies is the only one that is run again.
    @Test(arguments: QueueKind.allCases)
    func killedAtTheSecond(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let ledger = try Ledger()
        try await queue.put("a", "b", "c")
        let script = #"""
            body=$(cat); printf '%s\n' "$body" >> "$1"
            [ "$(wc -l < "$1")" -eq 2 ] && { echo task-started; exec sleep 300; }
            exit 0
            """#
        let lease = kind.traits.hasLease ? ["--lease", "2s"] : []
        let worker = try Worker(
            queue, ["--max-messages", "0"] + lease, task: Shell.run(script, ledger.path))
        try await worker.waitForTask()
        worker.process.send(SIGKILL)
        let end = try await worker.end()
        #expect(end.status == .signalled(SIGKILL))
        #expect(end.reports.map(\.outcome) == ["completed"])

        let rest = try await Worker.run(
            queue, ["--max-messages", kind.traits.countsLostAttempts ? "2" : "3"] + lease, task: ledger.task)
        #expect(rest.reports.filter { $0.outcome == "completed" }.count == 2, "\(rest.stderr)")
        #expect(rest.reports.compactMap(\.attempt).max() == 2)
        let lines = try ledger.lines
        #expect(Set(lines) == ["a", "b", "c"] && lines.count == 4, "\(lines)")
        #expect(lines.filter { $0 == lines[1] }.count == 2, "\(lines)")
        try await queue.waitUntilLeft(.nothing)
    }

    /// What the kubelet keeps are the last 4096 bytes: whole lines of the last messages.
    @Test func theRecordsOfTheLast() async throws {
        let queue = try await QueueKind.spool.make()
        let bodies = (100..<160).map { "\($0)" }
        try await queue.put(bodies.map { Array($0.utf8) })
        let end = try await Worker.run(queue, ["--max-messages", "60"], task: Shell.run("cat; exit 65"))
        #expect(end.status == .exited(65), "\(end.stderr)")
        // That there are at most 4096 bytes is checked with every worker.
        #expect(end.reports.count > 10 && end.reports.count < 60)
        #expect(end.reports.last?.reason?.hasSuffix(": 159") == true, "\(end.reports)")
        #expect(end.stderr.split(separator: "\n").count { $0.contains(" dead-lettered ") } == 60)
    }

    /// A message like any other cannot make the worker take the rest of the batch with it.
    @Test func aCommandThatCannotBeStartedEndsIt() async throws {
        let queue = try await QueueKind.spool.make()
        try await queue.put("a", "b")
        let directory = try TemporaryDirectory("task")
        let file = try directory.write("#!/no/such/interpreter\n", to: "task")
        chmod(file, 0o755)
        let end = try await Worker.run(queue, ["--max-messages", "2"], task: [file])
        #expect(end.status == .exited(78), "\(end.stderr)")
        #expect(end.reports.map(\.outcome) == ["misconfigured"])
        #expect(try await queue.left() == Left(ready: 2))
    }

    @Test(arguments: [
        (["--max-messages", "-1"], "--max-messages"), (["--max-messages", "many"], "--max-messages"),
        (["--max-messages", "0", "--wait", "0"], "--wait"),
    ])
    func wrongNumbers(_ flags: [String], _ name: String) async throws {
        let end = try await Worker(url: "spool:/nowhere", flags, task: ["true"]).end()
        #expect(end.status == .exited(78))
        #expect(end.lastLine.contains(name), "\(end.stderr)")
    }

    /// Only a long-lived worker goes on asking.
    @Test func aQueueOutOfReachEndsIt() async throws {
        let port = try FreePort.next()
        let end = try await Worker(
            url: "redis://127.0.0.1:\(port)/0?list=l", ["--max-messages", "5"], task: ["true"]
        ).end()
        #expect(end.status == .exited(69), "\(end.stderr)")
        #expect(end.reports.map(\.outcome) == ["unreachable"])
    }
}
