import Foundation
import TestSupport
import Testing

/// What a task does with its standard input is its own affair.
@Suite(.oneLane)
struct TasksInputTests {
    private static let size = 64 << 20

    private func bigSpool() throws -> TaskSpool {
        let line = Array("a line of a body that is larger than any pipe\n".utf8)
        var body = [UInt8]()
        body.reserveCapacity(Self.size + line.count)
        while body.count < Self.size { body += line }
        return try TaskSpool(body: Array(body.prefix(Self.size)))
    }

    private func expectCompleted(_ spool: TaskSpool, _ finished: Finished) throws {
        #expect(finished.status == .exited(0), "\(finished.stderrText)")
        #expect(spool.rooms == .init(done: ["a"]))
        let kept = try FileManager.default.attributesOfItem(atPath: spool.directory.path("spool/done/a"))
        #expect(kept[.size] as? Int == Self.size)
        #expect(spool.mark.processes().isEmpty)
    }

    @Test func aTaskThatNeverReads() async throws {
        let spool = try bigSpool()
        try expectCompleted(spool, await spool.work(task: ["true"]))
    }

    @Test func aTaskThatClosesItsInputEarly() async throws {
        let spool = try bigSpool()
        let task = spool.script("head -c 1000 >first; exec <&-; echo closed >closed")
        try expectCompleted(spool, await spool.work(task: task))
        #expect(spool.note("first").utf8.count == 1000)
        #expect(spool.note("first").hasPrefix("a line of a body"))
        #expect(spool.note("closed") == "closed\n")
    }

    @Test func aTaskThatReadsInSeveralProcesses() async throws {
        let spool = try bigSpool()
        try expectCompleted(spool, await spool.work(task: spool.script("head -c 10 >one; wc -c >rest")))
        // `head` takes more than it prints; together they have seen no byte twice.
        #expect(spool.note("one") == "a line of ")
        #expect(try #require(Int(spool.note("rest").trimmingCharacters(in: .whitespacesAndNewlines))) <= Self.size)
    }

    @Test func withoutInputThereIsNothingToRead() async throws {
        let spool = try bigSpool()
        let task = spool.script("wc -c; echo \"${SEMEL_MESSAGE_FILE-no file}\"")
        let finished = try await spool.work(["--input", "none"], task: task)
        try expectCompleted(spool, finished)
        #expect(finished.stdoutText == "0\nno file\n")
    }

    @Test func aFileIsOnlyForTheTaskAndGoesWithIt() async throws {
        let spool = try bigSpool()
        let temporary = spool.directory.path("tmp")
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        let task = spool.script(
            #"wc -c <"$SEMEL_MESSAGE_FILE"; stat -c %a "$SEMEL_MESSAGE_FILE" "$(dirname "$SEMEL_MESSAGE_FILE")"; wc -c"#
        )
        let finished = try await spool.work(["--input", "file"], task: task, environment: ["TMPDIR": temporary])
        try expectCompleted(spool, finished)
        #expect(finished.stdoutText == "\(Self.size)\n600\n700\n0\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary).isEmpty)
    }
}
