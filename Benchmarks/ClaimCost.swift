import Foundation
import TestSupport

/// The whole run for one message, with few and with many messages in the queue: the ratio is that of the long queue to
/// the short one.
struct ClaimCost {
    let bench: Bench

    private static let short = 10
    private static let flat = 1.1

    func section() async throws -> Section {
        var section = Section(title: "The length of the queue: one run beside so many others that wait")
        section.rows = try await rabbitMQ() + redis() + spool()
        section.notes = [
            "Here both sides are semel: the first with the long queue, its peer with \(Self.short) messages. The spools are in "
                + "memory; filled by hand means that all files are in one directory."
        ]
        return section
    }

    private func row(
        _ queue: String, _ length: Int, refill: (_ isLong: Bool) throws -> Void, run: (_ isLong: Bool) throws -> Double
    ) async throws -> Row {
        func timed(_ isLong: Bool) throws -> Double {
            let seconds = try run(isLong)
            try refill(isLong)
            Bench.settle()
            return seconds
        }
        let comparison = try await Comparison.inPairs(bench.settings.pairs) {
            try timed(true)
        } _: {
            try timed(false)
        }
        let lengthText = length >= 1_000_000 ? "1,000,000" : "\(length / 1000),000"
        return Row(
            "\(queue), \(lengthText) messages", comparison, against: "\(Self.short) messages", budget: Self.flat)
    }

    /// The fast way to fill a queue: `semelctl enqueue --lines`.
    private func fill(_ url: String, _ count: Int) throws {
        let line = String(decoding: Bench.body(100), as: UTF8.self)
        let script = "yes \(line) | head -n \(count) | \"$0\" enqueue --lines --queue \"$1\""
        try Child(["/bin/sh", "-c", script, bench.semelctl, url]).wait()
    }

    private func rabbitMQ() async throws -> [Row] {
        var rows: [Row] = []
        let broker = try bench.rabbitMQ.connection()
        for length in [10_000, 1_000_000] {
            let names = ["length.short", "length.\(length)"]
            for name in names { try await bench.rabbitMQ.declareQueue(name) }
            try fill(bench.rabbitMQ.url(queue: names[1]), length)
            let missing = try Self.short - broker.counts(of: names[0]).ready
            try broker.publish(Array(repeating: Bench.body(100), count: missing), to: names[0])
            // Writing a million messages to its disk keeps the broker busy for some time after it has them.
            try await Task.sleep(for: .seconds(5))
            rows.append(
                try await row("RabbitMQ", length) { isLong in
                    try broker.publish([Bench.body(100)], to: names[isLong ? 1 : 0])
                } run: { isLong in
                    try Child.seconds(bench.worker(bench.rabbitMQ.url(queue: names[isLong ? 1 : 0])))
                })
            try await bench.rabbitMQ.deleteQueue(names[1])
        }
        return rows
    }

    private func redis() async throws -> [Row] {
        var rows: [Row] = []
        let server = try bench.redis.connection()
        for length in [10_000, 1_000_000] {
            let names = ["length.short", "length.\(length)"]
            try server.command("DEL", "\(names[0])")
            try fill(bench.redis.url(list: names[0]), Self.short)
            try fill(bench.redis.url(list: names[1]), length)
            rows.append(
                try await row("Redis", length) { isLong in
                    try server.command("RPUSH", "\(names[isLong ? 1 : 0])", RedisArgument(Array(Bench.body(100))))
                } run: { isLong in
                    try Child.seconds(bench.worker(bench.redis.url(list: names[isLong ? 1 : 0])))
                })
            try server.command("DEL", "\(names[1])")
        }
        return rows
    }

    /// Queued together, as `semelctl` does it, and moved into one directory file by file.
    private func spool() async throws -> [Row] {
        let short = try Spool(in: bench.memory, "length.short", messages: Self.short)
        var rows: [Row] = []
        for (length, isByHand) in [(1_000, false), (100_000, false), (100_000, true)] {
            let long = try Spool(in: bench.memory, "length.\(length)", messages: isByHand ? length : 0)
            if !isByHand { try fill(long.url, length) }
            let what = isByHand ? "spool filled by hand" : "spool"
            rows.append(
                try await row(what, length) { isLong in
                    // What is added by hand would come before what is queued together.
                    if isByHand || !isLong { try (isLong ? long : short).add(Bench.body(100)) }
                } run: { isLong in
                    try Child.seconds(bench.worker((isLong ? long : short).url))
                })
            try FileManager.default.removeItem(atPath: long.path)
        }
        return rows
    }
}
