import Foundation
import Glibc
import TestSupport

/// The programs and servers that measurements are taken with.
struct Bench {
    let settings: BenchSettings
    let rabbitMQ: RabbitMQServer
    let redis: RedisServer
    let semel: String
    let semelctl: String
    let statusPort: Int
    /// Where spools are: in memory where that is possible, so that it is not a disk's moods that are measured.
    let memory: TemporaryDirectory
    let disk: TemporaryDirectory
    /// What others had the machine do before anything was started here.
    let load: Double

    init(_ settings: BenchSettings) async throws {
        var load = 0.0
        getloadavg(&load, 1)
        self.load = load
        self.settings = settings
        semel = try Executable.semel.path
        semelctl = try Executable.semelctl.path
        rabbitMQ = try await RabbitMQServer.start()
        redis = try await RedisServer.start()
        statusPort = try FreePort.next()
        disk = try TemporaryDirectory("bench")
        memory = try (try? TemporaryDirectory("bench", in: "/dev/shm")) ?? TemporaryDirectory("bench")
    }

    static let cat = "/bin/cat"

    /// The worker with everything on: its status endpoint bound, a heartbeat or lease running, the settlement proven.
    func worker(_ queue: String, _ flags: [String] = [], task: [String] = [Bench.cat]) -> [String] {
        [semel, "--queue", queue, "--status-address", "127.0.0.1:\(statusPort)"] + flags + ["--"] + task
    }

    /// The same for several at a time: each on a port that the system chooses.
    func oneOfManyWorkers(_ queue: String, _ flags: [String] = [], task: [String] = [Bench.cat]) -> [String] {
        [semel, "--queue", queue, "--status-address", "127.0.0.1:0"] + flags + ["--"] + task
    }

    func amqpConsume(_ queue: String, task: [String] = [Bench.cat]) throws -> [String] {
        [try Executable.installed("amqp-consume").path, "--url", brokerURL, "-q", queue, "-c", "1", "--"] + task
    }

    func pika(_ queue: String, task: [String] = [Bench.cat]) -> [String] {
        [python, "Benchmarks/peers/amqp_one.py", brokerURL, queue] + task
    }

    func redisPy(_ list: String, task: [String] = [Bench.cat]) -> [String] {
        [python, "Benchmarks/peers/redis_one.py", redisURL, list] + task
    }

    /// rq's worker; it finds the job's module beside the other peers.
    func rq(_ flags: [String] = ["--burst", "--max-jobs", "1"], queue: String = "bench") -> [String] {
        ["\(settings.peers)/bin/rq", "worker", "--path", "Benchmarks/peers", "--url", redisURL, "--quiet"] + flags
            + [queue]
    }

    func queueRQJobs(_ count: Int, task: [String] = [Bench.cat]) throws {
        try Child([python, "Benchmarks/peers/rq_jobs.py", redisURL, "\(count)"] + task).wait()
    }

    var python: String { "\(settings.peers)/bin/python" }
    private var brokerURL: String { "amqp://guest:guest@127.0.0.1:\(rabbitMQ.port)/%2f" }
    private var redisURL: String { "redis://127.0.0.1:\(redis.port)/0" }

    static func body(_ size: Int) -> Data {
        Data(repeating: UInt8(ascii: "x"), count: size)
    }

    /// Brokers have work of their own after a message has come or a client has gone: it belongs to nobody's time.
    static func settle() {
        usleep(20_000)
    }
}

/// A spool that is filled as anybody may fill it: by files moved into `ready/`.
struct Spool {
    let path: String
    private let next = Counter()

    var url: String { "spool:\(path)" }

    /// In a directory of its own, with so many messages.
    init(in directory: TemporaryDirectory, _ name: String, messages: Int = 0) throws {
        path = directory.path(name)
        for folder in ["ready", "incoming"] {
            try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
        }
        for _ in 0..<messages {
            try add(Bench.body(100))
        }
    }

    /// Adds a message. What is done is removed first: nobody's time.
    func add(_ body: Data) throws {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/done")) ?? [] {
            unlink("\(path)/done/\(name)")
        }
        next.value += 1
        let name = String(format: "%08d", next.value)
        let file = open("\(path)/incoming/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw BenchFailure("cannot write to \(path): error \(errno)") }
        defer { close(file) }
        var written = 0
        while written < body.count {
            let count = body.withUnsafeBytes { write(file, $0.baseAddress?.advanced(by: written), $0.count - written) }
            guard count > 0 else { throw BenchFailure("cannot write to \(path): error \(errno)") }
            written += count
        }
        rename("\(path)/incoming/\(name)", "\(path)/ready/\(name)")
    }

    private final class Counter {
        var value = 0
    }
}
