/// A thread of one's own for a worker's life, instead of Swift's pool: a process that runs one task needs neither the
/// pool's threads nor its timers, and a start that takes milliseconds is felt to have them.
public protocol WorkerExecutor: TaskExecutor {
    /// Sets `alarm` when `moment` has come.
    func set(_ alarm: OneShot<Void>, at moment: ContinuousClock.Instant)

    /// Nobody waits for `alarm` any more.
    func drop(_ alarm: OneShot<Void>)
}

/// What a worker's tasks start and wait by: on the executor on which its life runs, where there is one.
public enum Life {
    /// Child tasks stay on their parent's executor by themselves. This is for the others.
    @TaskLocal public static var executor: (any WorkerExecutor)?

    /// A task that is nobody's child, on the same executor.
    public static func task<Success: Sendable>(
        _ operation: @escaping @Sendable () async -> Success
    ) -> Task<Success, Never> {
        Task(executorPreference: executor, operation: operation)
    }

    /// Like `Task.sleep(for:)`.
    public static func sleep(for span: Duration) async throws {
        guard let executor else { return try await Task.sleep(for: span) }
        let alarm = OneShot<Void>()
        executor.set(alarm, at: .now + span)
        guard await alarm.wait() != nil else {
            executor.drop(alarm)
            throw CancellationError()
        }
    }

    /// Waits so long, or until the event has come, or the calling task is cancelled.
    static func sleep<Event>(for span: Duration, orUntil event: OneShot<Event>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await event.wait() }
            group.addTask { try? await sleep(for: span) }
            await group.next()
            group.cancelAll()
        }
    }
}
