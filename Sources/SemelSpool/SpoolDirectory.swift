import CLinux
import Glibc
import Semel

/// The directory and its rooms. Everything here blocks in system calls.
struct SpoolDirectory: Sendable {
    enum Room: String, CaseIterable {
        case ready, delayed, claimed, done, dead
        /// What a message has besides its body, as `BASE.json`.
        case meta
        /// Files that are still being written; on the same file system, so that a rename publishes them.
        case incoming
    }

    let root: String
    /// The flag or variable that named it, for messages.
    private let source: String

    init(_ address: SpoolAddress) {
        root = address.root
        source = address.source
    }

    func path(_ room: Room, _ name: String? = nil) -> String {
        name.map { "\(root)/\(room.rawValue)/\($0)" } ?? "\(root)/\(room.rawValue)"
    }

    /// Makes what is missing below an existing root; with `creatingRoot` the root as well.
    func prepare(creatingRoot: Bool) throws(QueueFailure) {
        var facts = stat()
        if stat(root, &facts) != 0 {
            guard errno == ENOENT else { throw failure("look at \(root)") }
            guard creatingRoot else {
                throw .misconfigured("\(source): spool \(root) does not exist; ‘semelctl enqueue’ creates it")
            }
            try make(root)
        } else if facts.st_mode & S_IFMT != S_IFDIR {
            throw .misconfigured("\(source): spool \(root) is not a directory")
        }
        for room in Room.allCases { try make(path(room)) }
    }

    private func make(_ directory: String) throws(QueueFailure) {
        if mkdir(directory, 0o777) != 0 && errno != EEXIST { throw failure("create \(directory)") }
    }

    /// A directory's entries in the order of their names, dot files left out. Of a very large directory only so many
    /// are looked at, so that a claim costs the same however much is queued: beyond that the order is approximate.
    static let window = 1024

    struct Entry: Comparable {
        var name: String
        var isDirectory: Bool

        static func < (one: Entry, other: Entry) -> Bool {
            one.name < other.name
        }
    }

