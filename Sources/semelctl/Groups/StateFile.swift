import Glibc
import Semel

/// A state in a file. The draft is beside it, called `.new`, and becomes the file by a rename; what a killed run leaves of
/// it is overwritten by the next one. Its lock is that of the whole state.
struct StateFile: StateStore {
    let name: String
    let largestText: Int? = nil
    private let path: String
    /// What names it, for messages.
    private let field: String

    /// - Parameter path: A symbolic link stays one, and the file it leads to is replaced.
    init(path: String, field: String = "--state") throws(CommandFailure) {
        if path.isEmpty { throw .usage("\(field): is empty") }
        self.field = field
        name = path
        let real = realpath(path, nil)
        defer { free(real) }
        self.path = real.map { String(cString: $0) } ?? path
    }

    private var draftPath: String { path + ".new" }

    func read() async throws(CommandFailure) -> CInt? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0, errno == ENOENT { return nil }
        guard file >= 0 else { throw unusable(SystemError(doing: "open \(path)")) }
        var facts = stat()
        guard fstat(file, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw .misconfigured("\(field): \(name) is not a file")
        }
        return file
    }

    func begin() async throws(CommandFailure) -> any StateChange {
        let draft = try lockedDraft()
        do throws(CommandFailure) {
            let old = try await read()
            let scratch = try scratch()
            do throws(SystemError) {
                return try StateFileChange(
                    path: path, draftPath: draftPath, old: old, draft: draft, scratch: scratch)
            } catch {
                throw CommandFailure(error)
            }
        } catch {
            unlink(draftPath)
            close(draft)
            throw error
        }
    }

    /// The draft, empty and locked by this process.
    private func lockedDraft() throws(CommandFailure) -> CInt {
        while true {
            let draft = open(draftPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
            guard draft >= 0 else { throw unusable(SystemError(doing: "write \(draftPath)")) }
            var isOurs = false
            defer { if !isOurs { close(draft) } }
            try lock(draft)
            // Whoever had the lock may have renamed or removed the file since it was opened here.
            var (opened, named) = (stat(), stat())
            guard fstat(draft, &opened) == 0, stat(draftPath, &named) == 0, opened.st_ino == named.st_ino else {
                continue
            }
            guard ftruncate(draft, 0) == 0 else { throw unusable(SystemError(doing: "write \(draftPath)")) }
            isOurs = true
            return draft
        }
    }

    private func lock(_ draft: CInt) throws(CommandFailure) {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        while fcntl(draft, F_SETLK, &lock) != 0 {
            switch errno {
            case EINTR: continue
            case EACCES, EAGAIN:
                _ = fcntl(draft, F_GETLK, &lock)
                let holder = lock.l_type == Int16(F_UNLCK) ? "another process" : "process \(lock.l_pid)"
                throw CommandFailure(
                    "\(field): \(name) is just being changed by \(holder), which holds \(draftPath); try again when it has "
                        + "ended", .retry)
            default: throw unusable(SystemError(doing: "lock \(draftPath)"))
            }
        }
    }

    private func scratch() throws(CommandFailure) -> CInt {
        let scratchPath = path + ".new-keys"
        let file = open(scratchPath, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw unusable(SystemError(doing: "write \(scratchPath)")) }
        unlink(scratchPath)
        return file
    }

    private func unusable(_ error: SystemError) -> CommandFailure {
        .misconfigured("\(field): \(error)")
    }
}

/// Has a thread of its own, since a disk may take its time.
private actor StateFileChange: StateChange {
    private nonisolated let thread: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let path: String
    private let draftPath: String
    nonisolated let old: CInt?
    nonisolated let draft: CInt
    nonisolated let scratch: CInt
    private var hasEnded = false

    init(path: String, draftPath: String, old: CInt?, draft: CInt, scratch: CInt) throws(SystemError) {
        self.path = path
        self.draftPath = draftPath
        self.old = old
        self.draft = draft
        self.scratch = scratch
        thread = try ThreadExecutor("semelctl-state")
    }

    func commit() async throws(CommandFailure) {
        do throws(SystemError) {
            var facts = stat()
            if let old, fstat(old, &facts) == 0 { fchmod(draft, facts.st_mode & 0o7777) }
            guard fsync(draft) == 0 else { throw SystemError(doing: "write \(draftPath)") }
            guard rename(draftPath, path) == 0 else { throw SystemError(doing: "rename \(draftPath)") }
            end()
            try syncFolder()
        } catch {
            throw CommandFailure(error)
        }
    }

    func abandon() async {
        guard !hasEnded else { return }
        unlink(draftPath)
        end()
    }

    /// The rename has to be on the disk, too.
    private func syncFolder() throws(SystemError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError(doing: "open \(folder)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError(doing: "write \(folder)") }
    }

    private func end() {
        hasEnded = true
        if let old { close(old) }
        close(draft)
        close(scratch)
        thread.stop()
    }
}
