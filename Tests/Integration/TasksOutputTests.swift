import Foundation
import TestSupport
import Testing

/// Both of the task's streams come out of the worker as they went in.
@Suite(.oneLane)
struct TasksOutputTests {
    @Test func everyByteOnBothStreams() async throws {
        let all = Array(UInt8.min...UInt8.max)
        let bytes = all + all.reversed() + Array("no line end".utf8)
        let spool = try TaskSpool(body: bytes)
        let finished = try await spool.work(
            ["--log-level", "critical"], task: spool.script("cat; cat spool/claimed/* >&2"))
        #expect(finished.status == .exited(0))
        #expect(finished.stdout == bytes)
        #expect(finished.stderr == bytes)
        #expect(spool.rooms == .init(done: ["a"]))
    }

    @Test func nothingStaysNothing() async throws {
        let spool = try TaskSpool()
        let finished = try await spool.work(["--log-level", "critical"], task: ["true"])
        #expect(finished.status == .exited(0))
        #expect(finished.stdout.isEmpty && finished.stderr.isEmpty)
    }

    /// What is printed comes out while the task runs, unfinished lines too, and not at its end.
    @Test func outputIsNotHeldBack() async throws {
        let spool = try TaskSpool()
        let worker = try spool.start(task: spool.script("printf half; printf ' a line' >&2; await go; echo ' rest'"))
        try await worker.waitForOutput(containing: "half")
        try await worker.waitForOutput(containing: " a line")
        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
        #expect(worker.stdout.text == "half rest\n")
    }

    enum Gone: String, CaseIterable { case stdout, stderr, both }

    /// `semel … | head` must not be the end of a task that has hours of work behind it.
    @Test(arguments: Gone.allCases)
    func aReaderThatGoesAway(_ gone: Gone) async throws {
        let spool = try TaskSpool()
        let task = spool.script(
            """
            await gone; head -c 10000000 /dev/zero || exit 1; head -c 10000000 /dev/zero >&2 || exit 2
            echo survived >survived
            """)
        let wiring =
            switch gone {
            case .stdout: #"{ "$@"; echo $? >code; } | { exec <&-; : >gone; }"#
            case .stderr: #"{ "$@" 2>&1 >/dev/null; echo $? >code; } | { exec <&-; : >gone; }"#
            case .both: #"{ "$@" 2>&1; echo $? >code; } | { exec <&-; : >gone; }"#
            }
        let semel = try Executable.semel.path
        let shell = try await run(
            .installed("sh"), ["-c", wiring, "sh", semel, "run", "--"] + task, environment: spool.environment(),
            directory: spool.directory.path, timeout: .seconds(60))
        #expect(shell.status == .exited(0))
        #expect(spool.note("survived") == "survived\n", "\(shell.stderrText.suffix(500))")
        #expect(spool.note("code") == "0\n")
        #expect(spool.rooms == .init(done: ["a"]))
        #expect(spool.mark.processes().isEmpty)
    }

    /// Some supervisors start their children without any streams; the next descriptors must not take their places.
    @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
    func startedWithClosedStreams(_ closing: String) async throws {
        let spool = try TaskSpool()
        let port = try FreePort.next()
        let task = spool.script(
            """
            \(TaskSpool.listDescriptors); find /proc/$PPID/fd -name '[012]' -printf '%f %l\\n' >streams
            cat >input; echo output; echo error >&2; exit 0
            """)
        let flags = ["--status-address", "127.0.0.1:\(port)", "--log-level", "critical"]
        let semel = try Executable.semel.path
        let shell = try await run(
            .installed("sh"), ["-c", #"exec "$@" \#(closing)"#, "sh", semel, "run"] + flags + ["--"] + task,
            environment: spool.environment(), timeout: .seconds(60))
        #expect(shell.status == .exited(0))
        #expect(shell.stdoutText == (closing.contains(" >&-") || closing.hasPrefix(">") ? "" : "output\n"))
        #expect(shell.stderrText == (closing.contains("2>&-") ? "" : "error\n"))
        #expect(spool.notes("descriptors").sorted() == ["0", "1", "2", "3"])
        // What a thing that came to be 1 or 2 would do with the task's output depends on what it is.
        for (number, operation) in [("0", "<"), ("1", " >"), ("2", "2>")] where (" " + closing).contains(operation) {
            #expect(spool.notes("streams").contains("\(number) /dev/null"), "\(spool.note("streams"))")
        }
        #expect(spool.note("input") == "body")
        #expect(spool.rooms == .init(done: ["a"]))
        #expect(spool.note("spool/done/a") == "body")
    }
}

/// As much as a task that is too fond of talking prints in a day.
@Suite(.allLanes)
struct TasksLargeOutputTests {
    private static let gibibyte = 1 << 30

    /// Numbers, one a line: nothing repeats, so that a lost or doubled piece would show.
    private func numbers(from first: Int) -> String { "seq \(first) \(first + 200_000_000) | head -c \(Self.gibibyte)" }

    private func hash(_ generator: String) async throws -> ContentHash {
        let process = try RunningProcess(.installed("sh"), ["-c", generator], capture: .digest)
        try await process.waitForExit(timeout: .seconds(300))
        #expect(process.stdout.count == Self.gibibyte)
        return process.stdout.hash
    }

    // No time limit: it would count the wait for the lanes too, and each wait in here has its own.
    @Test func aGibibyteOnBothStreams() async throws {
        let (one, other) = (numbers(from: 1_000_000_000), numbers(from: 5_000_000_000))
        async let expectedOutput = hash(one)
        async let expectedError = hash(other)
        let expected = try await (expectedOutput, expectedError)
        #expect(expected.0 != expected.1)

        let spool = try TaskSpool()
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--log-level", "critical", "--status-address", "127.0.0.1:\(port)"],
            task: spool.script("(\(other)) >&2 & \(one); wait; echo >printed; await go"), capture: .digest)
        try await spool.waitForNote("printed", timeout: .seconds(300))
        try await eventually(timeout: .seconds(60), "all has come through") {
            worker.stdout.count == Self.gibibyte && worker.stderr.count == Self.gibibyte
        }
        let peak = try #require(ProcFiles.status(worker.pid, "VmHWM"))
        #expect(peak < 64 << 10, "\(peak) KiB: memory grows with the output")
        let status = try await HTTP.get(port: port, path: "/status").json() as? [String: Any]
        #expect(status?["outputBytes"] as? Int == 2 * Self.gibibyte)

        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
        #expect(worker.stdout.hash == expected.0)
        #expect(worker.stderr.hash == expected.1)
        #expect(spool.rooms == .init(done: ["a"]))
        #expect(spool.mark.processes().isEmpty)
    }
}