    func entries(of directory: String, atMost limit: Int = window) throws(QueueFailure) -> [Entry] {
        guard let stream = opendir(directory) else {
            if errno == ENOENT { return [] }
            throw failure("read \(directory)")
        }
        defer { closedir(stream) }
        var found: [Entry] = []
        while found.count < limit, let entry = readdir(stream) {
            guard entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { start in
                start.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            guard let type = type(of: entry.pointee.d_type, in: directory, name) else { continue }
            found.append(Entry(name: name, isDirectory: type == S_IFDIR))
        }
        return found.sorted()
    }

    /// A file or a directory; `nil` for what cannot be a message: sockets, pipes (which would block whoever opens them),
    /// links.
    private func type(of hint: UInt8, in directory: String, _ name: String) -> mode_t? {
        switch Int(hint) {
        case Int(DT_REG): return S_IFREG
        case Int(DT_DIR): return S_IFDIR
        case Int(DT_UNKNOWN):
            var facts = stat()
            guard lstat("\(directory)/\(name)", &facts) == 0 else { return nil }
            let type = facts.st_mode & S_IFMT
            return type == S_IFREG || type == S_IFDIR ? type : nil
        default: return nil
        }
    }

    /// The same of a room, which has to be there: without it the whole spool is gone.
    func entries(of room: Room) throws(QueueFailure) -> [Entry] {
        if access(path(room), F_OK) != 0 { throw failure("read \(path(room))") }
        return try entries(of: path(room))
    }

    /// Opens and locks a message's file; `nil` when somebody else has it or it is no longer there.
    func lock(_ file: String) throws(QueueFailure) -> SpoolFile? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ELOOP { return nil }
            throw failure("open \(file)")
        }
        let locked = SpoolFile(descriptor: descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK || errno == EINTR { return nil }
            throw failure("lock \(file)")
        }
        // Between the opening and the lock another worker may have had it, and moved it on.
        return locked.isStill(at: file) ? locked : nil
    }

    /// Moves a file without ever replacing another: an occupied name gets a suffix. Returns the name it got.
    @discardableResult
    func move(_ file: String, to room: Room, as name: SpoolName) throws(SystemError) -> SpoolName {
        var name = name
        while true {
            if renameat2(AT_FDCWD, file, AT_FDCWD, path(room, name.text), CUnsignedInt(semel_rename_noreplace)) == 0 {
                return name
            }
            guard errno == EEXIST else { throw SystemError(doing: "move \(file) to \(room.rawValue)/") }
            name.base += "." + SpoolName.suffix()
        }
    }

    /// Makes the renames into a room survive a power cut.
    func sync(_ room: Room) throws(SystemError) {
        let descriptor = open(path(room), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError(doing: "open \(path(room))") }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw SystemError(doing: "write \(path(room)) to the disk") }
    }

    /// Everything that was written to this file system, at once.
    func syncAll() throws(SystemError) {
        let descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError(doing: "open \(root)") }
        defer { close(descriptor) }
        if syncfs(descriptor) != 0 { throw SystemError(doing: "write \(root) to the disk") }
    }

    /// Of a file that cannot be written whole, nothing is left.
    func write(_ bytes: [UInt8], to file: String, syncing: Bool) throws(SystemError) {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemError(doing: "create \(file)") }
        defer { close(descriptor) }
        do throws(SystemError) {
            try write(bytes, into: descriptor, of: file)
            if syncing && fsync(descriptor) != 0 { throw SystemError(doing: "write \(file) to the disk") }
        } catch {
            unlink(file)
            throw error
        }
    }

    private func write(_ bytes: [UInt8], into descriptor: CInt, of file: String) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SystemError(doing: "write \(file)") }
            written += count
        }
    }

    /// A file that is there whole or not at all; it takes the place of an older one.
    func publish(_ bytes: [UInt8], as name: String, in room: Room) throws(SystemError) {
        let draft = path(.incoming, name)
        try write(bytes, to: draft, syncing: true)
        if rename(draft, path(room, name)) != 0 { throw SystemError(doing: "move \(draft) to \(room.rawValue)/") }
    }

    /// A whole file; `nil` when there is none, or it is larger than that.
    func read(_ file: String, atMost limit: Int = 16 << 20) -> [UInt8]? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, let size = Int(exactly: facts.st_size), size <= limit else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        return Glibc.read(descriptor, &bytes, size) == size ? bytes : nil
    }

    /// With `errno` as the reason.
    func failure(_ doing: String) -> QueueFailure {
        failure(SystemError(doing: doing))
    }

    /// A right that is missing is a matter of configuration.
    func failure(_ error: SystemError) -> QueueFailure {
        switch error.code {
        case EACCES, EPERM, ENOENT, ENOTDIR, EROFS, EBADF, ENOLCK, EOPNOTSUPP:
            .misconfigured("\(source): spool: \(error)")
        default: .unreachable("\(source): spool: \(error)")
        }
    }
}

/// An open file. If it is locked, the lock goes when this goes, and with the process however that ends.
final class SpoolFile: Sendable {
    private let descriptor: CInt

    init(descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Lets go of the lock before this goes.
    func release() {
        flock(descriptor, LOCK_UN)
    }

    func isStill(at path: String) -> Bool {
        var here = stat()
        var there = stat()
        return fstat(descriptor, &here) == 0 && stat(path, &there) == 0
            && here.st_ino == there.st_ino && here.st_dev == there.st_dev
    }

    /// Wherever it was moved to before.
    var isRemoved: Bool {
        var facts = stat()
        return fstat(descriptor, &facts) == 0 && facts.st_nlink == 0
    }

    var size: Int {
        var facts = stat()
        return fstat(descriptor, &facts) == 0 ? Int(facts.st_size) : 0
    }
}
