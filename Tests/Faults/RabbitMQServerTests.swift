import Glibc
import TestSupport
import Testing

/// The broker itself ends, runs out of memory or out of patience. One broker, one fault after the other.
@Suite(.serialized, .throttled)
struct RabbitMQServerTests {
    private static let server = SharedInstance {
        try await RabbitMQServer.start(erlangArguments: ["-rabbit channel_tick_interval 500"])
    }

    private func queues(heartbeat: String = "30s") async throws -> [RabbitMQUnderTest] {
        let server = try await Self.server.get()
        return [
            try await RabbitMQUnderTest(.classic, on: server, heartbeat: heartbeat),
            try await RabbitMQUnderTest(.quorum, on: server, heartbeat: heartbeat),
        ]
    }

    // MARK: Restarts

    @Test func endedInGoodOrderWhileIdle() async throws {
        let queues = try await queues()
        var workers: [Worker] = []
        for queue in queues {
            let worker = try Worker(queue, ["--wait", "forever"], task: ["true"])
            try await queue.waitUntilAwaited(by: worker)
            workers.append(worker)
        }
        let server = try await Self.server.get()
        try await server.stop()
        for worker in workers {
            try await worker.end().expect(69, "unreachable", saying: "RabbitMQ at 127.0.0.1:\(server.port)")
        }
        try await Worker.run(queues[0], task: ["true"]).expect(69, "unreachable", saying: "no connection")
        try await server.restart()
        for queue in queues {
            try await queue.put("m")
            try await Worker.run(queue, task: ["true"]).expect(0, "completed", attempt: 1)
        }
    }

    @Test func killedWhileTheTaskRuns() async throws {
        let queues = try await queues()
        var running: [(queue: RabbitMQUnderTest, notes: Notes, worker: Worker)] = []
        for queue in queues {
            for onLost in ["stop", "finish"] {
                let notes = try Notes()
                try await queue.put(onLost)
                let worker = try Worker(queue, ["--on-lost", onLost], task: notes.held())
                try await worker.waitForTask()
                running.append((queue, notes, worker))
            }
        }
        let server = try await Self.server.get()
        try await server.kill()
        for (_, notes, worker) in running {
            try await worker.waitForLog("claim lost")
            if notes.runs == ["finish 1"] { try notes.allow() }
            try await worker.end().expect(76, "lost", attempt: 1)
        }
        try await server.restart()
        for queue in queues {
            try await queue.waitUntilLeft(Left(ready: 2))
            #expect(try await queue.complete(2) == ["finish", "stop"])
        }
    }

    @Test func killedBetweenClaimAndTask() async throws {
        var starting: [(queue: RabbitMQUnderTest, notes: Notes, task: HeldExecutable, worker: Worker)] = []
        for queue in try await queues() {
            let notes = try Notes()
            try await queue.put("m")
            let task = try HeldExecutable(notes.held())
            let worker = try Worker(queue, task: task.command)
            try await task.waitUntilWanted()
            starting.append((queue, notes, task, worker))
        }
        let server = try await Self.server.get()
        try await server.kill()
        for (_, _, task, worker) in starting {
            try await worker.waitForLog("claim lost")
            task.release()
            try await worker.end().expect(76, "lost", attempt: 1)
        }
        try await server.restart()
        for (queue, _, _, _) in starting {
            try await queue.waitUntilLeft(.oneReady)
            #expect(try await queue.complete(1) == ["m"])
        }
    }

    /// What was put into a queue that semel has just made must be there as well when the node is gone the next moment.
    /// (A classic queue does not remember acknowledgements that well, and so has the message twice.)
    @Test func killedRightAfterTheSettlement() async throws {
        let queue = try await queues()[1]
        for (status, outcome, left) in [
            (3, "retry", Left(delayed: 1)), (65, "dead-lettered", Left(delayed: 1, dead: 1)),
        ] {
            try await queue.put("m \(status)")
            let worker = try await Worker.run(queue, ["--retry-delay", "10m"], task: ["sh", "-c", "exit \(status)"])
            worker.expect(status == 3 ? 75 : 65, outcome, attempt: 1)
            try await queue.server.kill()
            try await queue.server.restart()
            try await queue.waitUntilLeft(left)
        }
    }

    /// And one that has settled and only lingers does not care.
    @Test func killedWhileItSettles() async throws {
        let queues = try await queues(heartbeat: "2s")
        var settling: [(queue: RabbitMQUnderTest, proxy: TCPProxy, worker: Worker)] = []
        var lingering: [Worker] = []
        for queue in queues {
            try await queue.put("done before")
            let done = try Worker(queue, ["--linger", "1h"], task: ["true"])
            try await done.waitForLog("completed")
            lingering.append(done)
            let notes = try Notes()
            let proxy = try queue.proxy()
            try await queue.put("m")
            let worker = try Worker(queue, through: proxy, task: notes.held())
            try await worker.waitForTask()
            await proxy.freeze()
            try notes.allow()
            try await worker.waitUntilSettling()
            settling.append((queue, proxy, worker))
        }
        let server = try await Self.server.get()
        try await server.kill()
        for (_, proxy, worker) in settling {
            await proxy.thaw()
            try await worker.end().expect(76, "lost", attempt: 1, saying: "did not count")
        }
        for worker in lingering {
            worker.process.send(SIGTERM)
            try await worker.end().expect(0, "completed", attempt: 1)
        }
        try await server.restart()
        for queue in queues {
            try await queue.waitUntilLeft(.oneReady)
            #expect(try await queue.complete(1) == ["m"])
        }
    }

    // MARK: Memory

    /// What a task came to, and what that needs of the broker.
    private struct Ending {
        let queue: RabbitMQUnderTest
        let notes: Notes
        let worker: Worker
        /// Of the task; 143 is stopped by a signal to the worker.
        let status: Int
    }

