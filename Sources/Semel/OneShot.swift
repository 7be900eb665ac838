import Synchronization

/// A value that is set at most once and may be awaited by any number of tasks: how a claim says that it is lost,
/// a child process that it has ended, a signal handler that the worker is to stop.
public final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case open(waiters: [UInt64: CheckedContinuation<Value?, Never>], nextKey: UInt64)
        case fulfilled(Value)
    }

    private let state = Mutex(State.open(waiters: [:], nextKey: 0))

    public init() {}

    /// The value, or `nil` while nobody has set it.
    public var value: Value? {
        state.withLock { state in
            if case .fulfilled(let value) = state { value } else { nil }
        }
    }

    /// Sets the value and wakes everyone who waits for it. Returns `false`, and changes nothing, when it was set before.
    @discardableResult
    public func fulfil(_ value: Value) -> Bool {
        let waiters: [CheckedContinuation<Value?, Never>]? = state.withLock { state in
            guard case .open(let waiters, _) = state else { return nil }
            state = .fulfilled(value)
            return Array(waiters.values)
        }
        for waiter in waiters ?? [] { waiter.resume(returning: value) }
        return waiters != nil
    }

    /// Waits for the value; `nil` when the waiting task is cancelled first.
    public func wait() async -> Value? {
        let key: UInt64? = state.withLock { state in
            guard case .open(let waiters, let key) = state else { return nil }
            state = .open(waiters: waiters, nextKey: key + 1)
            return key
        }
        guard let key else { return value }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { enqueue($0, key: key) }
        } onCancel: {
            remove(key)?.resume(returning: nil)
        }
    }

    private func enqueue(_ continuation: CheckedContinuation<Value?, Never>, key: UInt64) {
        let result: Value?? = state.withLock { state in
            switch state {
            case .fulfilled(let value): return .some(value)
            case .open(var waiters, let nextKey):
                // A cancellation that came before this line has already looked for the key in vain.
                if Task.isCancelled { return .some(nil) }
                waiters[key] = continuation
                state = .open(waiters: waiters, nextKey: nextKey)
                return .none
            }
        }
        if let result { continuation.resume(returning: result) }
    }

    private func remove(_ key: UInt64) -> CheckedContinuation<Value?, Never>? {
        state.withLock { state in
            guard case .open(var waiters, let nextKey) = state else { return nil }
            let continuation = waiters.removeValue(forKey: key)
            state = .open(waiters: waiters, nextKey: nextKey)
            return continuation
        }
    }
}
