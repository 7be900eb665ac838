import Glibc
import Semel

/// Reads a file from a position on, whatever others do with the descriptor.
struct FileBytes: ~Copyable {
    private let descriptor: CInt
    private let name: String
    private let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)

    /// - Parameter name: For messages.
    init(_ descriptor: CInt, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    deinit {
        piece.deallocate()
    }

    /// Gives the bytes of a range, or of all that is there, piece by piece. Ends when the command is to stop.
    ///
    /// - Parameter take: Returns `false` when it wants no more.
    func read(_ range: Range<Int> = 0..<Int.max, _ take: (UnsafeRawBufferPointer) throws(CommandFailure) -> Bool)
        throws(CommandFailure)
    {
        var position = range.lowerBound
        while position < range.upperBound {
            try Interruption.check()
            let count = pread(descriptor, piece.baseAddress, min(piece.count, range.upperBound - position), position)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CommandFailure(SystemError(doing: "read \(name)")) }
            guard count > 0, try take(UnsafeRawBufferPointer(rebasing: piece[..<count])) else { return }
            position += count
        }
    }
}

/// Writes at the end of a file, many bytes at a time.
struct FileWriter: ~Copyable {
    private let descriptor: CInt
    private let name: String
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    private var used = 0
    /// All that was given to it.
    private(set) var byteCount = 0

    init(_ descriptor: CInt, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    deinit {
        buffer.deallocate()
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(CommandFailure) {
        byteCount += bytes.count
        if used + bytes.count > buffer.count { try flush() }
        guard bytes.count <= buffer.count else { return try writeAll(bytes) }
        UnsafeMutableRawBufferPointer(rebasing: buffer[used...]).copyMemory(from: bytes)
        used += bytes.count
    }

    mutating func write(_ bytes: [UInt8]) throws(CommandFailure) {
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(CommandFailure) in try write(bytes) } }
        try result.get()
    }

    mutating func writeLine(_ bytes: UnsafeRawBufferPointer) throws(CommandFailure) {
        try write(bytes)
        if used == buffer.count { try flush() }
        buffer[used] = UInt8(ascii: "\n")
        used += 1
        byteCount += 1
    }

    mutating func flush() throws(CommandFailure) {
        let full = UnsafeRawBufferPointer(rebasing: buffer[..<used])
        used = 0
        try writeAll(full)
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(CommandFailure) {
        try Interruption.check()
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CommandFailure(SystemError(doing: "write \(name)")) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
