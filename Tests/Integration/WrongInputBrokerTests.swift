import Foundation
import Glibc
import TestSupport
import Testing

/// Mistakes that only the queue knows of: one line of the log, and nothing claimed.
@Suite(.oneLane)
struct WrongInputBrokerTests {
    private static let password = WrongInput.password

    /// Tells a worker of this queue, once in each way, with and without a wait.
    private func expectRefusal(
        of url: String, code: Int32, _ says: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for (flags, environment, source) in [
            (["--queue", url], [:], "--queue"), (["--wait", "20s"], ["SEMEL_QUEUE": url], "SEMEL_QUEUE"),
        ] {
            let spool = try TaskSpool([:])
            let started = ContinuousClock.now
            let finished = try await spool.work(
                flags, task: spool.script("echo ran >ran"), environment: environment)
            let input = WrongInput(code: code, says: [source, "error", "exit=\(code)", "reason=\""] + says)
            try input.expect(finished, in: spool, sourceLocation: sourceLocation)
            #expect(ContinuousClock.now - started < .seconds(18), "it waited", sourceLocation: sourceLocation)
        }
    }

    @Test func rabbitMQ() async throws {
        let server = try await RabbitMQServer.shared()
        let queue = "task-wrong-input"
        try await server.declareQueue(queue, type: .quorum)
        try await server.publish("body", to: queue)
        try await server.createUser("task-wrong", password: Self.password)
        try await server.setPermissions(user: "task-wrong", write: "^$", read: "^$")
        let guest = "guest:guest@127.0.0.1:\(server.port)"

        try await expectRefusal(of: server.url(queue: queue, password: Self.password), code: 77, "ACCESS_REFUSED")
        try await expectRefusal(
            of: server.url(queue: queue, user: "nobody", password: Self.password), code: 77, "ACCESS_REFUSED")
        try await expectRefusal(
            of: server.url(queue: queue, user: "task-wrong", password: Self.password), code: 77, "ACCESS_REFUSED")
        try await expectRefusal(of: "amqp://\(guest)/?queue=no-such-queue", code: 78, "no-such-queue")
        try await expectRefusal(of: "amqp://\(guest)/no-such-vhost?queue=\(queue)", code: 78, "no-such-vhost")
        await #expect(throws: (any Error).self) { try await server.depth(of: "no-such-queue") }

        let message = try #require(try await server.take(from: queue).first)
        #expect(message.text == "body" && !message.redelivered && message.deliveryCount ?? 0 == 0)
    }

    @Test func redis() async throws {
        let server = try await RedisServer.start(
            password: "right", configuration: ["user narrow on >\(Self.password) ~others* +@all"])
        try await server.command("RPUSH", "wrong-input", "body")
        try await server.command("SET", "not-a-list", "text")
        let place = "127.0.0.1:\(server.port)"

        try await expectRefusal(of: server.url(list: "wrong-input", password: Self.password), code: 77, "WRONGPASS")
        try await expectRefusal(of: "redis://\(place)/0?list=wrong-input", code: 77, "refused")
        try await expectRefusal(
            of: server.url(list: "wrong-input", user: "nobody", password: Self.password), code: 77, "WRONGPASS")
        try await expectRefusal(of: "redis://nobody@\(place)/0?list=wrong-input", code: 77, "WRONGPASS")
        try await expectRefusal(
            of: server.url(list: "wrong-input", user: "narrow", password: Self.password), code: 77, "NOPERM")
        try await expectRefusal(of: "redis://:right@\(place)/99?list=wrong-input", code: 78, "DB index")
        try await expectRefusal(of: "redis://:right@\(place)/0?list=not-a-list", code: 78, "not-a-list", "not a list")

        let keys = try await server.command("KEYS", "*").array?.compactMap(\.text).sorted()
        #expect(keys == ["not-a-list", "wrong-input"])
        #expect(try await server.command("LRANGE", "wrong-input", "0", "-1") == .array([.bulk(Array("body".utf8))]))
        #expect(try await server.command("GET", "not-a-list").text == "text")
    }

    @Test func nobodyThere() async throws {
        let port = try FreePort.next()
        for host in ["127.0.0.1", "no-such-host.invalid"] {
            try await expectRefusal(
                of: "amqp://user:\(Self.password)@\(host):\(port)/?queue=a", code: 69, "\(host):\(port)")
            try await expectRefusal(
                of: "redis://:\(Self.password)@\(host):\(port)/0?list=a", code: 69, "\(host):\(port)")
        }
    }

