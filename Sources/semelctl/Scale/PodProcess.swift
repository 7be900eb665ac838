import CLinux
import Glibc
import Semel
import SemelCommand
import SemelKEDA
import Synchronization

/// A container's process on this machine: in a process group of its own, with no input, and gone when this command is.
final class PodProcess: Sendable {
    enum Report: Sendable {
        case started
        case ended(DeskExit)
        case failed(SystemError)
    }

    private enum State {
        /// A signal may come before there is somebody to get it.
        case starting(signal: CInt?)
        case running(pid_t)
        case ended
    }

    private let state = Mutex(State.starting(signal: nil))
    private let podName: String?

    /// - Parameter podName: What every process of the pod has in its environment, as ``PodOrphans/mark``: all of them end
    ///   with this one. `nil` for a process beside the pod's own, such as a probe.
    init(podName: String?) {
        self.podName = podName
    }

    /// Starts a program. Reports come from a thread of its own, which is there for as long as the process is: the
    /// kernel kills the process when that thread ends, so not even a kill -9 of this command leaves it behind.
    ///
    /// - Parameter output: For both streams; taken over.
    func start(
        _ program: String, _ words: [String], _ environment: [String: String], output: CInt,
        report: @escaping @Sendable (Report) -> Void
    ) throws(SystemError) {
        do throws(SystemError) {
            try startThread("semelctl-pod") { [self] in
                let pid: pid_t
                do throws(SystemError) {
                    pid = try spawn(program, words, environment, output)
                } catch {
                    return report(.failed(error))
                }
                report(.started)
                report(.ended(waitForEnd(pid)))
            }
        } catch {
            close(output)
            throw error
        }
    }

    /// To the first process alone, as the kubelet does; whatever it leaves behind is killed when it has ended.
    func signal(_ number: CInt) {
        state.withLock { state in
            switch state {
            case .starting: state = .starting(signal: number)
            case .running(let pid): kill(pid, number)
            case .ended: break
            }
        }
    }

    /// SIGKILL to all of its group.
    func kill9() {
        state.withLock { state in
            switch state {
            case .starting: state = .starting(signal: SIGKILL)
            case .running(let pid): kill(-pid, SIGKILL)
            case .ended: break
            }
        }
    }

    private func spawn(
        _ program: String, _ words: [String], _ environment: [String: String], _ output: CInt
    ) throws(SystemError) -> pid_t {
        defer { close(output) }
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard nothing >= 0 else { throw SystemError(doing: "open /dev/null") }
        defer { close(nothing) }
        let pid = try SemelCommand.spawn(
            program, words, environment: environment.map { "\($0.key)=\($0.value)" },
            ChildDescriptors(input: nothing, output: output, error: output, progress: nothing))
        state.withLock { state in
            if case .starting(let signal?) = state { kill(pid, signal) }
            state = .running(pid)
        }
        return pid
    }

    /// Blocks until the first process has ended, and ends what it has left behind.
    private func waitForEnd(_ pid: pid_t) -> DeskExit {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        // It is not collected yet, so its number, which is the group's, cannot have been given to another.
        kill(-pid, SIGKILL)
        var status: CInt = 0
        state.withLock { state in
            state = .ended
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        }
        if let podName { Orphans.end { PodOrphans.podName(of: $0) == podName } }
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }
}

/// Whose a process is that has left its pod's process group, lost its parents, and so become a child of this one.
enum PodOrphans {
    /// From now on orphans come to this process.
    static func adopt() {
        _ = semel_set_child_subreaper()
    }

    /// The variable with the pod's name; not `HOSTNAME`, which a manifest may set.
    static let mark = "SEMELCTL_POD"

    /// What the mark says that a process was started with.
    static func podName(of pid: pid_t) -> String? {
        let variables = contents(of: "/proc/\(pid)/environ").split(separator: 0)
        let name = Array("\(mark)=".utf8)
        return variables.first { $0.starts(with: name) }.map {
            String(decoding: $0.dropFirst(name.count), as: UTF8.self)
        }
    }

    private static func contents(of path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }
}
