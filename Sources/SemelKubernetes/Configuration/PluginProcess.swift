import CLinux
import Glibc
import Semel
import SemelCommand
import Synchronization

/// A program that is run for what it prints. It has no input, and its standard error is this process' own.
final class PluginProcess: Sendable {
    enum End: Sendable, Hashable, CustomStringConvertible {
        case exited(CInt)
        case signalled(CInt)

        var description: String {
            switch self {
            case .exited(let code): "ended with \(code)"
            case .signalled(let number): "was killed by signal \(number)"
            }
        }
    }

    private enum State {
        case starting
        case running(pid_t)
        case stopped
    }

    private static let mostBytes = 1 << 20

    private let state = Mutex(State.starting)
    private let result = OneShot<Result<(end: End, output: [UInt8]), SystemError>>()

    private init() {}

    static func run(
        _ program: String, _ words: [String], _ environment: [String: String]
    ) async throws(KubernetesError) -> (end: End, output: [UInt8]) {
        let process = PluginProcess()
        do throws(SystemError) {
            // The kernel kills the program when this thread ends.
            try startThread("semelctl-plugin") { process.runHere(program, words, environment) }
        } catch {
            throw .misconfigured(error.description)
        }
        let result = await withTaskCancellationHandler {
            await process.result.wait()
        } onCancel: {
            process.stop()
        }
        if Task.isCancelled { throw .cancelled }
        switch result {
        case .success(let end): return end
        case .failure(let error): throw .misconfigured("exec plugin: \(error.description)")
        case nil: throw .cancelled
        }
    }

    private func stop() {
        state.withLock { state in
            if case .running(let pid) = state { kill(-pid, SIGKILL) }
            state = .stopped
        }
    }

    private func runHere(_ program: String, _ words: [String], _ environment: [String: String]) {
        do throws(SystemError) {
            let (pid, descriptor) = try start(program, words, environment)
            let output = Self.read(descriptor)
            close(descriptor)
            result.fulfil(.success((end: end(of: pid), output: output)))
        } catch {
            result.fulfil(.failure(error))
        }
    }

    /// - Returns: The process and the reading end of its output.
    private func start(
        _ program: String, _ words: [String], _ environment: [String: String]
    ) throws(SystemError) -> (pid_t, CInt) {
        var ends: [CInt] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw SystemError(doing: "create a pipe") }
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer {
            close(ends[1])
            close(nothing)
        }
        do throws(SystemError) {
            let pid = try SemelCommand.spawn(
                program, words, environment: environment.map { "\($0.key)=\($0.value)" },
                ChildDescriptors(input: nothing, output: ends[1], error: STDERR_FILENO, progress: nothing))
            state.withLock { state in
                if case .stopped = state { kill(-pid, SIGKILL) } else { state = .running(pid) }
            }
            return (pid, ends[0])
        } catch {
            close(ends[0])
            throw error
        }
    }

    /// Up to the end of the output; what is over the limit is thrown away.
    private static func read(_ descriptor: CInt) -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count > 0 {
                if output.count < mostBytes { output += buffer[..<count] }
            } else if count == 0 || errno != EINTR {
                return output
            }
        }
    }

    private func end(of pid: pid_t) -> End {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        var status: CInt = 0
        // From here on its number may be given to another.
        state.withLock { state in
            state = .stopped
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        }
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }
}
