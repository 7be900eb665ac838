import Foundation
import Glibc
import TestSupport
import Testing

/// Where the endpoint listens, and where `semel status` looks for it.
@Suite(.oneLane)
struct StatusAddressTests {
    private static let hasIPv6 =
        FileManager.default.contents(atPath: "/proc/net/if_inet6")
        .map { String(decoding: $0, as: UTF8.self).contains("00000000000000000000000000000001") } ?? false

    /// A worker that waits, and what it listens on.
    private func waitingWorker(_ address: String, in spool: TaskSpool) async throws -> RunningProcess {
        let worker = try spool.start(["--wait", "forever", "--status-address", address], task: ["true"])
        try await eventually(timeout: .seconds(60), "it looks for messages") {
            FileManager.default.fileExists(atPath: spool.directory.path("spool/incoming"))
        }
        return worker
    }

    /// The body that curl gets, which knows IPv6; nothing when nobody answers.
    private func fetch(_ url: String) async throws -> String {
        try await run(.installed("curl"), ["-s", "-g", url]).stdoutText
    }

    private func expectEnd(of worker: RunningProcess) async throws {
        worker.send(SIGTERM)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(143))
    }

    @Test func offOpensNoPort() async throws {
        let spool = try TaskSpool([:])
        let worker = try await waitingWorker("off", in: spool)
        #expect(ProcFiles.listeningPorts(of: worker.pid).isEmpty)
        #expect(ProcFiles.descriptors(of: worker.pid).allSatisfy { !$0.hasPrefix("socket:") })
        try await expectEnd(of: worker)
    }

    @Test(arguments: ["127.0.0.1:", ":", "0.0.0.0:", "localhost:"])
    func onIPv4(_ prefix: String) async throws {
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let worker = try await waitingWorker("\(prefix)\(port)", in: spool)
        #expect(ProcFiles.listeningPorts(of: worker.pid) == [port])
        let host = prefix == "localhost:" ? "localhost" : "127.0.0.1"
        try await eventually(timeout: .seconds(30), "it answers") {
            try await fetch("http://\(host):\(port)/get/status") == "IDLE"
        }
        try await expectEnd(of: worker)
    }

    @Test(.enabled(if: hasIPv6, "this machine has no IPv6"), arguments: ["[::1]:", "[::]:"])
    func onIPv6(_ prefix: String) async throws {
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let worker = try await waitingWorker("\(prefix)\(port)", in: spool)
        #expect(ProcFiles.listeningPorts(of: worker.pid) == [port])
        try await eventually(timeout: .seconds(30), "it answers") {
            try await fetch("http://[::1]:\(port)/get/status") == "IDLE"
        }
        for arguments in [["http://[::1]:\(port)"], ["[::1]:\(port)"], []] {
            let asked = try await run(
                .semel, ["status"] + arguments,
                environment: RunningProcess.environment(adding: ["SEMEL_STATUS_ADDRESS": "\(prefix)\(port)"]))
            #expect(asked.stdoutText == "IDLE\n", "\(arguments): \(asked.stderrText)")
        }
        try await expectEnd(of: worker)
    }

    /// The port is taken before anything is claimed: a second worker leaves the queue alone.
    @Test func aBusyPortOnASpool() async throws {
        let (idle, spool) = (try TaskSpool([:]), try TaskSpool())
        let port = try FreePort.next()
        let holder = try await waitingWorker("127.0.0.1:\(port)", in: idle)
        for flags in [["--status-address", "127.0.0.1:\(port)"], []] {
            let finished = try await spool.work(
                flags, task: spool.script("echo ran >ran"), environment: ["SEMEL_STATUS_ADDRESS": ":\(port)"])
            #expect(finished.status == .exited(78))
            let source = flags.isEmpty ? "SEMEL_STATUS_ADDRESS" : "--status-address"
            #expect(finished.stderrText.split(separator: "\n").count == 1)
            #expect(
                finished.stderrText.contains("\(source):") && finished.stderrText.contains("Address already in use"))
            #expect(spool.rooms == .init(ready: ["a"]))
            #expect(spool.note("ran").isEmpty)
            #expect(try spool.terminationLog()["outcome"] as? String == "misconfigured")
        }
        #expect(holder.isRunning)
        try await expectEnd(of: holder)
    }

    @Test func aBusyPortOnRabbitMQ() async throws {
        let (idle, spool) = (try TaskSpool([:]), try TaskSpool([:]))
        let server = try await RabbitMQServer.shared()
        let queue = "task-busy-port"
        try await server.declareQueue(queue, type: .quorum)
        try await server.publish("body", to: queue)
        let port = try FreePort.next()
        let holder = try await waitingWorker("127.0.0.1:\(port)", in: idle)
        let finished = try await spool.work(
            ["--status-address", "127.0.0.1:\(port)"], task: spool.script("echo ran >ran"),
            environment: ["SEMEL_QUEUE": server.url(queue: queue)])
        #expect(finished.status == .exited(78))
        #expect(finished.stderrText.split(separator: "\n").count == 1 && !finished.stderrText.contains("guest"))
        #expect(spool.note("ran").isEmpty)
        #expect(try await server.depth(of: queue) == .init(ready: 1, unacknowledged: 0))
        let message = try #require(try await server.take(from: queue).first)
        #expect(message.deliveryCount ?? 0 == 0 && !message.redelivered)
        try await expectEnd(of: holder)
    }

    @Test(arguments: [(0, "COMPLETED", 0), (1, "FAILED", 1)] as [(Int, String, Int32)])
    func semelStatus(_ exit: Int, _ last: String, _ code: Int32) async throws {
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--wait", "forever", "--linger", "1h", "--status-address", ":\(port)"],
            task: spool.script("echo >started; await go; exit \(exit)"))
        func expectStatus(_ state: String, _ code: Int32) async throws {
            let ways = [
                ["http://127.0.0.1:\(port)"], ["http://localhost:\(port)/"], ["127.0.0.1:\(port)"],
                ["localhost:\(port)"], [],
            ]
            for arguments in ways {
                let asked = try await run(
                    .semel, ["status"] + arguments,
                    environment: RunningProcess.environment(adding: ["SEMEL_STATUS_ADDRESS": ":\(port)"]))
                #expect(asked.stdoutText == state + "\n", "\(arguments): \(asked.stderrText)")
                #expect(asked.status == .exited(code) && asked.stderr.isEmpty)
            }
        }
        try await eventually(timeout: .seconds(60), "the endpoint answers") {
            try await run(.semel, ["status", "127.0.0.1:\(port)"]).status == .exited(0)
        }
        try await expectStatus("IDLE", 0)
        try spool.put("body", "a")
        try await spool.waitForNote("started")
        try await expectStatus("ING", 0)
        try spool.release("go")
        try await eventually(timeout: .seconds(60), "it is over") {
            try await HTTP.get(port: port, path: "/get/status").text == last
        }
        try await expectStatus(last, code)
        worker.send(SIGTERM)
        try await worker.waitForExit(timeout: .seconds(60))
    }

    @Test func semelStatusWithoutAWorker() async throws {
        let redis = try await RedisServer.shared()
        let silent = try TCPProxy(to: redis.port)
        await silent.freeze()
        // Nobody, somebody else, and somebody who does not answer.
        for port in [try FreePort.next(), redis.port, silent.port] {
            let asked = try await run(.semel, ["status", "127.0.0.1:\(port)"])
            #expect(asked.status == .exited(69))
            #expect(asked.stdout.isEmpty)
            #expect(
                asked.stderrText.split(separator: "\n").count == 1 && asked.stderrText.contains("127.0.0.1:\(port)"))
        }
    }

    @Test(arguments: [
        ["ftp://127.0.0.1:1"], ["https://127.0.0.1:1"], ["http://"], ["not an address"], ["--flag"], ["a", "b"],
    ])
    func semelStatusWithWrongArguments(_ arguments: [String]) async throws {
        let asked = try await run(.semel, ["status"] + arguments)
        #expect(asked.status == .exited(64))
        #expect(asked.stdout.isEmpty)
        #expect(asked.stderrText.split(separator: "\n").count == 1)
    }

    @Test(arguments: ["off", "nonsense", "127.0.0.1", "127.0.0.1:http"])
    func semelStatusWithAVariableThatNamesNoPlace(_ text: String) async throws {
        let asked = try await run(
            .semel, ["status"], environment: RunningProcess.environment(adding: ["SEMEL_STATUS_ADDRESS": text]))
        #expect(asked.status == .exited(78))
        #expect(asked.stderrText.split(separator: "\n").count == 1 && asked.stderrText.contains("SEMEL_STATUS_ADDRESS"))
    }
}
