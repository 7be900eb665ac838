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

        /// Whether what is known may be shown at that moment.
        func isFresh(_ rhythm: Rhythm, at moment: ContinuousClock.Instant) -> Bool {
            readAt.map { moment - $0 < rhythm.watched * 2 } ?? false
        }
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
            let (wake, isWatched, isWanted) = state.withLock { state in
                // Whoever asks from here on wakes this round, whoever asked before is seen now.
                state.wake = OneShot()
                let isWatched = state.askedAt.map { .now - $0 < rhythm.attention } ?? false
                return (state.wake, isWatched, state.askedAt.map { !state.isFresh(rhythm, at: $0) } ?? false)
            }
            if isWatched || isWanted || rhythm.unwatched != nil { await refresh() }
            if isWatched {
                _ = try? await Task.sleep(for: rhythm.watched)
            } else {
                _ = await wake.wait(atMost: rhythm.unwatched)
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

    /// - Parameter begun: When what it is of was looked at first.
    func show(_ value: Value, of begun: ContinuousClock.Instant) {
        let next: OneShot<Value>? = state.withLock { state in
            // One that began later has seen more.
            if let readAt = state.readAt, readAt > begun { return nil }
            (state.value, state.readAt) = (value, begun)
            defer { state.next = OneShot() }
            return state.next
        }
        next?.fulfil(value)
    }

    /// - Parameter patience: How long to wait where nothing is known. For news of what is known, a moment is enough.
    func latest(within patience: Duration = .seconds(2)) async -> Value? {
        let (value, isFresh, next, wake) = state.withLock { state in
            let now = ContinuousClock.now
            state.askedAt = now
            return (state.value, state.isFresh(rhythm, at: now), state.next, state.wake)
        }
        // Whoever is read without being looked at is read at once now.
        if !isFresh || rhythm.unwatched != nil { wake.fulfil(true) }
        if isFresh { return value }
        return await next.wait(atMost: value == nil ? patience : min(patience, Self.moment)) ?? value
    }

    private static var moment: Duration { .milliseconds(300) }
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
