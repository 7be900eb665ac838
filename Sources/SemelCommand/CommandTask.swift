import FoundationEssentials
import Glibc
public import Semel

/// A task that is a command: any executable, which need not know of its worker.
///
/// Its exit status is the outcome: 0 succeeded; 65 (`EX_DATAERR`) the message can never work; anything else, and death
/// by a signal, failed.
public final class CommandTask: SingleShotTask {
    public enum ResultMode: String, Sendable, CaseIterable {
        case none
        /// What the command prints on its standard output is the result.
        case stdout
    }

    /// sysexits.h: the input data was incorrect in some way.
    public static let rejected: Int32 = 65

    private let executable: String
    private let arguments: [String]
    private let environment: [String: String]
    private let input: InputMode
    private let result: ResultMode
    private let maximumResultBytes: Int
    private let adoptsOrphans: Bool
    private let child = OneShot<ChildProcess>()

    /// - Parameters:
    ///   - executable: The path of the file to run.
    ///   - arguments: All of them, the command's name first.
    ///   - environment: What the command inherits; the `SEMEL_…` variables of the message are added.
    ///   - maximumResultBytes: A longer result is a failed attempt.
    ///   - adoptsOrphans: Whether this process is the reaper of the command's descendants and has no other children,
    ///     so that it may end and collect all of them.
    public init(
        executable: String, arguments: [String], environment: [String: String], input: InputMode = .stdin,
        result: ResultMode = .none, maximumResultBytes: Int = 128 << 20, adoptsOrphans: Bool = false
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.input = input
        self.result = result
        self.maximumResultBytes = maximumResultBytes
        self.adoptsOrphans = adoptsOrphans
    }

    /// Passes a signal on to the command's process group; `false` when there is none yet.
    public func forward(_ signal: CInt) -> Bool {
        guard let child = child.value else { return false }
        child.signal(signal)
        return true
    }

    public func run(_ message: Message, context: TaskContext) async throws -> TaskResult {
        let running: Running
        do throws(SystemError) {
            running = try await start(message, context)
        } catch {
            return notStarted(error, message)
        }
        // A task of its own: being asked to stop must not cut short the waiting for the end.
        let ending = Life.task { await self.result(of: running, context) }
        return await withTaskCancellationHandler {
            await ending.value
        } onCancel: {
            running.child.signal(SIGTERM)
        }
    }

    /// A started command and what has to be kept until it has ended.
    private struct Running {
        let child: ChildProcess
        let input: TaskInput
        let output: OutputPump
        let error: OutputPump
    }

    private func start(_ message: Message, _ context: TaskContext) async throws(SystemError) -> Running {
        let directory = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        let taskInput = try TaskInput(input, body: message.body, temporaryDirectory: directory)
        var output = try Pipe()
        var error = try Pipe()
        var progress = try Pipe()
        output.widen()
        error.widen()
        let process = try await ChildProcess.start(
            executable: executable, arguments: arguments,
            environment: variables(message, context, file: taskInput.file),
            descriptors: ChildProcess.Descriptors(
                input: taskInput.descriptor, output: output.writing, error: error.writing, progress: progress.writing),
            adoptsOrphans: adoptsOrphans, announcement: child)
        let running = Running(
            child: process,
            input: taskInput,
            output: OutputPump(
                from: output.takeReading(), to: STDOUT_FILENO, status: context.status,
                captureLimit: result == .stdout ? maximumResultBytes : nil),
            error: OutputPump(from: error.takeReading(), to: STDERR_FILENO, status: context.status, captureLimit: nil))
        do throws(SystemError) {
            try running.output.start()
            try running.error.start()
            try ProgressReader.start(from: progress.takeReading(), status: context.status)
        } catch {
            process.signal(SIGKILL)
            throw error
        }
        return running
    }

