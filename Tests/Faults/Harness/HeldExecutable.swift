import Glibc
import TestSupport

/// A task that cannot begin: whoever executes it waits, as long as this process has a lease on the file (fcntl(2),
/// F_SETLEASE). For what happens between the claim and the task.
final class HeldExecutable: Sendable {
    private let directory: TemporaryDirectory
    private let file: Int32
    /// To be run.
    let command: [String]

    /// From `<fcntl.h>`, where Swift does not see them.
    private static let setLease: Int32 = 1024
    private static let getLease: Int32 = 1025
    private static let setSignal: Int32 = 10

    init(_ task: [String]) throws {
        directory = try TemporaryDirectory("held")
        let quoted = task.map { "'" + $0.replacing("'", with: "'\\''") + "'" }
        try directory.write("#!/bin/sh\nexec \(quoted.joined(separator: " "))\n", to: "task")
        let path = directory.path("task")
        chmod(path, 0o755)
        command = [path]
        file = withDescriptorsSettled { open(path, O_RDONLY | O_CLOEXEC) }
        // The kernel tells by a signal that somebody waits, and that of its own choice would end this process.
        guard fcntl(file, Self.setSignal, SIGURG) == 0, fcntl(file, Self.setLease, F_WRLCK) == 0 else {
            throw SupportError("no lease on \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Waits until somebody tries to execute it. The kernel lets them in the end (/proc/sys/fs/lease-break-time).
    func waitUntilWanted() async throws {
        try await eventually(timeout: .seconds(60), "somebody executes the task") {
            fcntl(self.file, Self.getLease) != F_WRLCK
        }
    }

    func release() {
        _ = fcntl(file, Self.setLease, F_UNLCK)
    }

    deinit {
        close(file)
    }
}
