import Glibc

/// Bytes that can be read once, from front to back.
protocol ByteSource: AnyObject {
    /// Reads at most as many bytes as `buffer` holds, and at least one unless the source is at its end.
    /// - Returns: how many bytes were read; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteSource {
    /// Reads until `buffer` is full or the source is at its end.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}

/// An open file or directory; closed when the last reference goes.
final class FileStream: ByteSource {
    enum Kind {
        case regular, directory, other
    }

    let kind: Kind
    /// The size when the file was opened; what is read may be less or more if somebody writes to it.
    let size: Int
    private(set) var bytesRead = 0
    private let descriptor: Int32

    /// - Parameter followingLinks: false makes a symbolic link an error (`ELOOP`), so that a link which takes a file's
    ///   place after the directory was listed does not lead out of the tree.
    init(path: [UInt8], followingLinks: Bool = false) throws(SystemError) {
        // Without O_NONBLOCK, opening a named pipe that nobody writes to waits for ever.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW)
        let descriptor = open((path + [0]).map { CChar(bitPattern: $0) }, flags)
        guard descriptor >= 0 else { throw SystemError.last }
        self.descriptor = descriptor

        var info = stat()
        guard fstat(descriptor, &info) == 0 else {
            let error = SystemError.last
            close(descriptor)
            throw error
        }
        size = Int(info.st_size)
        switch info.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        default: kind = .other
        }
    }

    deinit {
        close(descriptor)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 {
                bytesRead += count
                return count
            }
            guard errno == EINTR else { throw SystemError.last }
        }
    }

    /// The first bytes, without moving on.
    func peek(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        return Array(bytes.prefix(max(read, 0)))
    }

    /// The names in this directory with their kinds, in no particular order; `.` and `..` are left out.
    func directoryEntries() throws(SystemError) -> [DirectoryEntry] {
        // The directory stream closes the descriptor it is given: it gets one of its own.
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { throw SystemError.last }
        guard let directory = fdopendir(duplicate) else {
            let error = SystemError.last
            close(duplicate)
            throw error
        }
        defer { closedir(directory) }

        var entries: [DirectoryEntry] = []
        while true {
            errno = 0
            guard let record = readdir(directory) else {
                guard errno == 0 else { throw SystemError.last }
                return entries
            }
            guard let entry = DirectoryEntry(record, in: descriptor) else { continue }
            entries.append(entry)
        }
    }
}

/// One name in a directory.
struct DirectoryEntry {
    let name: [UInt8]
    let kind: FileStream.Kind

    fileprivate init?(_ record: UnsafeMutablePointer<dirent>, in directory: Int32) {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return nil }
        // Copying `d_name` as the 256-byte tuple Swift sees would read past the end of a short record.
        let text = (UnsafeRawPointer(record) + offset).assumingMemoryBound(to: CChar.self)
        name = Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        guard name != [Ascii.dot], name != [Ascii.dot, Ascii.dot] else { return nil }

        switch Int(record.pointee.d_type) {
        case Int(DT_REG): kind = .regular
        case Int(DT_DIR): kind = .directory
        case Int(DT_UNKNOWN):
            // Some file systems do not tell the kind in the listing.
            var info = stat()
            guard fstatat(directory, text, &info, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
            switch info.st_mode & S_IFMT {
            case S_IFREG: kind = .regular
            case S_IFDIR: kind = .directory
            default: kind = .other
            }
        default: kind = .other
        }
    }
}
