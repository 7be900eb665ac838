import Foundation
import Semel
import SemelCommand

/// What a command prints, if it ends well.
actor CommandSource: ItemSource {
    private nonisolated let thread: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    nonisolated let name = "--input-command"
    private let command: String
    private nonisolated let stopped = OneShot<Void>()
    private var state = State.notStarted

    private enum State {
        case notStarted
        case running(pid_t, output: CInt)
        case ended
    }

    /// - Parameter command: For a shell.
    init(_ command: String) throws(CommandFailure) {
        if command.isEmpty { throw .usage("--input-command: is empty") }
        self.command = command
        thread = try CommandFailure.wrapping { () throws(SystemError) in try ThreadExecutor("semelctl-items") }
    }

    func next() async throws(CommandFailure) -> [UInt8]? {
        if case .notStarted = state {
            try CommandFailure.wrapping { () throws(SystemError) in state = try start() }
        }
        guard case .running(let pid, let output) = state else { return nil }
        let piece = try CommandFailure.wrapping { () throws(SystemError) in
            try thread.readPiece(of: output, name: "what the command prints", unless: stopped)
        }
        if let piece { return piece }
        try end(pid)
        return nil
    }

    /// From any thread.
    nonisolated func stop() {
        stopped.fulfil(())
        thread.interrupt()
    }

    func close() async {
        if case .running(let pid, let output) = state {
            // It is not collected yet, so its number, which is the group's, cannot have been given to another.
            kill(-pid, SIGKILL)
            var status: CInt = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            Glibc.close(output)
        }
        state = .ended
        thread.stop()
    }

    /// This thread lives as long as the command: the kernel ends it with the thread.
    private func start() throws(SystemError) -> State {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError(doing: "make a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer {
            Glibc.close(ends[1])
            if nothing >= 0 { Glibc.close(nothing) }
        }
        do throws(SystemError) {
            guard nothing >= 0 else { throw SystemError(doing: "open /dev/null") }
            let pid = try spawn(
                "/bin/sh", ["sh", "-c", command],
                environment: ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" },
                ChildDescriptors(input: nothing, output: ends[1], error: STDERR_FILENO, progress: nothing))
            return .running(pid, output: ends[0])
        } catch {
            Glibc.close(ends[0])
            throw error
        }
    }

    /// Waits for the command's end, unless it is to be stopped.
    private func end(_ pid: pid_t) throws(CommandFailure) {
        var info = siginfo_t()
        while stopped.value == nil {
            let code = waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT | WNOHANG)
            if code == 0, info.si_signo == SIGCHLD { break }
            if code != 0, errno != EINTR { throw CommandFailure(SystemError(doing: "wait for the command")) }
            _ = thread.wait(for: -1, until: .now + .milliseconds(20))
        }
        guard stopped.value == nil, let problem = problem(of: info) else { return }
        throw CommandFailure("--input-command: \(problem)", .unreachable)
    }

    private func problem(of info: siginfo_t) -> String? {
        let status = info._sifields._sigchld.si_status
        guard info.si_code != CLD_EXITED else { return status == 0 ? nil : "it exited with \(status)" }
        return "it was ended by signal \(status)"
    }
}
