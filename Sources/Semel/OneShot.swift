import Synchronization

/// A value that is set at most once and may be awaited by any number of tasks: how a claim says that it is lost,
/// a child process that it has ended, a signal handler that the worker is to stop.
public final class OneShot<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters = Waiters()
    }

    private let state = Mutex(State())

    public init() {}

    /// The value, or `nil` while nobody has set it.
    public var value: Value? {
        state.withLock { $0.value }
    }

    /// Sets the value and wakes everyone who waits for it. Returns `false`, and changes nothing, when it was set before.
    @discardableResult
    public func fulfil(_ value: Value) -> Bool {
        let waiters: Waiters? = state.withLock { state in
            guard state.value == nil else { return nil }
            state.value = value
            defer { state.waiters = Waiters() }
            return state.waiters
        }
        waiters?.resumeAll()
        return waiters != nil
    }

    /// Waits for the value; `nil` when the waiting task is cancelled first.
    public func wait() async -> Value? {
        guard let key = state.withLock({ $0.value == nil ? $0.waiters.nextKey() : nil }) else { return value }
        await withTaskCancellationHandler {
            await withCheckedContinuation { enqueue($0, key: key) }
        } onCancel: {
            state.withLock { $0.waiters.remove(key) }?.resume()
        }
        return value
    }

    private func enqueue(_ waiter: CheckedContinuation<Void, Never>, key: UInt64) {
        let isWaiting = state.withLock { state in
            // A cancellation that came before this line has already looked for the key in vain.
            guard state.value == nil, !Task.isCancelled else { return false }
            state.waiters.add(waiter, key: key)
            return true
        }
        if !isWaiting { waiter.resume() }
    }
}

/// Of any ``OneShot``: one type for all of them, since each generic one costs a worker's start some microseconds.
private struct Waiters: Sendable {
    private struct Waiter: Sendable {
        let key: UInt64
        let continuation: CheckedContinuation<Void, Never>
    }

    private var waiters: [Waiter] = []
    private var lastKey: UInt64 = 0

    mutating func nextKey() -> UInt64 {
        lastKey += 1
        return lastKey
    }

    mutating func add(_ continuation: CheckedContinuation<Void, Never>, key: UInt64) {
        waiters.append(Waiter(key: key, continuation: continuation))
    }

    mutating func remove(_ key: UInt64) -> CheckedContinuation<Void, Never>? {
        guard let index = waiters.firstIndex(where: { $0.key == key }) else { return nil }
        return waiters.remove(at: index).continuation
    }

    func resumeAll() {
        for waiter in waiters { waiter.continuation.resume() }
    }
}
