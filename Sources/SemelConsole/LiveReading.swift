import Semel
import Synchronization

/// Something that is read again and again while somebody looks, and seldom or never otherwise. Who asks gets what is known,
/// and waits, for a moment, only where nothing is.
final class LiveReading<Value: Sendable>: Sendable {
    struct Rhythm: Sendable {
        /// Between two readings while somebody looks; what is older than twice that is read anew before it is shown.
        var watched: Duration
        /// For so long after a look somebody is taken to look.
        var attention: Duration
        /// Between two readings that nobody looks at; `nil` for none.
        var unwatched: Duration?
    }

    private struct State {
        var value: Value?
        var readAt: ContinuousClock.Instant?
        var askedAt: ContinuousClock.Instant?
        var next = OneShot<Value>()
        var wake = OneShot<Bool>()
    }

    private let rhythm: Rhythm
    private let read: @Sendable (_ show: @escaping @Sendable (Value) -> Void) async -> Value
    private let state = Mutex(State())

    /// - Parameter read: May show what it has so far, where the whole takes long.
    init(
        _ rhythm: Rhythm, _ read: @escaping @Sendable (_ show: @escaping @Sendable (Value) -> Void) async -> Value
    ) {
        (self.rhythm, self.read) = (rhythm, read)
    }

    /// Reads until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            let (wake, isWatched) = state.withLock { state in
                state.wake = OneShot()
                return (state.wake, state.askedAt.map { .now - $0 < rhythm.attention } ?? false)
            }
            if isWatched || rhythm.unwatched != nil { await refresh() }
            if isWatched {
                _ = try? await Task.sleep(for: rhythm.watched)
            } else {
                _ = await wake.wait(atMost: rhythm.unwatched)
                if !Task.isCancelled, rhythm.unwatched == nil { await refresh() }
            }
        }
    }

    /// Reads at once, for whoever has just changed what is read.
    @discardableResult
    func refresh() async -> Value {
        let begun = ContinuousClock.now
        let value = await read { self.show($0, of: begun) }
        show(value, of: begun)
        return value
    }

    private func show(_ value: Value, of begun: ContinuousClock.Instant) {
        let next: OneShot<Value>? = state.withLock { state in
            // One that began later has seen more.
            if let readAt = state.readAt, readAt > begun { return nil }
            (state.value, state.readAt) = (value, begun)
            defer { state.next = OneShot() }
            return state.next
        }
        next?.fulfil(value)
    }

    /// - Parameter patience: How long to wait where nothing is known, or what is known is old.
    func latest(within patience: Duration = .seconds(2)) async -> Value? {
        let (fresh, next, wake) = state.withLock { state in
            state.askedAt = .now
            let isFresh = state.readAt.map { .now - $0 < rhythm.watched * 2 } ?? false
            return (isFresh ? state.value : nil, state.next, state.wake)
        }
        if let fresh {
            if rhythm.unwatched != nil { wake.fulfil(true) }
            return fresh
        }
        wake.fulfil(true)
        if let value = await next.wait(atMost: patience) { return value }
        return state.withLock { $0.value }
    }
}

extension OneShot {
    /// `nil` when the value has not come in time, or the waiting task was cancelled.
    func wait(atMost limit: Duration?) async -> Value? {
        guard let limit else { return await wait() }
        return await withTaskGroup(of: Value?.self) { group in
            group.addTask { await self.wait() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
