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
