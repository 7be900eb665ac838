import CLinux
import Glibc
import Semel
import Synchronization

/// What the first thread does from start to end: it runs the worker's life, wakes it, takes signals, and looks whether
/// anybody knocks at the status endpoint. Whatever blocks has a thread of its own.
final class MainLoop: WorkerExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var alarms: [(moment: ContinuousClock.Instant, alarm: OneShot<Void>)] = []
    }

    private let state = Mutex(State())
    private let wakeUp: WakeUp
    private let signals: SignalSet
    private let thread = pthread_self()

    /// On the thread that will run it.
    init(_ signals: SignalSet) throws(SystemError) {
        self.signals = signals
        wakeUp = try WakeUp()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = state.withLock { state in
            state.jobs.append(job)
            return state.jobs.count == 1
        }
        // The loop's own thread looks again before it waits.
        if isFirst, pthread_equal(thread, pthread_self()) == 0 { wakeUp.signal() }
    }

    func set(_ alarm: OneShot<Void>, at moment: ContinuousClock.Instant) {
        state.withLock { $0.alarms.append((moment, alarm)) }
        if pthread_equal(thread, pthread_self()) == 0 { wakeUp.signal() }
    }

    func drop(_ alarm: OneShot<Void>) {
        state.withLock { $0.alarms.removeAll { $0.alarm === alarm } }
    }

    /// - Parameters:
    ///   - door: A descriptor to look at, or -1.
    ///   - opened: Called once, when it is readable.
    func run(taking take: (CInt) -> Void, watching door: CInt, opened: () -> Void) -> Never {
        var watched = [wakeUp.descriptor, signals.descriptor, door].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        while true {
            if runJobs() { continue }
            guard poll(&watched, nfds_t(watched.count), patience()) > 0 else { continue }
            if watched[0].revents != 0 { wakeUp.clear() }
            if watched[1].revents != 0 { take(signals.next()) }
            if watched[2].revents != 0 {
                watched[2].fd = -1
                watched[2].revents = 0
                opened()
            }
        }
    }

    private func runJobs() -> Bool {
        let jobs = state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
        return !jobs.isEmpty
    }

    /// Sets the alarms that are due, and says for how many milliseconds there is nothing else to do; -1 for ever.
    private func patience() -> CInt {
        let now = ContinuousClock.now
        let (due, next) = state.withLock { state in
            let due = state.alarms.filter { $0.moment <= now }
            if !due.isEmpty { state.alarms.removeAll { $0.moment <= now } }
            return (due, state.alarms.min { $0.moment < $1.moment }?.moment)
        }
        for (_, alarm) in due { alarm.fulfil(()) }
        guard due.isEmpty else { return 0 }
        // Rounded up: a wait that ends a fraction early would spin.
        return next.map { CInt(min(($0 - now).milliseconds + 1, 3_600_000)) } ?? -1
    }
}
