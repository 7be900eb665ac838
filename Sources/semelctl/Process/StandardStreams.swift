import Glibc
import Semel

enum StandardStreams {
    /// Whoever starts a process with closed standard streams makes its next sockets and files 0, 1 and 2. They are
    /// opened the wrong way round, so that their use fails as if they were closed.
    static func open() {
        for (descriptor, flags) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
        where fcntl(descriptor, F_GETFD) < 0 {
            _ = Glibc.open("/dev/null", flags)
        }
    }
}

enum StandardOutput {
    static func write(_ text: String) throws(CommandFailure) {
        try write(bytes: Array(text.utf8))
    }

    /// Writes all of it. Ends the process, quietly, when nobody reads any more.
    static func write(bytes: [UInt8]) throws(CommandFailure) {
        guard try writeIfRead(bytes: bytes) else { exit(Outcome.completed.exitCode) }
    }

    /// Writes all of it, and goes on when nobody reads any more; returns whether somebody does.
    static func writeIfRead(bytes: [UInt8]) throws(CommandFailure) -> Bool {
        switch writeAll(bytes, to: STDOUT_FILENO) {
        case 0: return true
        case EPIPE: return false
        case let code: throw CommandFailure(SystemError(doing: "write standard output", code: code))
        }
    }
}

enum StandardError {
    static let isTerminal = isatty(STDERR_FILENO) == 1

    /// Nobody can be told when this does not work.
    static func write(_ text: String) {
        _ = writeAll(Array(text.utf8), to: STDERR_FILENO)
    }
}

/// Returns 0 or the `errno` that stopped it.
private func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> CInt {
    bytes.withUnsafeBytes { bytes in
        var rest = bytes
        while !rest.isEmpty {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}
