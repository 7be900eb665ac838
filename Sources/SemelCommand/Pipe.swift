import CLinux
import Glibc
import Semel

/// Two ends of a pipe that no other child inherits.
struct Pipe: ~Copyable {
    private var reading: CInt
    private var writing: CInt

    init() throws(SystemError) {
        var ends: [CInt] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw SystemError(doing: "create a pipe") }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        if reading >= 0 { close(reading) }
        if writing >= 0 { close(writing) }
    }

    /// Makes room for a megabyte, the kernel's usual limit: fewer system calls for tasks that print a lot. Best effort.
    func widen() {
        _ = fcntl(writing, CInt(semel_set_pipe_size), 1 << 20)
    }

    /// Hands the reading end to the caller, who closes it.
    mutating func takeReading() -> CInt {
        defer { reading = -1 }
        return reading
    }

    /// Hands the writing end to the caller, who closes it.
    mutating func takeWriting() -> CInt {
        defer { writing = -1 }
        return writing
    }
}
