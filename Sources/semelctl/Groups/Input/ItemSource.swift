import Glibc
import Semel

/// Where items come from: bytes, a key a line.
protocol ItemSource: Sendable {
    /// For messages.
    var name: String { get }
    /// The next piece, cut anywhere; `nil` at the end, which is one only if all has come, and when it was stopped.
    func next() async throws(CommandFailure) -> [UInt8]?
    /// From any thread; ends a ``next()`` that waits.
    func stop()
    /// Once nobody asks any more.
    func close() async
}

/// A file, or standard input.
actor DescriptorSource: ItemSource {
    private nonisolated let thread: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    nonisolated let name: String
    private let descriptor: CInt
    private nonisolated let stopped = OneShot<Void>()

    init(file path: String) throws(CommandFailure) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        var facts = stat()
        guard file >= 0, fstat(file, &facts) == 0, facts.st_mode & S_IFMT != S_IFDIR else {
            let error = SystemError(doing: "read \(path)", code: file < 0 ? errno : EISDIR)
            if file >= 0 { Glibc.close(file) }
            throw .misconfigured("--input: \(error)")
        }
        try self.init(file, name: path)
    }

    static func standardInput() throws(CommandFailure) -> DescriptorSource {
        try DescriptorSource(STDIN_FILENO, name: "standard input")
    }

    /// - Parameter descriptor: Taken over, unless it is standard input.
    init(_ descriptor: CInt, name: String) throws(CommandFailure) {
        self.descriptor = descriptor
        self.name = name
        thread = try CommandFailure.wrapping { () throws(SystemError) in try ThreadExecutor("semelctl-items") }
    }

    func next() async throws(CommandFailure) -> [UInt8]? {
        try CommandFailure.wrapping { () throws(SystemError) in
            try thread.readPiece(of: descriptor, name: name, unless: stopped)
        }
    }

    nonisolated func stop() {
        stopped.fulfil(())
        thread.interrupt()
    }

    func close() async {
        if descriptor > STDIN_FILENO { Glibc.close(descriptor) }
        thread.stop()
    }
}

extension ThreadExecutor {
    /// For a job on this thread: blocks until there is something to read. `nil` at the end, and when it was stopped.
    func readPiece(of descriptor: CInt, name: String, unless stopped: OneShot<Void>) throws(SystemError) -> [UInt8]? {
        while stopped.value == nil {
            guard wait(for: descriptor, until: nil) == .readable else { continue }
            var failure: CInt = 0
            let piece = [UInt8](unsafeUninitializedCapacity: 256 << 10) { buffer, count in
                let read = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                count = max(0, read)
                if read < 0 { failure = errno }
            }
            if failure == EINTR || failure == EAGAIN { continue }
            guard failure == 0 else { throw SystemError(doing: "read \(name)", code: failure) }
            return piece.isEmpty ? nil : piece
        }
        return nil
    }
}
