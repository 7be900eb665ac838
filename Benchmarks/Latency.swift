import Foundation
import Glibc
import TestSupport

/// From the publishing of a message to the first byte that its task prints, with a worker that already waits.
struct Latency {
    let bench: Bench

    func section() async throws -> Section {
        var section = Section(title: "A waiting worker: publish → first line of the task's output")
        section.rows = [try await rabbitMQ(), try await redis()]
        section.notes = ["The same connection publishes for both, and the clock starts before it does."]
        return section
    }

    private func rabbitMQ() async throws -> Row {
        let names = ["semel", "peer"].map { "latency.\($0)" }
        for name in names { try await bench.rabbitMQ.declareQueue(name) }
        let publisher = try bench.rabbitMQ.connection()
        let observer = try bench.rabbitMQ.connection()
        func timed(_ name: String, _ words: [String]) throws -> Double {
            try measure(words) {
                try observer.counts(of: name).consumers == 1
            } publish: {
                try publisher.send(Bench.body(100), to: name)
            }
        }
        let comparison = try await Comparison.inPairs(bench.settings.pairs) {
            try timed(names[0], bench.worker(bench.rabbitMQ.url(queue: names[0]), ["--wait", "forever"]))
        } _: {
            try timed(names[1], bench.amqpConsume(names[1]))
        }
        return Row("RabbitMQ", comparison, against: "`amqp-consume -c 1`", budget: 1)
    }

    private func redis() async throws -> Row {
        let server = try bench.redis.connection()
        func timed(_ list: String, _ words: [String]) throws -> Double {
            try measure(words) {
                try server.command("INFO", "clients").text?.contains("blocked_clients:1") ?? false
            } publish: {
                try server.command("RPUSH", "\(list)", RedisArgument(Array(Bench.body(100))))
            }
        }
        let comparison = try await Comparison.inPairs(bench.settings.pairs(dividedBy: 2)) {
            try timed("latency", bench.worker(bench.redis.url(list: "latency"), ["--wait", "forever"]))
        } _: {
            try timed("latency-peer", bench.redisPy("latency-peer"))
        }
        return Row("Redis", comparison, against: "redis-py")
    }

    private func measure(
        _ words: [String], isWaiting: () throws -> Bool, publish: () throws -> Void
    ) throws -> Double {
        let output = try ChildPipe()
        defer { close(output.readEnd) }
        let child = try Child(words, output: output.writeEnd)
        close(output.writeEnd)
        let deadline = ContinuousClock.now + .seconds(20)
        while try !isWaiting() {
            guard ContinuousClock.now < deadline else { throw BenchFailure("does not come to wait: \(words)") }
            usleep(2_000)
        }
        Bench.settle()
        let start = ContinuousClock.now
        try publish()
        var byte: UInt8 = 0
        guard read(output.readEnd, &byte, 1) == 1 else { throw BenchFailure("printed nothing: \(words)") }
        let seconds = start.secondsSince
        var rest = [UInt8](repeating: 0, count: 4096)
        while read(output.readEnd, &rest, rest.count) > 0 {}
        try child.wait()
        return seconds
    }
}
