import Foundation
public import Glibc
import Synchronization

/// How a process ended.
public enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    public var description: String {
        switch self {
        case .exited(let code): "exited with \(code)"
        case .signalled(let number): "was killed by signal \(number)"
        }
    }
}

/// A process that has ended, with everything it printed.
public struct Finished: Sendable {
    public let status: ExitStatus
    public let stdout: [UInt8]
    public let stderr: [UInt8]
    public let elapsed: Duration

    public var stdoutText: String { String(decoding: stdout, as: UTF8.self) }
    public var stderrText: String { String(decoding: stderr, as: UTF8.self) }
}

/// A started program: in a process group of its own, killed with its last reference, its outputs captured while it runs.
public final class RunningProcess: Sendable {
    public let pid: pid_t
    public let stdout: CapturedStream
    public let stderr: CapturedStream
    private let name: String
    private let state: SharedState

    /// What the reaping thread needs: not the process object itself, whose end is to kill the child.
    private final class SharedState: Sendable {
        let status = Mutex<ExitStatus?>(nil)
    }

    /// Starts a program. Without `input` its standard input is empty.
    public init(
        _ executable: Executable, _ arguments: [String] = [],
        environment: [String: String] = RunningProcess.environment(), input: [UInt8] = [],
        directory: String? = nil, capture: CapturedStream.Mode = .keep, captureErrors: CapturedStream.Mode = .keep
    ) throws {
        let watchdog = try Watchdog.shared()
        name = ([executable.path] + arguments).joined(separator: " ")
        let stdout = CapturedStream(capture)
        let stderr = CapturedStream(captureErrors)
        self.stdout = stdout
        self.stderr = stderr
        let outputPipe = try Pipe()
        let errorPipe = try Pipe()
        let exitPipe = try Pipe()
        let inputPipe = input.isEmpty ? nil : try Pipe()
        let childInput = inputPipe?.readEnd ?? open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer {
            for descriptor in [childInput, outputPipe.writeEnd, errorPipe.writeEnd] {
                close(descriptor)
            }
        }
        do {
            pid = try Spawn(
                path: executable.path, arguments: arguments, environment: environment, directory: directory,
                standardInput: childInput, standardOutput: outputPipe.writeEnd, standardError: errorPipe.writeEnd
            ).start()
        } catch {
            for descriptor in [outputPipe.readEnd, errorPipe.readEnd, exitPipe.readEnd, exitPipe.writeEnd] {
                close(descriptor)
            }
            _ = inputPipe.map { close($0.writeEnd) }
            throw error
        }
        watchdog.add(pid)
        let state = SharedState()
        self.state = state
        let pump = ProcessPump(
            input: inputPipe?.writeEnd, inputBytes: Data(input),
            outputs: [
                .init(descriptor: outputPipe.readEnd, stream: stdout),
                .init(descriptor: errorPipe.readEnd, stream: stderr),
            ],
            exitNotice: exitPipe.readEnd, onExit: { [pid] in Self.reap(pid, into: state, watchdog) })
        startThread("pump \(pid)") { pump.run() }
        startThread("wait \(pid)") { [pid] in
            var info = siginfo_t()
            retryInterrupted { waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) }
            close(exitPipe.writeEnd)
        }
    }

    deinit {
        killGroup()
    }

    /// Takes the status while signals are held off: a signal must never go to a number that was given away again.
    private static func reap(_ pid: pid_t, into state: SharedState, _ watchdog: Watchdog) {
        state.status.withLock { status in
            watchdog.drop(pid)
            var code: Int32 = 0
            retryInterrupted { waitpid(pid, &code, 0) }
            let signal = code & 0x7f
            status = signal == 0 ? .exited((code >> 8) & 0xff) : .signalled(signal)
        }
    }

    /// How the process ended; nothing while it runs. All that it printed is then captured.
    public var status: ExitStatus? { state.status.withLock { $0 } }

    public var isRunning: Bool { status == nil }

    /// Sends a signal to the process alone; without effect once it has ended.
    public func send(_ signal: Int32) {
        state.status.withLock { status in
            if status == nil {
                Glibc.kill(pid, signal)
            }
        }
    }

    /// Ends the process and everything in its process group at once.
    public func killGroup() {
        state.status.withLock { status in
            if status == nil {
                Glibc.kill(-pid, SIGKILL)
            }
        }
    }

    /// Waits for the end; at the timeout it throws what was printed so far and leaves the process running.
    @discardableResult
    public func waitForExit(timeout: Duration = .seconds(30)) async throws -> ExitStatus {
        guard try await holds(within: timeout, condition: { status != nil }), let status else {
            throw SupportError("still running after \(timeout): \(report)")
        }
        return status
    }

    /// Waits until a text was printed on either stream.
    public func waitForOutput(containing text: String, timeout: Duration = .seconds(30)) async throws {
        let wanted = Data(text.utf8)
        var offsets = (stdout: 0, stderr: 0)
        func printed() -> Bool {
            let output = stdout.contains(wanted, from: offsets.stdout)
            let error = stderr.contains(wanted, from: offsets.stderr)
            offsets = (output.count, error.count)
            return output.found || error.found
        }
        let found = try await holds(within: timeout) {
            // Asked before looking: what is printed just before the end must still be found.
            let ended = status
            if printed() {
                return true
            }
            if let ended {
                throw SupportError("\(ended) without printing \"\(text)\": \(report)")
            }
            return false
        }
        guard found else {
            throw SupportError("did not print \"\(text)\" within \(timeout): \(report)")
        }
    }

    /// The command and the end of its outputs, for messages.
    public var report: String {
        "\(name)\n--- standard output:\n\(stdout.tail)\n--- standard error:\n\(stderr.tail)"
    }

    /// The environment a child gets by default: where programs and files are, and nothing else.
    public static func environment(adding variables: [String: String] = [:]) -> [String: String] {
        let own = ProcessInfo.processInfo.environment
        var result = [
            "PATH": own["PATH"] ?? "/usr/bin:/bin", "HOME": own["HOME"] ?? "/", "TMPDIR": own["TMPDIR"] ?? "/tmp",
        ]
        result.merge(MotoServer.variables) { _, new in new }
        result.merge(variables) { _, new in new }
        return result
    }
}

/// Runs a program to its end; at the timeout it is killed and what it printed is thrown.
public func run(
    _ executable: Executable, _ arguments: [String] = [],
    environment: [String: String] = RunningProcess.environment(), input: [UInt8] = [],
    directory: String? = nil, timeout: Duration = .seconds(30)
) async throws -> Finished {
    let start = ContinuousClock.now
    let process = try RunningProcess(
        executable, arguments, environment: environment, input: input, directory: directory)
    let status = try await process.waitForExit(timeout: timeout)
    return Finished(
        status: status, stdout: process.stdout.bytes, stderr: process.stderr.bytes,
        elapsed: ContinuousClock.now - start)
}
