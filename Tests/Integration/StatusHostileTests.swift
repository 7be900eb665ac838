import Foundation
import Glibc
import TestSupport
import Testing

/// Slow, broken and hostile clients never hold the task or the exit up.
@Suite(.serialized, .allLanes)
struct StatusHostileTests {
    private static let clients = 200

    /// What is measured of one worker.
    private struct Life {
        /// From the message's arrival to the worker's exit.
        var seconds: Double
        /// Of a well-behaved client, meanwhile.
        var answers = 0
        var slowestAnswer = 0.0
        var memory = 0
        var descriptors = 0
    }

    private func seconds(since start: ContinuousClock.Instant) -> Double {
        Double((ContinuousClock.now - start).components.attoseconds) / 1e18
            + Double((ContinuousClock.now - start).components.seconds)
    }

    /// One worker with a task that takes about a second of one processor.
    private func live(besides hostile: (Int) -> HostileClients?) async throws -> Life {
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--wait", "forever", "--status-address", "127.0.0.1:\(port)"],
            task: ["sh", "-c", "i=0; while [ $i -lt 1500000 ]; do i=$((i + 1)); done; head -c 1000000 /dev/zero"])
        try await eventually(timeout: .seconds(60), "the endpoint answers") {
            (try? await HTTP.get(port: port, path: "/healthz").status) == 200
        }
        let clients = hostile(port)
        defer { clients?.stop() }
        if let clients {
            try await eventually(timeout: .seconds(60), "all clients are there") {
                clients.counts.opened >= Self.clients
            }
        }
        var life = Life(seconds: 0)
        let start = ContinuousClock.now
        try spool.put("body", "a")
        while worker.isRunning {
            life.memory = max(life.memory, ProcFiles.status(worker.pid, "VmHWM") ?? 0)
            life.descriptors = max(life.descriptors, ProcFiles.descriptors(of: worker.pid).count)
            let asked = ContinuousClock.now
            if let answer = try? await HTTP.get(port: port, path: "/get/status", timeout: .seconds(5)) {
                #expect(["IDLE", "ING", "COMPLETED"].contains(answer.text))
                life.answers += 1
                life.slowestAnswer = max(life.slowestAnswer, seconds(since: asked))
            } else {
                #expect(seconds(since: asked) < 5, "a well-behaved client got no answer")
            }
            #expect(seconds(since: start) < 120)
            try await Task.sleep(for: .milliseconds(20))
        }
        life.seconds = seconds(since: start)
        #expect(worker.status == .exited(0), "\(worker.report)")
        #expect(worker.stdout.count == 1_000_000)
        #expect(spool.rooms == .init(done: ["a"]))
        return life
    }

    @Test func theyDelayNothing() async throws {
        let plain = try await live { _ in nil }
        #expect(plain.answers > 0)
        let harried = try await live { HostileClients(port: $0, count: Self.clients, reopening: true) }
        // The clients take their share of a small machine; what must not be in it is any of their time limits.
        #expect(harried.seconds < 4 * plain.seconds + 3, "\(plain.seconds) s without, \(harried.seconds) s with them")
        #expect(harried.answers > 0)
        #expect(harried.slowestAnswer < 3, "\(harried)")
        // Each of them sends eight megabytes, if it is let.
        #expect(
            harried.memory < plain.memory + 48 << 10, "\(plain.memory) KiB without, \(harried.memory) KiB with them")
        #expect(harried.descriptors < plain.descriptors + 64 + 32, "\(harried.descriptors) descriptors")
    }
}

/// What hostile clients are each for themselves, and at a worker's end.
@Suite(.oneLane)
struct StatusHostileMannerTests {
    /// A probe that asks once a second gets its answer, and the connections of everyone else come to an end.
    @Test func theyAreAllSentAway() async throws {
        let spool = try TaskSpool()
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--status-address", "127.0.0.1:\(port)"], task: spool.script("echo >started; await go"))
        try await spool.waitForNote("started")
        func sockets() -> Int { ProcFiles.descriptors(of: worker.pid).count { $0.hasPrefix("socket:") } }
        // What answers comes into being with the first question.
        #expect(try await HTTP.get(port: port, path: "/healthz").status == 200)
        let before = sockets()
        let count = 200
        let clients = HostileClients(port: port, count: count)
        defer { clients.stop() }
        try await eventually(timeout: .seconds(60), "all clients have come") { clients.counts.opened == count }
        #expect(try await HTTP.get(port: port, path: "/healthz").status == 200)
        // At most 64 are kept, however many come.
        try await eventually(timeout: .seconds(8), "the oldest had to go") { sockets() <= before + 64 }
        // Ten seconds for those, and something for a slow machine.
        try await eventually(timeout: .seconds(25), "all have been sent away") {
            let health = try await HTTP.get(port: port, path: "/healthz").status
            #expect(health == 200)
            return clients.counts.ended == count && sockets() <= before
        }
        let memory = try #require(ProcFiles.status(worker.pid, "VmHWM"))
        #expect(memory < 96 << 10, "\(memory) KiB")
        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
    }

    /// One manner at a time: so that none hides behind another that is cut off sooner.
    @Test(arguments: HostileClients.Manner.allCases)
    func eachMannerComesToItsEnd(_ manner: HostileClients.Manner) async throws {
        let spool = try TaskSpool()
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--status-address", "127.0.0.1:\(port)"], task: spool.script("echo >started; await go"))
        try await spool.waitForNote("started")
        // What answers comes into being with the first question.
        #expect(try await HTTP.get(port: port, path: "/get/status").text == "ING")
        let before = ProcFiles.descriptors(of: worker.pid).count
        let clients = HostileClients(port: port, count: 20, manners: [manner])
        defer { clients.stop() }
        // Who says too much has to go before the ten seconds are over that everybody has.
        let limit = manner.saysTooMuch ? Duration.seconds(8) : .seconds(30)
        try await eventually(timeout: limit, "all have been sent away") { clients.counts.ended == 20 }
        try await eventually(timeout: .seconds(20), "all descriptors are closed") {
            ProcFiles.descriptors(of: worker.pid).count <= before
        }
        #expect(try await HTTP.get(port: port, path: "/get/status").text == "ING")
        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
    }

    /// The exit waits for nobody who is still connected.
    @Test func theyDoNotHoldUpTheExit() async throws {
        let spool = try TaskSpool()
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--status-address", "127.0.0.1:\(port)"], task: spool.script("echo >started; await go"))
        try await spool.waitForNote("started")
        let clients = HostileClients(port: port, count: 40, manners: [.idle, .byteByByte, .halfClosed])
        defer { clients.stop() }
        try await eventually(timeout: .seconds(30), "all clients have come") { clients.counts.opened == 40 }
        let released = ContinuousClock.now
        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
        #expect(ContinuousClock.now - released < .seconds(5))
        #expect(spool.rooms == .init(done: ["a"]))
    }
}
