import Foundation
import Glibc
import TestSupport
import Testing

/// A spool on a file system that is full, or that nobody may write to any more. Needs the right to mount one.
@Suite(.throttled)
struct SpoolDiskTests {
    private func full(_ body: String = "m") async throws -> (SmallDisk, SpoolUnderTest) {
        let disk = try SmallDisk()
        let queue = try SpoolUnderTest(at: disk.path)
        try await queue.put(body)
        return (disk, queue)
    }

    /// To claim and to complete takes no room.
    @Test func completedOnAFullDisk() async throws {
        let (disk, queue) = try await full()
        try disk.fill()
        try await Worker.run(queue, task: ["cat"]).expect(0, "completed", attempt: 1)
        #expect(queue.files("done").count == 1)
        try await queue.waitUntilLeft(.nothing)
    }

    @Test func retriedOnAFullDisk() async throws {
        let (disk, queue) = try await full()
        try disk.fill()
        try await Worker.run(queue, task: ["false"]).expect(75, "retry", attempt: 1, saying: "exited with 1")
        try await queue.waitUntilLeft(Left(delayed: 1))
        try await Worker.run(queue, task: ["cat"]).expect(0, "completed", attempt: 2)
    }

    /// The reason has no room: the message stays, and is dead-lettered when there is some.
    @Test func rejectedOnAFullDisk() async throws {
        let (disk, queue) = try await full()
        try disk.fill()
        let reject = ["sh", "-c", "exit 65"]
        try await Worker.run(queue, task: reject).expect(75, "retry", attempt: 1, saying: "No space left on device")
        try await queue.waitUntilLeft(.oneClaimed)
        #expect(queue.files("dead") == [])
        try disk.makeRoom()
        try await Worker.run(queue, task: reject).expect(65, "dead-lettered", attempt: 2)
        try await queue.waitUntilLeft(.oneDead)
        #expect(try await queue.deadLetter().text == "m")
    }

    @Test func aResultOnAFullDisk() async throws {
        let (disk, queue) = try await full()
        try disk.fill()
        let flags = ["--result", "stdout"]
        try await Worker.run(queue, flags, task: ["echo", "result"])
            .expect(75, "retry", attempt: 1, saying: "handed back", "No space left on device")
        try await queue.waitUntilLeft(.oneClaimed)
        #expect(queue.files("done") == [])
        try disk.makeRoom()
        try await Worker.run(queue, flags, task: ["echo", "result"]).expect(0, "completed", attempt: 2)
        #expect(queue.files("done").count == 2)
        #expect(queue.files("incoming") == [])
    }

    @Test func claimedOnAReadOnlyDisk() async throws {
        let (disk, queue) = try await full()
        // It makes what is missing.
        try await Worker.run(queue, ["--wait", "0"], task: ["cat"]).expect(0, "completed")
        try await queue.put("next")
        try disk.setReadOnly(true)
        try await Worker.run(queue, task: ["cat"]).expect(78, "misconfigured", saying: "Read-only file system")
        try await queue.waitUntilLeft(.oneReady)
        try disk.setReadOnly(false)
        try await Worker.run(queue, task: ["cat"]).expect(0, "completed", attempt: 1)
    }

    @Test func aFreshReadOnlyDisk() async throws {
        let (disk, queue) = try await full()
        try disk.setReadOnly(true)
        try await Worker.run(queue, task: ["cat"]).expect(78, "misconfigured", saying: "Read-only file system")
    }

    /// As file systems become when their disk fails.
    @Test(arguments: [0, 3, 65, 143])
    func readOnlyWhileTheTaskRuns(_ status: Int) async throws {
        let (disk, queue) = try await full()
        let notes = try Notes()
        let worker = try Worker(queue, task: notes.held(exit: status))
        try await worker.waitForTask()
        try disk.setReadOnly(true)
        if status == 143 { worker.process.send(SIGTERM) } else { try notes.allow() }
        let (code, outcome) = status == 143 ? (Int32(143), "terminated") : (75, "retry")
        try await worker.end()
            .expect(code, outcome, attempt: 1, saying: "handed back", "Read-only file system")
        try await queue.waitUntilLeft(.oneClaimed)
        try disk.setReadOnly(false)
        try notes.allow()
        try await Worker.run(queue, task: notes.at(once: 0)).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }
}

/// A file system of 64 KiB in memory.
private final class SmallDisk: Sendable {
    private let directory: TemporaryDirectory

    var path: String { directory.path("disk") }

    init() throws {
        directory = try TemporaryDirectory("small-disk")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0 else {
            throw SupportError(
                "these tests need the right to mount a tmpfs (root, CAP_SYS_ADMIN): \(String(cString: strerror(errno)))"
            )
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
    }

    private var filler: String { path + "/.filler" }

    /// To the last byte.
    func fill() throws {
        let descriptor = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        let piece = [UInt8](repeating: 120, count: 512)
        while write(descriptor, piece, piece.count) > 0 {}
        guard errno == ENOSPC else { throw SupportError("filling \(filler): \(String(cString: strerror(errno)))") }
    }

    func makeRoom() throws {
        try FileManager.default.removeItem(atPath: filler)
    }

    func setReadOnly(_ isReadOnly: Bool) throws {
        let flags = UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0)
        guard mount("tmpfs", path, "tmpfs", flags, "size=64k") == 0 else {
            throw SupportError("remounting \(path): \(String(cString: strerror(errno)))")
        }
    }
}
