import Semel
import Synchronization
import Testing

/// A task that is a closure.
struct ClosureTask: SingleShotTask {
    let body: @Sendable (Message, TaskContext) async throws -> TaskResult

    func run(_ message: Message, context: TaskContext) async throws -> TaskResult {
        try await body(message, context)
    }
}

/// A worker on a queue in memory, its stop requests and its status.
final class WorkerFixture: Sendable {
    let queue: MemoryQueue
    let status: WorkerStatus
    let stop = StopRequest()
    /// How often the task was started.
    let runs = Counter()
    /// Set when the task has been started.
    let started = OneShot<TaskContext>()
    /// Set when the task has noticed that it is to stop.
    let asked = OneShot<Void>()
    /// Ends a task that waits for it.
    let mayEnd = OneShot<Void>()
    let policy: WorkerPolicy

    init(_ policy: WorkerPolicy = WorkerPolicy(), queue: MemoryQueue) {
        self.policy = policy
        self.queue = queue
        status = WorkerStatus(queue: queue.name)
    }

    /// With one message in its queue.
    convenience init(
        _ policy: WorkerPolicy = WorkerPolicy(), attempt: Int = 1, attemptIsUncounted: Bool = false, size: Int? = nil,
        failingToSettle failure: SettlementFailure? = nil
    ) throws {
        let message = Message(
            id: "m", body: try MessageBody("body".utf8), size: size, attempt: attempt,
            attemptIsUncounted: attemptIsUncounted)
        self.init(policy, queue: MemoryQueue([message], failingToSettle: failure))
    }

    func worker(_ body: @escaping @Sendable (Message, TaskContext) async throws -> TaskResult)
        -> SingleShotWorker<ClosureTask>
    {
        let task = ClosureTask { [runs, started] message, context in
            runs.increment()
            started.fulfil(context)
            return try await body(message, context)
        }
        return SingleShotWorker(queue: queue, task: task, policy: policy, status: status, stop: stop, log: .silent)
    }

    func run(_ body: @escaping @Sendable (Message, TaskContext) async throws -> TaskResult) async -> Report {
        await worker(body).run()
    }

    func run(returning result: TaskResult) async -> Report {
        await run { _, _ in result }
    }

    /// A worker whose task works until it is asked to stop, and then ends as said.
    func startUntilAsked(_ result: TaskResult = .failed(TaskFailure(reason: "stopped", exit: 143))) -> Task<
        Report, Never
    > {
        let worker = worker { [asked] _, _ in
            await Self.cancellation()
            asked.fulfil(())
            return result
        }
        return Task { await worker.run() }
    }

    /// A worker whose task works on when it is asked to stop, until its grace is over or the test lets it end.
    func startStubborn(_ result: TaskResult) -> Task<Report, Never> {
        let worker = worker { [asked, mayEnd] _, context in
            await Self.cancellation()
            asked.fulfil(())
            // Not cancelled with the task.
            await Task {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { _ = await context.graceOver.wait() }
                    group.addTask { _ = await mayEnd.wait() }
                    await group.next()
                    group.cancelAll()
                }
            }.value
            return result
        }
        return Task { await worker.run() }
    }

    /// Returns when the calling task is cancelled.
    private static func cancellation() async {
        _ = await OneShot<Void>().wait()
    }

    var deadLetter: DeadLetter? {
        if case .deadLettered(let letter)? = queue.settlements.first { letter } else { nil }
    }
}
