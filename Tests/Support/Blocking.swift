import Foundation
import Glibc

/// Runs blocking work on a thread of its own, so that the cooperative pool stays free for the tests.
func onThread<Result: Sendable>(
    _ name: String, _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        startThread(name) {
            continuation.resume(with: Swift.Result { try body() })
        }
    }
}

/// Starts a detached thread with a small stack.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.name = name
    thread.stackSize = 512 * 1024
    thread.start()
}

/// Repeats a system call that a signal interrupted.
@discardableResult
func retryInterrupted<Count: FixedWidthInteger>(_ call: () -> Count) -> Count {
    while true {
        let result = call()
        if result != -1 || errno != EINTR {
            return result
        }
    }
}

/// The system's words for an error number.
func systemMessage(_ code: Int32) -> String {
    String(cString: strerror(code))
}

extension Duration {
    /// Whole milliseconds, rounded up, as `poll` wants them; never negative.
    var pollMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        let milliseconds = Double(seconds) * 1000 + Double(attoseconds) / 1e15
        return Int32(min(max(milliseconds.rounded(.up), 0), Double(Int32.max)))
    }
}
