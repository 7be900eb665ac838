/// The user's work on one message.
public protocol SingleShotTask: Sendable {
    /// Makes ready what does not depend on the message, while the queue is still asked for one. Called before each
    /// ``run(_:context:)``, but a message need not come.
    ///
    /// - Parameter status: The ``TaskContext/status`` of the run.
    func prepare(_ status: WorkerStatus)

    /// Works on `message` and says what it came to. Throwing is a failed attempt, with the error's description as the
    /// reason.
    ///
    /// When the worker wants the task to stop, the Swift task that runs this is cancelled; it has the worker's grace to
    /// return, after which ``TaskContext/graceOver`` is set and nobody waits for it any longer.
    func run(_ message: Message, context: TaskContext) async throws -> TaskResult
}

extension SingleShotTask {
    public func prepare(_ status: WorkerStatus) {}
}

public enum TaskResult: Sendable {
    /// Done; with a result to deliver, where there is one.
    case succeeded(result: MessageBody?)
    /// This attempt did not work; another may.
    case failed(TaskFailure)
    /// This message can never work: dead-letter at once.
    case rejected(TaskFailure)
    /// The task could not even be started, and that is not the message's fault: it is released (exit 78).
    case unstartable(String)
}

public struct TaskFailure: Sendable, Hashable {
    /// One line for people.
    public var reason: String
    /// The exit status of a command, or 128 + the signal that ended it, as shells count.
    public var exit: Int32?

    public init(reason: String, exit: Int32? = nil) {
        self.reason = reason
        self.exit = exit
    }
}

/// What a task may ask and tell its worker.
public struct TaskContext: Sendable {
    /// When the worker will stop the task, if there is a time limit.
    public let deadline: Timestamp?
    public let maxAttempts: Int
    /// The queue's URL without credentials.
    public let queueName: String
    /// Set when a task that was asked to stop has had its time.
    public let graceOver: OneShot<Void>
    /// Where progress and output are shown.
    public let status: WorkerStatus

    public init(
        deadline: Timestamp?, maxAttempts: Int, queueName: String, graceOver: OneShot<Void>, status: WorkerStatus
    ) {
        self.deadline = deadline
        self.maxAttempts = maxAttempts
        self.queueName = queueName
        self.graceOver = graceOver
        self.status = status
    }

    /// Says how far the task is.
    ///
    /// - Parameters:
    ///   - fraction: 0 to 1; values outside are cut to that range.
    ///   - note: One line on what is being done.
    public func progress(_ fraction: Double, _ note: String? = nil) {
        status.progress(fraction, note)
    }
}