    /// Somebody who speaks another protocol.
    @Test func somebodyElseThere() async throws {
        let server = try await RabbitMQServer.shared()
        let (broker, web) = ("127.0.0.1:\(server.port)", "127.0.0.1:\(server.managementPort)")
        try await expectRefusal(of: "redis://:\(Self.password)@\(broker)/0?list=a", code: 69, broker)
        try await expectRefusal(of: "amqp://user:\(Self.password)@\(web)/?queue=a", code: 69, web)
    }

    @Test(arguments: ["amqp", "redis"])
    func nobodyAnswers(_ scheme: String) async throws {
        let redis = try await RedisServer.shared()
        let silent = try TCPProxy(to: redis.port)
        await silent.freeze()
        let spool = try TaskSpool([:])
        let url = "\(scheme)://user:\(Self.password)@127.0.0.1:\(silent.port)/?\(scheme == "amqp" ? "queue" : "list")=a"
        let finished = try await spool.work(["--queue", url], task: spool.script("echo ran >ran"))
        try WrongInput(code: 69, says: ["--queue", "127.0.0.1:\(silent.port)"]).expect(finished, in: spool)
    }

    @Test func spools() async throws {
        let spool = try TaskSpool()
        let file = try spool.directory.write("", to: "file")
        try await expectRefusal(of: "spool:\(file)", code: 78, file, "not a directory")
        try await expectRefusal(of: "spool:\(file)/below", code: 78, file)
        let missing = spool.directory.path("missing")
        try await expectRefusal(of: "spool:\(missing)", code: 78, missing, "does not exist")
        #expect(!FileManager.default.fileExists(atPath: missing))
        // A directory in which nobody can make the rooms, root included.
        try await expectRefusal(of: "spool:/proc/self", code: 78, "/proc/self")
        try FileManager.default.removeItem(atPath: spool.directory.path("spool/ready/a"))
        try FileManager.default.removeItem(atPath: spool.directory.path("spool/ready"))
        try spool.directory.write("", to: "spool/ready")
        try await expectRefusal(of: spool.url, code: 78, "spool/ready")
    }

    /// Root may read everything, so here the worker is somebody else.
    @Test(.enabled(if: getuid() == 0, "only root can become somebody else"))
    func spoolsThatMayNotBeRead() async throws {
        let spool = try TaskSpool()
        // Where the products were built to may be nobody else's business.
        let semel = spool.directory.path("semel")
        try FileManager.default.copyItem(atPath: Executable.semel.path, toPath: semel)
        func work() async throws -> Finished {
            try await run(
                .installed("setpriv"),
                [
                    "--reuid", "65534", "--regid", "65534", "--clear-groups", semel, "run", "--termination-log", "off",
                    "--", "true",
                ],
                environment: spool.environment(), timeout: .seconds(60))
        }
        func expectRefusal(_ what: String) async throws {
            let finished = try await work()
            #expect(finished.status == .exited(78), "\(what): \(finished.stderrText)")
            #expect(finished.stderrText.count { $0 == "\n" } == 1 && finished.stderrText.contains("SEMEL_QUEUE"))
            #expect(finished.stderrText.contains("Permission denied"))
            #expect(spool.rooms.ready == ["a"] && spool.rooms.claimed.isEmpty, "\(what)")
        }
        func allow(_ mode: Int, _ path: String) throws {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        let root = spool.directory.path("spool")
        for parent in [spool.directory.url.deletingLastPathComponent().path, spool.directory.path] {
            try allow(0o755, parent)
        }
        try allow(0o700, root)
        try await expectRefusal("a spool that cannot be entered")
        try allow(0o755, root)
        try await expectRefusal("a spool in which no rooms can be made")
        try allow(0o777, root)
        try allow(0o700, root + "/ready")
        try await expectRefusal("a room that cannot be read")
        try allow(0o755, root + "/ready")
        try await expectRefusal("a room out of which nothing can be moved")
        try allow(0o777, root + "/ready")
        try allow(0o600, root + "/ready/a")
        // One such file must not stop the others.
        let idle = try await work()
        #expect(idle.status == .exited(0) && idle.stderrText.contains("passed over: it may not be read"))
        #expect(spool.rooms.ready == ["a"] && spool.rooms.claimed.isEmpty)
        try allow(0o644, root + "/ready/a")
        #expect(try await work().status == .exited(0))
        #expect(spool.rooms == .init(done: ["a"]))
    }
}
