import Foundation
import TestSupport

/// `semelctl`, as an operator calls it.
enum Semelctl {
    /// Runs it on a queue, which it finds in its environment; anything but exit 0 is thrown.
    @discardableResult
    static func run(
        _ queue: any QueueUnderTest, _ arguments: [String], input: [UInt8] = []
    ) async throws -> String {
        let variables = ["SEMEL_QUEUE": queue.url]
        let end = try await TestSupport.run(
            .semelctl, arguments, environment: RunningProcess.environment(adding: variables), input: input,
            timeout: .seconds(90))
        guard end.status == .exited(0) else {
            throw SupportError("semelctl \(arguments) \(end.status): \(end.stderrText)")
        }
        for secret in queue.secrets where (end.stdoutText + end.stderrText).contains(secret) {
            throw SupportError("semelctl writes a password: \(end.stdoutText)\(end.stderrText)")
        }
        return end.stdoutText
    }

    /// Enqueues what is in a file.
    static func enqueue(_ queue: any QueueUnderTest, file: String, _ flags: [String] = []) async throws {
        try await run(queue, ["enqueue", "--file", file] + flags)
    }
}
