import Foundation
import Glibc
import TestSupport
import Testing

/// What a task is born with: its streams, its progress descriptor, its variables, and nothing of the worker's own.
@Suite(.oneLane)
struct TasksEnvironmentTests {
    private static let descriptors = ["0", "1", "2", "3"]

    @Test func noDescriptorsOfTheWorkersOrItsParents() async throws {
        let spool = try TaskSpool()
        let port = try FreePort.next()
        let semel = try Executable.semel.path
        let task = spool.script("\(TaskSpool.listDescriptors); exit 0")
        let opening = #"exec 4</dev/null 7</dev/null 9>/dev/null; exec "$@""#
        let finished = try await run(
            .installed("sh"),
            ["-c", opening, "sh", semel, "run", "--status-address", "127.0.0.1:\(port)", "--"] + task,
            environment: spool.environment(), timeout: .seconds(60))
        #expect(finished.status == .exited(0), "\(finished.stderrText)")
        #expect(spool.notes("descriptors").sorted() == Self.descriptors)
    }

    /// With a connection to the broker, the status endpoint and one of its clients.
    @Test func noSockets() async throws {
        let redis = try await RedisServer.shared()
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--wait", "forever", "--status-address", "127.0.0.1:\(port)"],
            task: spool.script("\(TaskSpool.listDescriptors); cat >input; exit 0"),
            environment: ["SEMEL_QUEUE": redis.url(list: "task-descriptors")])
        try await eventually(timeout: .seconds(60), "the endpoint answers") {
            (try? await HTTP.get(port: port, path: "/healthz").status) == 200
        }
        func sockets() -> Int { ProcFiles.descriptors(of: worker.pid).count { $0.hasPrefix("socket:") } }
        // The listener and the broker's: the client that asked just now has to have gone before another one is counted.
        try await eventually(timeout: .seconds(30), "the first client has gone") { sockets() == 2 }
        let client = HostileClients(port: port, count: 1, manners: [.idle])
        try await eventually(timeout: .seconds(30), "a client is connected") { sockets() == 3 }
        try await redis.command("RPUSH", "task-descriptors", "body")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
        client.stop()
        #expect(spool.notes("descriptors").sorted() == Self.descriptors)
        #expect(spool.note("input") == "body")
    }

    @Test(arguments: [false, true])
    func noSignalIsBlockedOrIgnored(parentIgnores: Bool) async throws {
        let spool = try TaskSpool()
        let semel = try Executable.semel.path
        let trap = parentIgnores ? "trap '' PIPE HUP INT QUIT TERM USR1; " : ""
        let finished = try await run(
            .installed("sh"),
            ["-c", trap + #"exec "$@""#, "sh", semel, "run", "--", "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"],
            environment: spool.environment(), timeout: .seconds(60))
        #expect(finished.status == .exited(0))
        // Glibc's posix_spawn has a child ignore the two signals that it keeps for itself, 32 and 33.
        let ofGlibc = UInt64(3) << 31
        let sets = finished.stdoutText.split(whereSeparator: \.isWhitespace).compactMap { UInt64($0, radix: 16) }
        #expect(sets.map { $0 & ~ofGlibc } == [0, 0], "\(finished.stdoutText)")
    }

    /// With SIGPIPE ignored, `yes` would complain and the pipeline would not end as it does in a shell.
    @Test func aBrokenPipeWithinTheTaskEndsItsWriter() async throws {
        let spool = try TaskSpool()
        let finished = try await spool.work(
            ["--log-level", "critical"], task: spool.script("yes | head -n 1; seq 1000000 | head -n 1"))
        #expect(finished.status == .exited(0))
        #expect(finished.stdoutText == "y\n1\n")
        #expect(finished.stderr.isEmpty)
    }

    @Test func itLeadsAProcessGroupOfItsOwn() async throws {
        let spool = try TaskSpool()
        let task = spool.script(#"set -- $(ps -o pid=,pgid=,ppid= -p $$); [ "$1" = "$2" ] && echo "$3""#)
        let worker = try spool.start(task: task)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
        #expect(worker.stdout.text == "\(worker.pid)\n")
    }

    @Test func variables() async throws {
        let spool = try TaskSpool(["order-7.json": "{}"])
        let finished = try await spool.work(
            ["--timeout", "1h", "--max-attempts", "3"], task: ["env", "-0"], environment: ["OF_THE_POD": "a\nb"])
        #expect(finished.status == .exited(0))
        let pairs = finished.stdoutText.split(separator: "\0").map { $0.split(separator: "=", maxSplits: 1) }
        let variables = Dictionary(
            uniqueKeysWithValues: pairs.map { (String($0[0]), $0.count > 1 ? String($0[1]) : "") })
        #expect(variables["SEMEL_MESSAGE_ID"] == "order-7.json")
        #expect(variables["SEMEL_ATTEMPT"] == "1")
        #expect(variables["SEMEL_MAX_ATTEMPTS"] == "3")
        #expect(variables["SEMEL_QUEUE"] == spool.url)
        #expect(variables["SEMEL_HEADERS"] == "{}")
        #expect(variables["SEMEL_PROGRESS_FD"] == "3")
        #expect(variables["OF_THE_POD"] == "a\nb")
        #expect(variables["SEMEL_CONTENT_TYPE"] == nil && variables["SEMEL_MESSAGE_FILE"] == nil)
        let deadline = try Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            .parse(#require(variables["SEMEL_DEADLINE"]))
        #expect((3300...3600).contains(deadline.timeIntervalSinceNow))
    }
}