    private func endings() async throws -> [Ending] {
        var endings: [Ending] = []
        for status in [0, 3, 65, 143] {
            for queue in try await queues() {
                let notes = try Notes()
                try await queue.put("m")
                let worker = try Worker(queue, ["--retry-delay", "1s"], task: notes.held(exit: status))
                try await worker.waitForTask()
                endings.append(Ending(queue: queue, notes: notes, worker: worker, status: status))
            }
        }
        return endings
    }

    /// While the broker blocks publishers, acknowledgements pass; whatever needs a publishing hands its message back.
    @Test func memoryAlarm() async throws {
        let server = try await Self.server.get()
        let endings = try await endings()
        try await server.setMemoryAlarm(true)
        for ending in endings {
            if ending.status == 143 { ending.worker.process.send(SIGTERM) } else { try ending.notes.allow() }
        }
        for ending in endings {
            let end = try await ending.worker.end()
            switch ending.status {
            case 0: end.expect(0, "completed", attempt: 1)
            // It would not count as an attempt if a copy could be published; as it is, it does.
            case 143: end.expect(143, "terminated", attempt: 1, saying: "SIGTERM")
            default: end.expect(75, "retry", attempt: 1, saying: "blocks publishers", "handed back")
            }
            try await ending.queue.waitUntilLeft(ending.status == 0 ? .nothing : .oneReady)
        }
        try await server.setMemoryAlarm(false)
        // What was held up must not come through afterwards: there would be two of each.
        try await eventually("all publishers are gone") { try await server.connectionCount() == 0 }
        for ending in endings where ending.status != 0 {
            try await ending.queue.waitUntilLeft(.oneReady)
            #expect(try await ending.queue.complete(1) == ["m"])
        }
    }

    /// The alarm may end in time.
    @Test func aShortMemoryAlarm() async throws {
        let server = try await Self.server.get()
        let endings = try await endings()
        try await server.setMemoryAlarm(true)
        for ending in endings {
            if ending.status == 143 { ending.worker.process.send(SIGTERM) } else { try ending.notes.allow() }
        }
        for ending in endings { try await ending.worker.waitUntilSettling() }
        try await server.setMemoryAlarm(false)
        for ending in endings {
            let end = try await ending.worker.end()
            switch ending.status {
            case 0: end.expect(0, "completed", attempt: 1)
            case 143: end.expect(143, "terminated", attempt: 1, saying: "SIGTERM")
            case 65: end.expect(65, "dead-lettered", attempt: 1)
            default: end.expect(75, "retry", attempt: 1, saying: "exited with 3")
            }
        }
        for ending in endings {
            let left = [0: .nothing, 65: .oneDead][ending.status] ?? Left.oneReady
            try await ending.queue.waitUntilLeft(left)
        }
    }

    // MARK: Patience

    /// RabbitMQ takes a message away from whoever holds it for too long.
    @Test func deliveryAcknowledgementTimeout() async throws {
        let server = try await Self.server.get()
        // New channels ask for it, as after a change in rabbitmq.conf.
        try await server.evaluate("application:set_env(rabbit, consumer_timeout, 5000)")
        for queue in try await queues() {
            for flags in [[], ["--wait", "0"]] {
                let notes = try Notes()
                try await queue.put("m")
                let worker = try Worker(queue, flags, task: notes.held())
                try await worker.waitForTask()
                try await worker.end().expect(
                    76, "lost", attempt: 1, saying: "delivery acknowledgement timeout",
                    "consumer_timeout (milliseconds) in rabbitmq.conf")
                try await queue.waitUntilLeft(.oneReady)
                #expect(try await queue.complete(1) == ["m"])
            }
        }
        try await server.evaluate("application:set_env(rabbit, consumer_timeout, 1800000)")
    }

    /// The last moment to find out is right before a copy is published: here while a queue is made for it.
    @Test func deliveryAcknowledgementTimeoutWhileItSettles() async throws {
        let server = try await Self.server.get()
        try await server.evaluate("application:set_env(rabbit, consumer_timeout, 1000)")
        let queue = try await queues()[1]
        try await queue.put("m")
        try await Worker.run(queue, task: ["false"])
            .expect(76, "lost", attempt: 1, saying: "did not count", "delivery acknowledgement timeout")
        try await queue.waitUntilLeft(.oneReady)
        try await server.evaluate("application:set_env(rabbit, consumer_timeout, 1800000)")
    }
}

extension RabbitMQServer {
    /// Makes the broker believe that it needs too much memory, or no longer.
    fileprivate func setMemoryAlarm(_ isOn: Bool) async throws {
        try await evaluate("vm_memory_monitor:set_vm_memory_high_watermark(\(isOn ? "0.00001" : "0.8"))")
        try await eventually("the alarm is \(isOn ? "on" : "off")") {
            (try await evaluate("rabbit_alarm:get_alarms()") != "[]") == isOn
        }
    }
}

extension RabbitMQUnderTest {
    /// Runs workers until so many messages are completed; the bodies, sorted. Whether a classic queue remembers past its
    /// own death that a message was delivered is a matter of luck, and so is the number of runs.
    fileprivate func complete(_ count: Int) async throws -> [String] {
        let notes = try Notes()
        var completed = 0
        for _ in 1...8 where completed < count {
            let end = try await Worker.run(self, task: notes.at(once: 0))
            guard case .exited(let code) = end.status, [0, 75].contains(code) else { throw SupportError(end.stderr) }
            if code == 0 { completed += 1 }
        }
        try await waitUntilLeft(.nothing)
        return notes.runs.map { String($0.prefix { $0 != " " }) }.sorted()
    }
}
