import Foundation
import Glibc
import TestSupport

/// What a worker takes from the machine while nothing happens: memory while its task sleeps, processor time of a minute
/// of waiting and of a minute of holding a message.
struct Footprint {
    let bench: Bench

    /// Ends by itself as well: what rq forks is not in its process group.
    private var sleep: String { "\(Int(bench.settings.minute / .seconds(1)) + 60)" }
    private var task: [String] { ["/bin/sh", "-c", "echo started; exec sleep \(sleep)"] }

    private struct Worker {
        let name: String
        let process: RunningProcess
    }

    func section() async throws -> Section {
        let waiting = try await start(holding: false)
        let holding = try await start(holding: true)
        // Starting belongs to the start, not to the minute.
        try await Task.sleep(for: .seconds(2))
        for worker in waiting + holding where !worker.process.isRunning {
            throw BenchFailure("ended too early: \(worker.process.report)")
        }
        let memory = try holding.map { try Memory(of: $0.process.pid) }
        let all = waiting + holding
        let before = try all.map { try processorSeconds($0.process.pid) }
        try await Task.sleep(for: bench.settings.minute)
        let used = try zip(all, before).map { try processorSeconds($0.process.pid) - $1 }
        // With the tasks, which amqp-consume leaves behind. rq waits for its job at the first signal, and ends it at a
        // second one that comes more than a second later.
        for _ in 1...2 {
            for worker in all where worker.process.isRunning { kill(-worker.process.pid, SIGTERM) }
            try await Task.sleep(for: .milliseconds(1500))
        }
        for worker in all where (try? await worker.process.waitForExit(timeout: .seconds(20))) == nil {
            worker.process.killGroup()
        }
        try bench.redis.connection().command("FLUSHALL")

        var section = Section(title: "Memory and processor time")
        let peer = holding.count - 2
        for index in 0..<peer {
            let name = holding[index].name
            section.rows.append(
                Row(
                    "\(name): resident while a task runs", memory[index].resident, .bytes,
                    against: ("`amqp-consume`", memory[peer].resident), limit: 10e6))
            section.rows.append(
                Row(
                    "\(name): of it anonymous", memory[index].anonymous, .bytes,
                    against: ("`amqp-consume`", memory[peer].anonymous), limit: 2e6))
        }
        section.rows.append(
            Row(
                "Redis: resident while a task runs", memory[1].resident, .bytes,
                against: ("rq, without its fork", memory[peer + 1].resident)))
        let minute = "\(Int(bench.settings.minute / .seconds(1))) s"
        for (offset, what) in [(0, "of waiting"), (waiting.count, "of holding a message")] {
            for index in 0..<peer {
                section.rows.append(
                    Row(
                        "\(all[offset + index].name): processor time of \(minute) \(what)", used[offset + index],
                        .seconds, against: ("`amqp-consume`", used[offset + peer])))
            }
            section.rows.append(
                Row(
                    "Redis: processor time of \(minute) \(what)", used[offset + 1], .seconds,
                    against: ("rq", used[offset + peer + 1])))
        }
        section.notes = [
            "Resident is mostly what the kernel has mapped of the executable, in small or in large pieces as its file cache "
                + "happens to hold it: one and the same has 10 to 16 MB. Anonymous is what a worker has for itself.",
            "`amqp-consume` sends no heartbeats: it does nothing at all while it waits or holds a message.",
        ]
        return section
    }

    /// The three queues' workers, then the peers.
    private func start(holding: Bool) async throws -> [Worker] {
        let name = holding ? "holding" : "waiting"
        let queues = ["semel", "peer"].map { "\(name).\($0)" }
        for queue in queues { try await bench.rabbitMQ.declareQueue(queue) }
        let spool = try Spool(in: bench.memory, name)
        if holding {
            let broker = try bench.rabbitMQ.connection()
            for queue in queues { try broker.publish([Bench.body(100)], to: queue) }
            try bench.redis.connection().command("RPUSH", "holding", "x")
            try bench.queueRQJobs(1, task: ["/bin/sleep", sleep])
            try spool.add(Bench.body(100))
        }
        let forever = ["--wait", "forever"]
        let urls = [
            ("RabbitMQ", bench.rabbitMQ.url(queue: queues[0])), ("Redis", bench.redis.url(list: name)),
            ("spool", spool.url),
        ]
        var workers: [Worker] = []
        for (kind, url) in urls {
            let words = bench.oneOfManyWorkers(url, forever, task: task)
            workers.append(Worker(name: kind, process: try started(words)))
        }
        workers.append(
            Worker(name: "amqp-consume", process: try started(bench.amqpConsume(queues[1], task: task))))
        if holding {
            for worker in workers { try await worker.process.waitForOutput(containing: "started") }
        }
        workers.append(Worker(name: "rq", process: try started(bench.rq([], queue: holding ? "bench" : "waiting"))))
        if holding {
            let redis = try bench.redis.connection()
            try await eventually(timeout: .seconds(20), "rq takes its job") {
                try redis.command("LLEN", "rq:queue:bench").integer == 0
            }
        }
        return workers
    }

    private func started(_ words: [String]) throws -> RunningProcess {
        try RunningProcess(Executable(path: words[0]), Array(words.dropFirst()))
    }

    /// User and system time of all its threads, also of those that have ended.
    private func processorSeconds(_ pid: pid_t) throws -> Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw BenchFailure("process \(pid) has ended")
        }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// What the kernel says about a process's memory, in bytes.
struct Memory {
    let resident: Double
    let anonymous: Double

    init(of pid: pid_t) throws {
        let text = try String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)
        func bytes(_ field: String) throws -> Double {
            let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
            guard let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap({ Double($0) }) else {
                throw BenchFailure("no \(field) in /proc/\(pid)/smaps_rollup")
            }
            return kibibytes * 1024
        }
        resident = try bytes("Rss")
        anonymous = try bytes("Anonymous")
    }
}
