import Foundation
import TestSupport

/// How long an operator waits for a page of a console with much to show.
struct ConsolePages {
    let bench: Bench

    private static let letters = 10_000
    private static let workers = 500
    private static let looks = 20
    private static let budget = 0.2

    func section() async throws -> Section {
        let queues = [try await rabbitMQ(), try await redis()]
        let crowd = try Crowd(bench, Self.workers)
        let port = try FreePort.next()
        let console = try RunningProcess(
            .semelctl,
            ["console", "--listen", "127.0.0.1:\(port)"] + queues.flatMap { ["--queue", $0.url] }
                + crowd.ports.flatMap { ["--workers", "127.0.0.1:\($0)"] })
        let begun = ContinuousClock.now
        try await eventually(timeout: .seconds(30), "the console answers") {
            (try? await HTTP.get(port: port, path: "/healthz").status) == 200
        }
        let start = begun.secondsSince
        try await eventually(timeout: .seconds(60), "all workers are seen") {
            let page = try await HTTP.get(port: port, path: "/api/workers?state=ING").json() as? [String: Any]
            return page?["total"] as? Int == Self.workers
        }

        var section = Section(title: "The console: 10,000 dead letters, 500 workers")
        section.rows.append(Row("from its start to its first answer", start, .seconds))
        section.rows.append(try await row("overview", port, "/"))
        section.rows.append(try await row("workers, last page", port, "/workers?page=10"))
        for queue in queues {
            let path = "/queues/\(queue.slug)/dead"
            let first = try await look(port, path)
            section.rows.append(Row("\(queue.name): dead letters, first look", first, .seconds, limit: Self.budget))
            try await eventually(timeout: .seconds(60), "all letters are read") {
                let page =
                    try await HTTP.get(port: port, path: "/api/dead?queue=\(queue.slug)").json() as? [String: Any]
                return page?["total"] as? Int == Self.letters
            }
            section.rows.append(try await row("\(queue.name): dead letters, last page", port, path + "?page=200"))
            section.rows.append(
                try await row("\(queue.name): a message", port, "/queues/\(queue.slug)/message?id=m9999"))
        }
        section.notes = [
            "Medians of \(Self.looks) looks; the first look at dead letters is one. `semelctl` as `make build` makes it."
        ]
        console.send(SIGTERM)
        guard try await console.waitForExit() == .exited(0) else {
            throw BenchFailure("the console did not end with 0")
        }
        return section
    }

    private func row(_ what: String, _ port: Int, _ path: String) async throws -> Row {
        var times: [Double] = []
        for _ in 0..<Self.looks { times.append(try await look(port, path)) }
        return Row(what, Samples(values: times).median, .seconds, limit: Self.budget)
    }

    private func look(_ port: Int, _ path: String) async throws -> Double {
        let begun = ContinuousClock.now
        let answer = try await HTTP.get(port: port, path: path, timeout: .seconds(60))
        guard answer.status == 200 else { throw BenchFailure("\(path): \(answer.status)") }
        return begun.secondsSince
    }

    private struct Queue {
        let name: String
        let slug: String
        let url: String
    }

    private func rabbitMQ() async throws -> Queue {
        for name in ["console-a", "console-a.dead"] { try await bench.rabbitMQ.declareQueue(name) }
        let broker = try bench.rabbitMQ.connection()
        try broker.publish(Array(repeating: Bench.body(1_000), count: Self.letters - 1), to: "console-a.dead")
        // The last one has an id, so that it can be shown.
        let url = bench.rabbitMQ.url(queue: "console-a")
        let dead = bench.rabbitMQ.url(queue: "console-a.dead")
        try Child([bench.semelctl, "enqueue", "--queue", dead, "--id", "m9999", "last"]).wait()
        return Queue(name: "RabbitMQ", slug: "console-a", url: url)
    }

    private func redis() async throws -> Queue {
        let body = String(decoding: Bench.body(1_000), as: UTF8.self)
        let script = """
            for i = 0, tonumber(ARGV[2]) - 1 do
              redis.call('XADD', KEYS[1], '*', 'id', 'm' .. i, 'reason', 'no disk', 'attempts', '5', 'body', ARGV[1])
            end
            """
        _ = try await bench.redis.command(
            ["EVAL", "\(script)", "1", "{console-b}:dead", "\(body)", "\(Self.letters)"])
        return Queue(name: "Redis", slug: "console-b", url: bench.redis.url(list: "console-b"))
    }
}

/// Workers that are busy for as long as it lives.
private final class Crowd {
    let ports: [Int]
    private let workers: [RunningProcess]

    init(_ bench: Bench, _ count: Int) throws {
        let spool = try Spool(in: bench.memory, "crowd", messages: count)
        ports = try (0..<count).map { _ in try FreePort.next() }
        workers = try ports.map { port in
            try RunningProcess(
                .semel,
                ["--queue", spool.url, "--status-address", "127.0.0.1:\(port)", "--", "/bin/sleep", "100000"])
        }
    }
}
