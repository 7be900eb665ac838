import Foundation
import TestSupport
import Testing

/// Runs `semelctl` as an operator would: the queue's URL, with its password, is in the environment.
enum Ctl {
    static func start(
        _ queue: any QueueUnderTest, _ arguments: [String], input: [UInt8] = []
    ) throws -> RunningProcess {
        try RunningProcess(.semelctl, arguments, environment: environment(queue), input: input)
    }

    static func environment(_ queue: any QueueUnderTest) -> [String: String] {
        RunningProcess.environment(adding: ["SEMEL_QUEUE": queue.url])
    }

    /// Runs it to its end, and looks for passwords in what it printed.
    static func run(
        _ queue: any QueueUnderTest, _ arguments: String..., input: [UInt8] = []
    ) async throws -> CtlEnd {
        try await run(queue, arguments, input: input)
    }

    static func run(_ queue: any QueueUnderTest, _ arguments: [String], input: [UInt8] = []) async throws -> CtlEnd {
        try await end(of: start(queue, arguments, input: input), queue)
    }

    static func end(of process: RunningProcess, _ queue: any QueueUnderTest) async throws -> CtlEnd {
        let status = try await process.waitForExit(timeout: .seconds(90))
        for secret in queue.secrets.map({ Data($0.utf8) }) {
            for printed in [process.stdout.bytes, process.stderr.bytes] where Data(printed).range(of: secret) != nil {
                throw SupportError("a password was printed: \(process.report)")
            }
        }
        return CtlEnd(status: status, stdout: process.stdout.bytes, stderrText: process.stderr.text)
    }

    /// Queues messages; a failure is one of the test.
    static func enqueue(_ queue: any QueueUnderTest, _ arguments: String..., input: [UInt8] = []) async throws {
        let end = try await run(queue, ["enqueue"] + arguments, input: input)
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stdout.isEmpty)
    }

    /// The objects that a command prints, one a line.
    static func objects(_ queue: any QueueUnderTest, _ arguments: String...) async throws -> [[String: any Sendable]] {
        let end = try await run(queue, arguments)
        #expect(end.status == .exited(0), "\(end.stderrText)")
        return try end.stdoutText.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: any Sendable]
            return try #require(object, "\(line)")
        }
    }
}

struct CtlEnd: Sendable {
    let status: TestSupport.ExitStatus
    let stdout: [UInt8]
    let stderrText: String

    var stdoutText: String { String(decoding: stdout, as: UTF8.self) }

    /// What was said for people, when it is what it has to be for an error: one line that begins with the name.
    var complaint: String {
        let lines = stderrText.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 2, lines[1].isEmpty, lines[0].hasPrefix("semelctl: ") else {
            return "not one line: \(stderrText)"
        }
        return String(lines[0].dropFirst("semelctl: ".count))
    }
}

enum SampleBytes {
    /// Every value, line feeds and NULs among them, and nothing that is UTF-8.
    static let all: [UInt8] = Array(0...255) + [0xff, 0xfe, 0x0a, 0x00, 0x0a]

    /// Each body with the byte behind it.
    static func lines(_ bodies: [[UInt8]], _ end: UInt8) -> [UInt8] {
        var bytes: [UInt8] = []
        for body in bodies {
            bytes += body
            bytes.append(end)
        }
        return bytes
    }

    /// As many as wanted. What repeats in them is longer than a page, and not a whole number of pages.
    static func many(_ count: Int) -> [UInt8] {
        var state: UInt64 = 88_172_645_463_325_252
        let block = (0..<5_003).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += block.prefix(count - bytes.count) }
        return bytes
    }
}

extension Ctl {
    struct TerminalEnd {
        let status: TestSupport.ExitStatus
        /// Everything that was on the screen, typing included.
        let output: String
    }

    /// Runs it on a pseudo-terminal, on which somebody types `typing`.
    static func runOnTerminal(
        _ queue: any QueueUnderTest, _ arguments: [String], typing: String = ""
    ) async throws -> TerminalEnd {
        let words = [try Executable.semelctl.path] + arguments
        let command = words.map { "'\($0.replacing("'", with: #"'\''"#))'" }.joined(separator: " ")
        let end = try await TestSupport.run(
            .installed("script"), ["-qec", command, "/dev/null"],
            environment: environment(queue).merging(["SHELL": "/bin/sh"]) { $1 }, input: Array(typing.utf8),
            timeout: .seconds(60))
        return TerminalEnd(status: end.status, output: end.stdoutText)
    }
}
