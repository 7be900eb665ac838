import Foundation
import Glibc
import TestSupport
import Testing

/// When something goes wrong half way, nobody is to believe that the queue has nothing, or everything.
@Suite(.oneLane)
struct CtlEnqueueFailureTests {
    /// Each larger than what goes to the queue at a time.
    private func largeFiles(_ count: Int, in folder: TemporaryDirectory) throws -> [String] {
        try (0..<count).flatMap { index in
            let path = folder.path("large-\(index)")
            try Data(SampleBytes.many(5 << 20)).write(to: URL(fileURLWithPath: path))
            return ["--file", path]
        }
    }

    @Test(arguments: QueueKind.allCases.filter { $0.traits.largestBody > 5 << 20 })
    func inputThatCannotBeReadOn(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let folder = try TemporaryDirectory("bodies")
        // It can be opened; reading at its beginning is an error.
        let unreadable = "/proc/self/mem"
        let end = try await Ctl.run(queue, ["enqueue"] + largeFiles(2, in: folder) + ["--file", unreadable])
        #expect(end.status == .exited(70))
        #expect(
            end.complaint
                == "cannot read \(unreadable): Input/output error; 2 messages are in the queue for certain")
        #expect(try await queue.left() == Left(ready: 2))
    }

    @Test func aFullRabbitMQQueue() async throws {
        let queue = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        try await queue.server.deleteQueue(queue.queue)
        try await queue.server.declareQueue(
            queue.queue, arguments: ["x-max-length": 2, "x-overflow": "reject-publish"])
        let folder = try TemporaryDirectory("bodies")
        let end = try await Ctl.run(queue, ["enqueue"] + largeFiles(4, in: folder))
        #expect(end.status == .exited(69))
        #expect(end.complaint.contains("the broker did not take a message; is its queue full?; "))
        let certain = try await certain(in: end, atMost: queue.left().ready)
        #expect(certain >= 2)
    }

    /// What semel keeps beside the list is something else.
    @Test func aKeyOfAnotherType() async throws {
        let queue = try await RedisUnderTest()
        for (kind, arguments) in [("named", ["enqueue", "--id", "a", "m"]), ("leases", ["queue"])] {
            try await queue.server.command("SET", queue.key(kind), "text")
            let end = try await Ctl.run(queue, arguments)
            #expect(end.status == .exited(78), "\(end.complaint)")
            #expect(end.complaint.contains("WRONGTYPE"), "\(end.complaint)")
            #expect(end.complaint.contains("{\(queue.list)}:\(kind)"), "\(end.complaint)")
            try await queue.server.command("DEL", queue.key(kind))
        }
        #expect(try await queue.left() == .nothing)
    }

    /// An older result of the same id would be taken for this message's.
    @Test(arguments: RedisForm.allCases)
    func aResultThatMayNotBeDeleted(_ form: RedisForm) async throws {
        let queue = try await RedisUnderTest(as: form)
        try await queue.server.command("ACL", "SETUSER", "\(queue.user)", "-del")
        let end = try await Ctl.run(queue, ["enqueue", "--id", "a", "m"])
        #expect(end.status == .exited(77), "\(end.complaint)")
        #expect(try await queue.left() == .nothing)
    }

    @Test func aRedisThatIsOutOfMemory() async throws {
        let server = try await RedisServer.start(configuration: ["maxmemory 30mb", "maxmemory-policy noeviction"])
        let url = server.url(list: "full")
        let folder = try TemporaryDirectory("bodies")
        let end = try await run(
            .semelctl, ["enqueue"] + largeFiles(10, in: folder),
            environment: RunningProcess.environment(adding: ["SEMEL_QUEUE": url]), timeout: .seconds(60))
        #expect(end.status == .exited(69))
        #expect(end.stderrText.contains("OOM command not allowed"), "\(end.stderrText)")
        let there = try #require(try await server.command("LLEN", "full").integer)
        let certain = try certain(
            in: CtlEnd(status: end.status, stdout: end.stdout, stderrText: end.stderrText), atMost: there)
        #expect(certain == there)
        #expect(there > 0)
    }

    @Test func aServerThatGoesAway() async throws {
        let server = try await RedisServer.start()
        let folder = try TemporaryDirectory("bodies")
        let fifo = folder.path("fifo")
        try #require(mkfifo(fifo, 0o600) == 0)
        let writer = open(fifo, O_RDWR | O_CLOEXEC)
        defer { close(writer) }
        let process = try RunningProcess(
            .semelctl, ["enqueue", "--lines", "--file", fifo],
            environment: RunningProcess.environment(adding: ["SEMEL_QUEUE": server.url(list: "gone")]))
        try write("one\ntwo\n", to: writer)
        try await eventually(timeout: .seconds(60), "two are there") {
            try await server.command("LLEN", "gone").integer == 2
        }
        try await server.kill()
        try write("three\n", to: writer)
        try await process.waitForExit(timeout: .seconds(60))
        #expect(process.status == .exited(69))
        let said = process.stderr.text
        #expect(said.hasSuffix("; 2 messages are in the queue for certain, one more may be\n"), "\(said)")
    }

    @Test(arguments: QueueKind.allCases, [SIGINT, SIGTERM])
    func stoppedHalfWay(_ kind: QueueKind, _ signal: Int32) async throws {
        let queue = try await kind.make()
        let folder = try TemporaryDirectory("bodies")
        let fifo = folder.path("fifo")
        try #require(mkfifo(fifo, 0o600) == 0)
        let writer = open(fifo, O_RDWR | O_CLOEXEC)
        defer { close(writer) }
        let process = try Ctl.start(queue, ["enqueue", "--lines", "--file", fifo])
        // The third is not whole yet, so it is none.
        try write("one\ntwo\nthr", to: writer)
        try await eventually(timeout: .seconds(60), "two are there") { try await queue.left() == Left(ready: 2) }
        process.send(signal)
        let end = try await Ctl.end(of: process, queue)
        #expect(end.status == .exited(signal == SIGINT ? 130 : 143))
        let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
        #expect(end.complaint == "stopped by \(name); 2 messages are in the queue for certain")
        #expect(try await queue.readyTexts() == ["one", "two"])
    }

    @Test func aQueueThatIsNotThere() async throws {
        let port = try FreePort.next()
        let end = try await run(
            .semelctl, ["enqueue", "--queue", "redis://:secret@127.0.0.1:\(port)/0?list=a", "body"])
        #expect(end.status == .exited(69))
        #expect(
            end.stderrText
                == "semelctl: --queue: Redis at 127.0.0.1:\(port): cannot connect: Connection refused\n")
    }

    @Test(arguments: [QueueKind.redis, .stream, .classic])
    func wrongCredentials(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let url = queue.url.replacing(/:[^:@]*@/, with: ":wrong@")
        let end = try await run(.semelctl, ["enqueue", "--queue", url, "body"])
        #expect(end.status == .exited(77), "\(end.stderrText)")
        #expect(end.stderrText.split(separator: "\n").count == 1)
        #expect(!end.stderrText.contains("wrong"))
        #expect(try await queue.left() == .nothing)
    }

    private func write(_ text: String, to descriptor: Int32) throws {
        let bytes = Array(text.utf8)
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    }

    /// How many the error says are there, which must never be more than are.
    private func certain(in end: CtlEnd, atMost there: Int) throws -> Int {
        let words = end.complaint.components(separatedBy: "; ").last?.split(separator: " ") ?? []
        let count = try #require(words.first.flatMap { Int($0) }, "\(end.stderrText)")
        #expect(count <= there)
        return count
    }
}