    private func result(of running: Running, _ context: TaskContext) async -> TaskResult {
        let killing = Life.task { if await context.graceOver.wait() != nil { running.child.signal(SIGKILL) } }
        let status = await running.child.end.wait()
        killing.cancel()
        await killing.value
        // What the command left behind is dead by now, so the streams end as soon as they are read empty; only somebody
        // who stopped reading the worker's own output can hold them up.
        let drained = Duration.seconds(5)
        _ = await running.error.finished(within: drained)
        let capture = await running.output.finished(within: drained)
        withExtendedLifetime(running.input) {}
        return switch status {
        case .exited(0): success(capture)
        case .exited(Self.rejected): .rejected(TaskFailure(reason: rejection(context), exit: Self.rejected))
        case .exited(let code): .failed(TaskFailure(reason: "the task exited with \(code)", exit: code))
        case .signalled(let signal):
            .failed(TaskFailure(reason: "the task was ended by \(SignalName.of(signal))", exit: 128 + signal))
        case .unseen, nil: .failed(TaskFailure(reason: "how the task ended went unseen"))
        }
    }

    /// Whose fault it is that the command could not be started: the message's, the configuration's, or this moment's.
    private func notStarted(_ error: SystemError, _ message: Message) -> TaskResult {
        switch error.code {
        case E2BIG where json(message.headers).utf8.count > Self.largestHeaders:
            .rejected(TaskFailure(reason: "the message's headers do not fit into the task's environment"))
        case ENOENT, EACCES, EPERM, ENOTDIR, EISDIR, ELOOP, ENOEXEC, E2BIG, ENAMETOOLONG, ELIBBAD, ETXTBSY:
            .unstartable(error.description)
        default: .failed(TaskFailure(reason: "the task was not started: \(error.description)"))
        }
    }

    /// Linux allows 128 KiB for one variable; below half of that it is something else that does not fit.
    private static let largestHeaders = 64 << 10

    private func success(_ capture: OutputPump.Capture?) -> TaskResult {
        switch capture {
        case .result(let body): .succeeded(result: body)
        case .failed(let why): .failed(TaskFailure(reason: "the task succeeded, its result is lost: \(why)", exit: 0))
        case nil where result == .stdout:
            .failed(TaskFailure(reason: "the task succeeded, its result could not be read to the end", exit: 0))
        case .some(.none), nil: .succeeded(result: nil)
        }
    }

    /// A task that rejects a message usually says why in its last words.
    private func rejection(_ context: TaskContext) -> String {
        let words = context.status.lastOutput.last.map { ": \($0.prefix(200))" } ?? ""
        return "the task rejected the message (exit status \(Self.rejected))\(words)"
    }

    private func variables(_ message: Message, _ context: TaskContext, file: String?) -> [String: String] {
        var variables = environment
        variables["SEMEL_MESSAGE_ID"] = message.id
        variables["SEMEL_ATTEMPT"] = String(message.attempt)
        variables["SEMEL_MAX_ATTEMPTS"] = String(context.maxAttempts)
        variables["SEMEL_QUEUE"] = context.queueName
        variables["SEMEL_CONTENT_TYPE"] = message.contentType
        variables["SEMEL_HEADERS"] = json(message.headers)
        variables["SEMEL_DEADLINE"] = context.deadline?.rfc3339
        variables["SEMEL_PROGRESS_FD"] = String(ChildProcess.progressDescriptor)
        variables["SEMEL_MESSAGE_FILE"] = file
        variables["TRACEPARENT"] = message.traceParent ?? variables["TRACEPARENT"]
        // Whatever comes from a producer and has a NUL in it would be cut there, or hide what follows.
        for name in ["SEMEL_MESSAGE_ID", "SEMEL_CONTENT_TYPE", "SEMEL_HEADERS", "TRACEPARENT"]
        where variables[name]?.utf8.contains(0) ?? false {
            variables[name] = nil
        }
        return variables
    }

    private func json(_ headers: [String: HeaderValue]) -> String {
        // Most messages carry none, and an encoder costs more than two characters.
        guard !headers.isEmpty else { return "{}" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(headers) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
