import CLinux
import Glibc

/// The bytes of a message, held in a file descriptor: a sealed memory file for what came over a network, or the
/// spool's own file. The task gets that file as its standard input, so that a task which reads nothing, reads late or
/// stops half way needs no feeding thread and can hang nobody, and 64 MiB are not held twice.
public final class MessageBody: Sendable {
    /// Open for reading, positioned at 0, closed with this object.
    public let descriptor: CInt
    /// The number of bytes.
    public let count: Int

    /// Takes the descriptor over; it must be readable, seekable and at offset 0.
    public init(adopting descriptor: CInt, count: Int) {
        self.descriptor = descriptor
        self.count = count
    }

    deinit {
        close(descriptor)
    }

    /// Copies `bytes`.
    public convenience init(_ bytes: some Sequence<UInt8>) throws(SystemError) {
        let builder = try MessageBodyBuilder()
        do {
            let done: Void? = try bytes.withContiguousStorageIfAvailable {
                try builder.append(UnsafeRawBufferPointer($0))
            }
            if done == nil {
                try Array(bytes).withUnsafeBytes { try builder.append($0) }
            }
        } catch let error as SystemError {
            throw error
        } catch {
            throw SystemError(doing: "write the message body", code: EIO)
        }
        let sealed = try builder.seal()
        self.init(adopting: sealed.descriptor, count: sealed.count)
    }

    /// All bytes, copied.
    public func bytes() throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(filled))
                if got > 0 {
                    filled += got
                } else if got == 0 || errno != EINTR {
                    failure = SystemError(doing: "read the message body", code: got == 0 ? EIO : errno)
                    return
                }
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

/// Collects a body piece by piece as it comes from the network.
public final class MessageBodyBuilder {
    private var descriptor: CInt
    private var count = 0

    public init() throws(SystemError) {
        descriptor = memfd_create("semel-message", CUnsignedInt(semel_memfd_flags))
        if descriptor < 0 { throw SystemError(doing: "make room for the message body") }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    public func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            // pwrite leaves the offset at 0, where the task is to begin to read.
            let written = pwrite(descriptor, rest.baseAddress, rest.count, off_t(count))
            if written > 0 {
                count += written
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            } else if errno != EINTR {
                throw SystemError(doing: "write the message body")
            }
        }
    }

    /// Seals the bytes, so that not even the task can change what a retry or a dead letter will carry.
    public func finish() throws(SystemError) -> MessageBody {
        let sealed = try seal()
        return MessageBody(adopting: sealed.descriptor, count: sealed.count)
    }

    /// Hands the descriptor to the caller, who closes it.
    fileprivate func seal() throws(SystemError) -> (descriptor: CInt, count: Int) {
        if semel_seal(descriptor) != 0 { throw SystemError(doing: "seal the message body") }
        defer { descriptor = -1 }
        return (descriptor, count)
    }
}
