import Foundation
import Glibc
import TestSupport

/// One message: start, claim, `cat`, settle, exit.
struct OneMessage {
    let bench: Bench

    private static let kibi = 1 << 10
    private static let sizes = [(name: "100 B", bytes: 100), ("1 MiB", kibi * kibi), ("64 MiB", 64 * kibi * kibi)]

    func section() async throws -> Section {
        var section = Section(title: "One message: start → claim → `cat` → settle → exit")
        section.rows = try await rabbitMQ() + redis() + spool()
        section.notes = [
            "semel has its status endpoint bound and a heartbeat or lease running, proves its settlement by a round trip, "
                + "counts attempts and writes two lines of log.",
            "`amqp-consume -c 1` acknowledges only after `cat` has succeeded, as semel does, but sends no heartbeats, waits "
                + "for no answer to its acknowledgement, and is handed the next message for a moment.",
            "The aim for RabbitMQ with 100 B is 0.80.",
            "`cat` and `/bin/true` alone are floors: what starting a process and moving the bytes cost at the least.",
        ]
        return section
    }

    private func pairs(_ bytes: Int) -> Int {
        bytes > Self.kibi * Self.kibi ? bench.settings.pairs(dividedBy: 2) : bench.settings.pairs
    }

    private func rabbitMQ() async throws -> [Row] {
        let broker = try bench.rabbitMQ.connection()
        var rows: [Row] = []
        func compare(
            _ type: RabbitMQServer.QueueType, _ bytes: Int, _ pairs: Int, with peer: (String) throws -> [String]
        ) async throws -> Comparison {
            let names = ["semel", "peer"].map { "one.\(type.rawValue).\(bytes).\($0)" }
            for name in names { try await bench.rabbitMQ.declareQueue(name, type: type) }
            let body = Bench.body(bytes)
            func timed(_ name: String, _ words: [String]) throws -> Double {
                try broker.publish([body], to: name)
                Bench.settle()
                return try Child.seconds(words)
            }
            let comparison = try await Comparison.inPairs(pairs) {
                try timed(names[0], bench.worker(bench.rabbitMQ.url(queue: names[0])))
            } _: {
                try timed(names[1], peer(names[1]))
            }
            for name in names where try broker.counts(of: name).ready != 0 {
                throw BenchFailure("\(name) is not empty: somebody did not do its work")
            }
            return comparison
        }
        let consume = "`amqp-consume -c 1`"
        for (name, bytes) in Self.sizes {
            let comparison = try await compare(.classic, bytes, pairs(bytes)) { try bench.amqpConsume($0) }
            let budget = bytes > Self.kibi * Self.kibi ? 1.1 : 1.0
            rows.append(Row("RabbitMQ, \(name)", comparison, against: consume, budget: budget))
        }
        let quorum = try await compare(.quorum, 100, bench.settings.pairs) { try bench.amqpConsume($0) }
        rows.append(Row("RabbitMQ, quorum queue, 100 B", quorum, against: consume, budget: 1))
        let pika = try await compare(.classic, 100, bench.settings.pairs(dividedBy: 2)) { bench.pika($0) }
        rows.append(Row("RabbitMQ, 100 B", pika, against: "pika"))
        return rows
    }

    private func redis() async throws -> [Row] {
        let server = try bench.redis.connection()
        func timed(_ list: String, _ body: Data, _ words: [String]) throws -> Double {
            try server.command("RPUSH", "\(list)", RedisArgument(Array(body)))
            Bench.settle()
            return try Child.seconds(words)
        }
        var rows: [Row] = []
        for (name, bytes) in Self.sizes {
            let body = Bench.body(bytes)
            let few = bytes > Self.kibi * Self.kibi ? 8 : 2
            let comparison = try await Comparison.inPairs(bench.settings.pairs(dividedBy: few)) {
                try timed("one", body, bench.worker(bench.redis.url(list: "one")))
            } _: {
                try timed("peer", body, bench.redisPy("peer"))
            }
            rows.append(Row("Redis, \(name)", comparison, against: "redis-py", budget: 1.1))
        }
        let (pairs, warmUp) = (bench.settings.pairs(dividedBy: 4), 2)
        try bench.queueRQJobs(pairs + warmUp)
        let rq = try await Comparison.inPairs(pairs, warmUp: warmUp) {
            try timed("one", Bench.body(100), bench.worker(bench.redis.url(list: "one")))
        } _: {
            Bench.settle()
            return try Child.seconds(bench.rq())
        }
        guard try server.command("LLEN", "rq:queue:bench").integer == 0 else {
            throw BenchFailure("rq did not do all its jobs")
        }
        rows.append(Row("Redis, 100 B", rq, against: "`rq worker --burst --max-jobs 1`", budget: 0.05))
        return rows
    }

    private func spool() async throws -> [Row] {
        let disk = try Spool(in: bench.disk, "disk")
        let memory = try Spool(in: bench.memory, "one")
        var rows: [Row] = []
        for (name, bytes) in Self.sizes {
            let comparison = try await compare(memory, bytes, with: [Bench.cat])
            rows.append(Row("spool in memory, \(name)", comparison, against: "`cat` alone"))
        }
        let onDisk = try await compare(disk, 100, with: [Bench.cat])
        rows.append(Row("spool on the disk, 100 B", onDisk, against: "`cat` alone"))
        let floor = try await compare(memory, 100, with: ["/bin/true"])
        rows.append(Row("spool in memory, 100 B, `true` as the task", floor, against: "`/bin/true` alone"))
        return rows
    }

    /// With the task alone, its input from a file.
    private func compare(_ spool: Spool, _ bytes: Int, with task: [String]) async throws -> Comparison {
        let body = Bench.body(bytes)
        let file = bench.memory.path("body")
        try body.write(to: URL(fileURLWithPath: file))
        return try await Comparison.inPairs(pairs(bytes)) {
            try spool.add(body)
            return try Child.seconds(bench.worker(spool.url, task: task))
        } _: {
            let input = open(file, O_RDONLY | O_CLOEXEC)
            defer { close(input) }
            return try Child.seconds(task, input: input)
        }
    }
}
