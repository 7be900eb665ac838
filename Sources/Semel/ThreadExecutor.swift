import Glibc
import Synchronization

/// An actor's executor that is one thread: the actor may block it in C calls, and C libraries that demand to be called
/// from one thread are. Between jobs the thread waits on a descriptor as well, so that a connection is served while
/// nobody asks for anything.
public final class ThreadExecutor: SerialExecutor {
    /// Something to watch between jobs.
    public struct Watch: Sendable {
        public var descriptor: CInt
        /// The action runs at least this often.
        public var atLeastEvery: Duration
        /// Runs on the executor's thread, when the descriptor is readable or the time has passed.
        public var action: @Sendable () -> Void

        public init(descriptor: CInt, atLeastEvery: Duration, action: @escaping @Sendable () -> Void) {
            self.descriptor = descriptor
            self.atLeastEvery = atLeastEvery
            self.action = action
        }
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var watch: Watch?
        var stopped = false
        var thread: pthread_t?

        var isOwnThread: Bool { thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    private let state = Mutex(State())
    private let wakeUp: WakeUp

    public init(_ name: StaticString) throws(SystemError) {
        wakeUp = try WakeUp()
        try startThread(name) { [self] in run() }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        // Whoever enqueues need not own this executor, and the job may be the end of the actor that does: it runs as
        // soon as it is in the list.
        let alive = Unmanaged.passRetained(self)
        defer { alive.release() }
        let job = UnownedJob(job)
        change { $0.jobs.append(job) }
    }

    /// Wakes the thread, unless it is the caller: it looks again before it waits.
    private func change(_ body: (inout State) -> Void) {
        let isOwnThread = state.withLock { state in
            body(&state)
            return state.isOwnThread
        }
        if !isOwnThread { wakeUp.signal() }
    }

    public func checkIsolated() {
        precondition(isIsolatingCurrentContext() ?? false, "not on the executor's thread")
    }

    public func isIsolatingCurrentContext() -> Bool? {
        state.withLock { $0.thread == nil ? nil : $0.isOwnThread }
    }

    /// Ends the thread after the jobs that are there. Without this the thread lives as long as the process.
    public func stop() {
        change { $0.stopped = true }
    }

    /// What to watch from now on between jobs.
    public func watch(_ watch: Watch?) {
        change { $0.watch = watch }
    }

    /// For a job that blocks: wakes its ``wait(for:until:)``.
    public func interrupt() {
        wakeUp.signal()
    }

    public enum Wake: Sendable {
        case readable
        case interrupted
        case timedOut
    }

    /// Blocks the calling job until the descriptor is readable, ``interrupt()`` or another job came, or time is over.
    public func wait(for descriptor: CInt, until end: ContinuousClock.Instant?) -> Wake {
        Self.wait(for: descriptor, orFor: wakeUp, until: end)
    }

    private static func wait(for descriptor: CInt, orFor wakeUp: WakeUp, until end: ContinuousClock.Instant?) -> Wake {
        var descriptors = [
            pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            // Rounded up: a wait that ends a fraction early would spin.
            let milliseconds = end.map { max(0, min(($0 - .now).milliseconds + 1, 3_600_000)) } ?? -1
            let ready = poll(&descriptors, nfds_t(descriptors.count), CInt(milliseconds))
            if ready < 0 && errno == EINTR { continue }
            if descriptors[0].revents != 0 {
                wakeUp.clear()
                return .interrupted
            }
            if ready > 0 { return .readable }
            if let end, ContinuousClock.now >= end { return .timedOut }
        }
    }

    private func run() {
        state.withLock { $0.thread = pthread_self() }
        var nextVisit = ContinuousClock.now
        while true {
            let (jobs, watch, stopped) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.watch, state.stopped)
            }
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            guard jobs.isEmpty else { continue }
            if stopped { return }
            let end = watch.map { min(nextVisit, .now + $0.atLeastEvery) }
            switch Self.wait(for: watch?.descriptor ?? -1, orFor: wakeUp, until: end) {
            case .interrupted: break
            case .readable, .timedOut:
                watch?.action()
                nextVisit = .now + (watch?.atLeastEvery ?? .zero)
            }
        }
    }
}
