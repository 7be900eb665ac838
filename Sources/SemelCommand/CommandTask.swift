import Glibc
public import Semel
import Synchronization

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
    private let environment: TaskEnvironment
    private let input: InputMode
    private let result: ResultMode
    private let maximumResultBytes: Int
    private let adoptsOrphans: Bool
    private let state = Mutex(State())

    /// What a command needs to be started, whatever its message: it can be there before.
    private struct Stage: Sendable {
        let child: ChildProcess
        let streams: TaskStreams
        /// Where the streams are shown.
        let status: WorkerStatus
    }

    private struct State {
        var prepared: Stage?
        /// The command that runs, or ran last.
        var child: ChildProcess?
    }

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
        self.environment = TaskEnvironment(inherited: environment)
        self.input = input
        self.result = result
        self.maximumResultBytes = maximumResultBytes
        self.adoptsOrphans = adoptsOrphans
    }

    /// Passes a signal on to the command's process group; `false` when there is none yet.
    public func forward(_ signal: CInt) -> Bool {
        state.withLock { $0.child }?.signal(signal) ?? false
    }

    public func prepare(_ status: WorkerStatus) {
        // What does not work now is tried again, and told, when there is a message.
        let stage = try? makeStage(status)
        state.withLock { $0 = State(prepared: stage) }
    }

    private func takeStage(_ status: WorkerStatus) throws(SystemError) -> Stage {
        let prepared = state.withLock { state in
            defer { state.prepared = nil }
            return state.prepared
        }
        let stage = if let prepared, prepared.status === status { prepared } else { try makeStage(status) }
        state.withLock { $0.child = stage.child }
        return stage
    }

    private func makeStage(_ status: WorkerStatus) throws(SystemError) -> Stage {
        Stage(
            child: try ChildProcess(),
            streams: try TaskStreams(status, captureLimit: result == .stdout ? maximumResultBytes : nil),
            status: status)
    }

    public func run(_ message: Message, context: TaskContext) async throws -> TaskResult {
        let stage: Stage
        let taskInput: TaskInput
        do throws(SystemError) {
            stage = try takeStage(context.status)
            taskInput = try TaskInput(input, body: message.body, temporaryDirectory: environment.temporaryDirectory)
            try await start(stage, taskInput, message, context)
        } catch {
            return notStarted(error, message)
        }
        // A task of its own: being asked to stop must not cut short the waiting for the end.
        let ending = Life.task { await self.result(of: stage, taskInput, context) }
        return await withTaskCancellationHandler {
            await ending.value
        } onCancel: {
            stage.child.signal(SIGTERM)
        }
    }

    private func start(
        _ stage: Stage, _ input: TaskInput, _ message: Message, _ context: TaskContext
    ) async throws(SystemError) {
        let ends = stage.streams.ends
        defer { stage.streams.closeEnds() }
        try await stage.child.start(
            executable, arguments, environment: environment.lines(for: message, context, file: input.file),
            ChildDescriptors(
                input: input.descriptor, output: ends.output, error: ends.error, progress: ends.progress))
        // Not before: what a user may have of this is for tasks, not for those who wait for a message.
        stage.streams.widen()
    }

    private func result(of stage: Stage, _ input: TaskInput, _ context: TaskContext) async -> TaskResult {
        let killing = Life.task { if await context.graceOver.wait() != nil { stage.child.signal(SIGKILL) } }
        let status = await stage.child.end(adoptingOrphans: adoptsOrphans)
        killing.cancel()
        await killing.value
        // What the command left behind is dead by now, so the streams end as soon as they are read empty; only somebody
        // who stopped reading the worker's own output can hold them up.
        let drained = Duration.seconds(5)
        _ = await stage.streams.error.finished(within: drained)
        let capture = await stage.streams.output.finished(within: drained)
        withExtendedLifetime(input) {}
        return switch status {
        case .exited(0): success(capture)
        case .exited(Self.rejected): .rejected(TaskFailure(reason: rejection(context), exit: Self.rejected))
        case .exited(let code): .failed(TaskFailure(reason: "the task exited with \(code)", exit: code))
        case .signalled(let signal):
            .failed(TaskFailure(reason: "the task was ended by \(SignalName.of(signal))", exit: 128 + signal))
        case .unseen: .failed(TaskFailure(reason: "how the task ended went unseen"))
        }
    }

    /// Whose fault it is that the command could not be started: the message's, the configuration's, or this moment's.
    private func notStarted(_ error: SystemError, _ message: Message) -> TaskResult {
        switch error.code {
        case E2BIG where TaskEnvironment.json(message.headers).utf8.count > Self.largestHeaders:
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
}
