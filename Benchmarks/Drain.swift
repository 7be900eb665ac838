import Foundation
import TestSupport

/// A thousand messages, eight workers at a time, each for one message.
struct Drain {
    let bench: Bench

    private static let messages = 1_000

    func section() async throws -> Section {
        let names = ["semel", "peer"].map { "drain.\($0)" }
        for name in names { try await bench.rabbitMQ.declareQueue(name) }
        let broker = try bench.rabbitMQ.connection()
        func timed(_ name: String, _ words: [String]) throws -> Double {
            try broker.publish(Array(repeating: Bench.body(100), count: Self.messages), to: name)
            Bench.settle()
            let script = "seq \(Self.messages) | xargs -P 8 -I N \"$@\""
            let seconds = try Child.seconds(["/bin/sh", "-c", script, "-"] + words)
            Bench.settle()
            let left = try broker.counts(of: name).ready
            guard left == 0 else { throw BenchFailure("\(left) messages are left in \(name)") }
            return seconds
        }
        let comparison = try await Comparison.inPairs(bench.settings.pairs(dividedBy: 10), warmUp: 0) {
            try timed(names[0], bench.oneOfManyWorkers(bench.rabbitMQ.url(queue: names[0])))
        } _: {
            try timed(names[1], bench.amqpConsume(names[1]))
        }
        var section = Section(title: "1,000 messages, `xargs -P8`")
        section.rows = [Row("RabbitMQ", comparison, against: "`amqp-consume -c 1`")]
        return section
    }
}
