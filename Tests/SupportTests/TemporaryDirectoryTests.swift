import Foundation
import Testing

@testable import TestSupport

struct TemporaryDirectoryTests {
    @Test func isRemovedWithItsLastReference() throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory()
        let path = try #require(directory?.path)
        try directory?.write("hello", to: "file", mode: 0o600)
        #expect(try String(contentsOfFile: path + "/file", encoding: .utf8) == "hello")
        directory = nil
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func isUniqueAndRemovedOnDemand() throws {
        let one = try TemporaryDirectory("same")
        let other = try TemporaryDirectory("same")
        #expect(one.path != other.path)
        one.remove()
        #expect(!FileManager.default.fileExists(atPath: one.path))
        #expect(FileManager.default.fileExists(atPath: other.path))
    }

    @Test func watchdogKillsWhatIsRegisteredAndRemovesItsDirectory() async throws {
        let watchdog = try Watchdog()
        let kept = try RunningProcess(.installed("sleep"), ["1000"])
        let killed = try RunningProcess(.installed("sh"), ["-c", "sleep 1000 & wait"])
        watchdog.add(kept.pid)
        watchdog.add(killed.pid)
        watchdog.drop(kept.pid)
        #expect(FileManager.default.fileExists(atPath: watchdog.directory))

        watchdog.finish()

        #expect(try await killed.waitForExit() == .signalled(9))
        // The sleep in its group held the output open.
        try await eventually("the whole group is gone") { killed.stdout.isAtEnd }
        #expect(kept.isRunning)
        #expect(!FileManager.default.fileExists(atPath: watchdog.directory))
    }
}
