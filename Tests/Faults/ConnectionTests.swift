import Glibc
import TestSupport
import Testing

/// What a network can do to a connection.
enum NetworkFault: String, CaseIterable, CustomTestStringConvertible {
    /// For less than a lease, or two heartbeats.
    case shortlyFrozen = "shortly frozen"
    /// Until the worker has ended.
    case frozen
    case cut
    /// Each side is told that the other has finished.
    case endedForWorker = "ended for the worker"
    case endedForServer = "ended for the server"

    var testDescription: String { rawValue }

    /// A lease is not tied to a connection, so Redis is asked again on another one.
    func isRiddenOut(on kind: QueueKind) -> Bool {
        switch self {
        case .shortlyFrozen: true
        case .frozen: false
        case .cut, .endedForWorker, .endedForServer: kind.traits.hasLease
        }
    }

    /// Does it, and for a short one also ends it, in time.
    func strike(_ proxy: TCPProxy, _ worker: Worker, on kind: QueueKind) async throws {
        switch self {
        case .frozen: await proxy.freeze()
        case .cut: await proxy.cut()
        case .endedForWorker: await proxy.halfClose(towards: .client)
        case .endedForServer: await proxy.halfClose(towards: .server)
        case .shortlyFrozen:
            await proxy.freeze()
            if kind.traits.hasLease {
                // The worker has noticed, and its lease goes on for as long again.
                try await worker.waitForLog("trying again")
            } else {
                // The length of the fault: shorter than a heartbeat, so that nobody notices anything.
                try await Task.sleep(for: .milliseconds(800))
            }
            await proxy.thaw()
        }
    }
}

@Suite(.throttled)
struct ConnectionTests {
    /// Long enough for an extension to fail and another to succeed.
    private func flags(_ fault: NetworkFault) -> [String] {
        ["--lease", fault == .shortlyFrozen ? "6s" : "2s"]
    }

    @Test(arguments: QueueKind.remote, NetworkFault.allCases.filter { $0 != .shortlyFrozen })
    func whileIdle(_ kind: QueueKind, _ fault: NetworkFault) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        let proxy = try queue.proxy()
        let worker = try Worker(queue, ["--wait", "5m"], through: proxy, task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        try await fault.strike(proxy, worker, on: kind)
        if fault != .frozen, !kind.traits.knowsItsWaiters {
            try await queue.put("m")
            try await worker.end().expect(0, "completed")
            return
        }
        let server = "\(try #require(kind.traits.server)) at 127.0.0.1:\(proxy.port)"
        try await worker.end().expect(69, "unreachable", saying: server)
        // Nothing of it is left that would take a message.
        await proxy.cut()
        try await queue.put("m")
        try await Worker.run(queue, task: ["true"]).expect(0, "completed", attempt: 1)
    }

