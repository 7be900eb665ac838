import Glibc
import Semel
import Synchronization

/// A command that runs in a process group of its own, and does not outlive its worker.
///
/// Not swift-subprocess: it hands on no descriptor but the standard three (progress needs a fourth), cannot tie the child
/// to its parent's life, and starts threads and an epoll set that a worker with a single child pays for at every start.
///
/// An actor with a thread of its own: waiting for a child's end blocks, and the kernel kills the child when the thread that
/// started it ends (`PR_SET_PDEATHSIG`).
actor ChildProcess {
    enum ExitStatus: Sendable, Hashable {
        case exited(Int32)
        case signalled(Int32)
        /// Somebody else has collected it, or the kernel has because SIGCHLD is ignored.
        case unseen
    }

    static let progressDescriptor: CInt = 3

    private nonisolated let thread: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private enum Phase {
        case notStarted
        case running(pid_t)
        /// Its number may be another's by now.
        case collected
    }

    private nonisolated let phase = Mutex(Phase.notStarted)

    init() throws(SystemError) {
        thread = try ThreadExecutor("semel-child")
    }

    deinit {
        thread.stop()
    }

    /// Starts the command. It is to be waited for.
    func start(
        _ executable: String, _ arguments: [String], environment: [String], _ descriptors: ChildDescriptors
    ) throws(SystemError) {
        let pid = try spawn(executable, arguments, environment: environment, descriptors)
        phase.withLock { $0 = .running(pid) }
    }

    /// Sends a signal to the whole group, as long as there is one; `false` when it was never started.
    @discardableResult
    nonisolated func signal(_ number: CInt) -> Bool {
        phase.withLock { phase in
            switch phase {
            case .notStarted: return false
            case .running(let leader): kill(-leader, number)
            case .collected: break
            }
            return true
        }
    }

    /// Waits until the leader has ended, then kills what is left of its group and, where this process adopts orphans,
    /// everything that escaped from the group as well.
    ///
    /// - Parameter adoptingOrphans: Whether this process is the reaper of the command's descendants
    ///   (`PR_SET_CHILD_SUBREAPER`, or PID 1) and has no other children, so that it may end and collect all of them.
    func end(adoptingOrphans: Bool) -> ExitStatus {
        guard case .running(let pid) = phase.withLock({ $0 }) else { return .unseen }
        wait(for: pid, collectingOrphans: adoptingOrphans)
        // The leader is not collected yet, so its number, which is the group's, cannot have been given to another.
        kill(-pid, SIGKILL)
        var status: CInt = 0
        let collected = phase.withLock { phase in
            phase = .collected
            var result = waitpid(pid, &status, 0)
            while result < 0 && errno == EINTR { result = waitpid(pid, &status, 0) }
            return result == pid
        }
        if adoptingOrphans { Orphans.end() }
        guard collected else { return .unseen }
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }

    private func wait(for pid: pid_t, collectingOrphans: Bool) {
        while true {
            var info = siginfo_t()
            let result = waitid(
                collectingOrphans ? P_ALL : P_PID, id_t(collectingOrphans ? 0 : pid), &info, WEXITED | WNOWAIT)
            if result != 0 {
                if errno == EINTR { continue }
                return
            }
            let ended = info._sifields._sigchld.si_pid
            if ended == pid { return }
            var status: CInt = 0
            waitpid(ended, &status, WNOHANG)
        }
    }
}

/// Descendants that left the task's process group (daemons) and became children of this process.
enum Orphans {
    /// Kills and collects all children of this process, and the children that they leave, until there are none. A
    /// process that the kernel cannot kill now (waiting for a dead disk) is given up after two seconds.
    static func end() {
        let end = ContinuousClock.now + .seconds(2)
        var pause: useconds_t = 500
        while ContinuousClock.now < end {
            var status: CInt = 0
            switch waitpid(-1, &status, WNOHANG) {
            case 0:
                for pid in children() { kill(pid, SIGKILL) }
                // There is no call that waits for a child with a limit of time.
                usleep(pause)
                pause = min(pause * 2, 20_000)
            case -1 where errno != EINTR: return
            default: break
            }
        }
    }

    private static func children() -> [pid_t] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        let me = getpid()
        var found: [pid_t] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let pid = pid_t(name), parent(of: pid) == me { found.append(pid) }
        }
        return found
    }

    /// Field 4 of `/proc/PID/stat`; field 2 is the command's name in parentheses and may itself hold any character.
    private static func parent(of pid: pid_t) -> pid_t? {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = read(file, &buffer, buffer.count)
        guard count > 0, let name = buffer[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = String(decoding: buffer[(name + 1)..<count], as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }
}
