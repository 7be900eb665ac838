import Foundation
import Glibc
import TestSupport
import Testing

struct RunningProcessTests {
    private func shell(
        _ script: String, environment: [String: String] = RunningProcess.environment(), input: [UInt8] = []
    ) throws -> RunningProcess {
        try RunningProcess(.installed("sh"), ["-c", script], environment: environment, input: input)
    }

    @Test func runsToTheEnd() async throws {
        let finished = try await run(.installed("sh"), ["-c", "cat; echo oops >&2; exit 7"], input: Array("a\0b".utf8))
        #expect(finished.status == .exited(7))
        #expect(finished.stdout == Array("a\0b".utf8))
        #expect(finished.stderrText == "oops\n")
    }

    @Test func givesExactlyTheEnvironmentAsked() async throws {
        let finished = try await run(.installed("env"), environment: ["ONE": "1 = one", "TWO": ""])
        #expect(Set(finished.stdoutText.split(separator: "\n")) == ["ONE=1 = one", "TWO="])
        let clean = try await run(.installed("env"))
        #expect(!clean.stdoutText.contains("SEMEL_"))
    }

    @Test func startsInADirectory() async throws {
        let directory = try TemporaryDirectory()
        let finished = try await run(.installed("pwd"), directory: directory.path)
        #expect(finished.stdoutText == directory.path + "\n")
    }

    @Test func outputIsReadWhileItRuns() async throws {
        let process = try shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done")
        try await process.waitForOutput(containing: "ready")
        #expect(process.isRunning)
        process.send(SIGTERM)
        #expect(try await process.waitForExit() == .exited(3))
        #expect(process.stdout.lines == ["ready", "bye"])
    }

    @Test func tellsSignals() async throws {
        let process = try shell("echo started; exec sleep 1000")
        try await process.waitForOutput(containing: "started")
        process.send(SIGKILL)
        #expect(try await process.waitForExit() == .signalled(SIGKILL))
        // Must go to nobody, whoever has the number by now.
        process.send(SIGKILL)
    }

    @Test func timeoutsShowWhatWasPrinted() async throws {
        let process = try shell("echo half way; exec sleep 1000")
        try await process.waitForOutput(containing: "way")
        let error = await #expect(throws: SupportError.self) {
            try await process.waitForExit(timeout: .milliseconds(50))
        }
        #expect(error?.description.contains("half way") == true)
        let other = await #expect(throws: SupportError.self) {
            try await process.waitForOutput(containing: "the end", timeout: .milliseconds(50))
        }
        #expect(other?.description.contains("the end") == true)
    }

    @Test func waitingForOutputEndsWithTheProcess() async throws {
        let process = try shell("echo short")
        await #expect(throws: SupportError.self) {
            try await process.waitForOutput(containing: "long", timeout: .seconds(60))
        }
    }

    @Test func aSurvivorWithTheOutputDoesNotHoldTheExitUp() async throws {
        let process = try shell("sleep 1000 & echo $!")
        #expect(try await process.waitForExit() == .exited(0))
        let survivor = try #require(pid_t(process.stdout.lines[0]))
        #expect(!process.stdout.isAtEnd)
        kill(survivor, SIGKILL)
        try await eventually("the stream ends") { process.stdout.isAtEnd }
    }

    @Test func anUnreadInputIsNoProblem() async throws {
        let finished = try await run(.installed("true"), input: Array(repeating: 7, count: 1 << 20))
        #expect(finished.status == .exited(0))
    }

    @Test func bigInputComesBackWhole() async throws {
        let input = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) }
        let finished = try await run(.installed("cat"), input: input)
        #expect(finished.stdout == input)
    }

    @Test func hugeOutputIsCountedAndHashed() async throws {
        let count = 256 << 20
        let process = try RunningProcess(
            .installed("head"), ["-c", "\(count)", "/dev/zero"], capture: .digest)
        try await process.waitForExit(timeout: .seconds(120))
        #expect(process.stdout.count == count)
        #expect(process.stdout.bytes.isEmpty)
        var expected = ContentHash()
        let block = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<(count >> 20) {
            expected.update(block)
        }
        #expect(process.stdout.hash == expected)
    }

    @Test func hashDoesNotDependOnTheCuts() {
        let bytes = (0..<100).map { UInt8($0) }
        let whole = ContentHash(bytes)
        for cut in 0...100 {
            var parts = ContentHash(Array(bytes[..<cut]))
            parts.update(Array(bytes[cut...]))
            #expect(parts == whole)
        }
        #expect(ContentHash([0]) != ContentHash([0, 0]))
        #expect(ContentHash(Array(bytes.dropLast())) != whole)
    }

    @Test func childrenInheritNothingButTheirStreams() async throws {
        let leaked = open("/dev/null", O_RDONLY)
        defer { close(leaked) }
        let others = try (0..<5).map { _ in try RunningProcess(.installed("cat"), input: [1]) }
        let finished = try await run(.installed("sh"), ["-c", "ls /proc/$$/fd"])
        let descriptors = finished.stdoutText.split(separator: "\n").compactMap { Int($0) }
        #expect(Set(descriptors).isSubset(of: [0, 1, 2]))
        for other in others {
            try await other.waitForExit()
        }
    }

    @Test func goesWithItsLastReference() async throws {
        var process: RunningProcess? = try shell("exec sleep 1000")
        let stdout = try #require(process?.stdout)
        process = nil
        try await eventually("killed") { stdout.isAtEnd }
    }

    @Test func findsProductsBesideTheRunningTests() throws {
        guard ProcessInfo.processInfo.environment["SEMEL_BIN_DIR"] == nil else { return }
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let name = URL(fileURLWithPath: tests).lastPathComponent
        #expect(try Executable.built(name).path == tests)
    }

    @Test func missingProgramsAreNamed() throws {
        let error = #expect(throws: SupportError.self) {
            try RunningProcess(Executable(path: "/nowhere/semel"))
        }
        #expect(error?.description.contains("/nowhere/semel") == true)
        let unbuilt = #expect(throws: SupportError.self) { try Executable.built("never-built") }
        #expect(unbuilt?.description.contains("swift build --product never-built") == true)
        #expect(throws: SupportError.self) { try Executable.installed("never-installed") }
    }
}