    @Test(arguments: QueueKind.remote)
    func shortlyFrozenWhileIdle(_ kind: QueueKind) async throws {
        let queue = try await kind.make(heartbeat: "2s")
        let proxy = try queue.proxy()
        let worker = try Worker(queue, through: proxy, task: ["true"])
        try await queue.waitUntilAwaited(by: worker)
        await proxy.freeze()
        try await queue.put("m")
        // The length of the fault: nothing of it can be seen from here.
        try await Task.sleep(for: .milliseconds(500))
        await proxy.thaw()
        try await worker.end().expect(0, "completed", attempt: 1)
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: QueueKind.remote, NetworkFault.allCases)
    func whileTheTaskRuns(_ kind: QueueKind, _ fault: NetworkFault) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, flags(fault), through: proxy, task: notes.held())
        try await worker.waitForTask()
        try await fault.strike(proxy, worker, on: kind)
        if fault.isRiddenOut(on: kind) {
            try notes.allow()
            try await worker.end().expect(0, "completed", attempt: 1)
            #expect(notes.runs == ["m 1"])
        } else {
            try await worker.end().expect(76, "lost", attempt: 1)
            await proxy.cut()
            try notes.allow()
            try await queue.nextAttempt(task: notes.held()).expect(0, "completed", attempt: 2)
            #expect(notes.runs == ["m 1", "m 2"])
        }
        try await queue.waitUntilLeft(.nothing)
    }

    /// The task finishes, and its worker says that it was for nothing.
    @Test(arguments: QueueKind.remote)
    func onLostFinish(_ kind: QueueKind) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let flags = ["--on-lost", "finish", "--lease", "2s"]
        let worker = try Worker(queue, flags, through: proxy, task: notes.held())
        try await worker.waitForTask()
        await proxy.freeze()
        try await worker.waitForLog("claim lost")
        // Somebody else has the message by now.
        await proxy.cut()
        let others = try Notes()
        try await queue.nextAttempt(task: others.at(once: 0)).expect(0, "completed", attempt: 2)
        await proxy.thaw()
        #expect(worker.process.isRunning)
        try notes.allow()
        let end = try await worker.end()
        end.expect(76, "lost", attempt: 1, saying: "did not count")
        #expect(end.report?.taskExit == 0)
        try await queue.waitUntilLeft(.nothing)
    }

    /// The task has succeeded and the queue is to be told.
    @Test(arguments: QueueKind.remote, NetworkFault.allCases)
    func whileItSettles(_ kind: QueueKind, _ fault: NetworkFault) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, flags(fault), through: proxy, task: notes.held())
        try await worker.waitForTask()
        await proxy.freeze()
        try notes.allow()
        try await worker.waitUntilSettling()
        try await fault.strike(proxy, worker, on: kind)
        if fault != .frozen { await proxy.thaw() }
        let end = try await worker.end()
        await proxy.cut()
        await proxy.thaw()
        if end.status == .exited(0) {
            end.expect(0, "completed", attempt: 1)
            #expect(fault != .frozen)
            try await queue.waitUntilLeft(.nothing)
        } else {
            end.expect(76, "lost", attempt: 1, saying: "did not count")
            #expect(!fault.isRiddenOut(on: kind))
            // Whether the settlement has arrived cannot be known from here: it may be back, and is never lost.
            try await queue.waitUntilLeft(.nothing, orOneBack: notes)
        }
    }

    /// Nothing tells a worker that its claim is over, and it has something to publish: there must not be two of it.
    @Test(arguments: RabbitMQServer.QueueType.allCases, [3, 65, 143])
    func lostUnheard(_ type: RabbitMQServer.QueueType, _ status: Int) async throws {
        let queue = try await RabbitMQUnderTest(type, heartbeat: "60s")
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, through: proxy, task: notes.held(exit: status))
        try await worker.waitForTask()
        await proxy.freezeOpen()
        try await queue.server.closeConnections(of: queue.user, reason: "maintenance")
        try await queue.waitUntilLeft(.oneReady)
        if status == 143 { worker.process.send(SIGTERM) } else { try notes.allow() }
        try await worker.end().expect(76, "lost", attempt: 1, saying: "did not count", "basic.qos")
        try await queue.waitUntilLeft(.oneReady)
        try await queue.nextAttempt(task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        #expect(notes.runs == ["m 1", "m 2"])
        try await queue.waitUntilLeft(.nothing)
    }

    /// A failed task's message has to be put somewhere else, which does not work.
    @Test(arguments: QueueKind.remote)
    func frozenWhileItRetries(_ kind: QueueKind) async throws {
        let queue = try await kind.make(heartbeat: "1s")
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, through: proxy, task: notes.held(exit: 3))
        try await worker.waitForTask()
        await proxy.freeze()
        try notes.allow()
        try await worker.end().expect(76, "lost", attempt: 1, saying: "did not count")
        await proxy.cut()
        await proxy.thaw()
        try await queue.nextAttempt(task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        #expect(notes.runs == ["m 1", "m 2"])
        try await queue.waitUntilLeft(.nothing)
    }
}

extension QueueUnderTest {
    /// Nothing is left, at once or after whoever comes next has had the one message that came back.
    fileprivate func waitUntilLeft(_ nothing: Left, orOneBack notes: Notes) async throws {
        var flags = ["--wait", "3s"]
        var next = try await Worker.run(self, flags, task: notes.at(once: 0))
        if next.status == .exited(75) {
            flags = []
            next = try await Worker.run(self, flags, task: notes.at(once: 0))
        }
        #expect(next.status == .exited(0), "\(next.stderr)")
        #expect(notes.runs.count <= 2)
        try await waitUntilLeft(nothing)
    }
}
