import Synchronization

/// What a status endpoint shows: the worker whose turn it is, and what came of those before it in this process. Safe from
/// any thread.
public final class StatusBoard: Sendable {
    /// When a pod counts as ready.
    public enum Readiness: Sendable {
        /// From the first claim on: KEDA then counts exactly the Jobs that have not taken a message yet.
        case claimed
        /// While the queue answers: for a Deployment, whose rollout waits for it.
        case connected
    }

    /// One look at all of it.
    public struct Snapshot: Sendable {
        /// Of the worker whose turn it is; its counters are sums over all, so that they never go back, and its start is
        /// that of the first.
        public var worker: WorkerStatus.Snapshot
        /// How many messages came to what; `nil` where there is only one.
        public var messages: [Outcome: Int]?
        public var readiness: Readiness
        public var isReady: Bool
        /// Why this process cannot do its job any more; `nil` while it can.
        public var ailment: String?
    }

    private struct State {
        var shown: WorkerStatus
        /// Whether the counters below have what `shown` says.
        var isCounted = false
        var messages: [Outcome: Int] = [:]
        var leaseExtensions = 0
        var outputBytes = 0
        var hasClaimed = false
        var isConnected = false
        var outage: (reason: String, since: ContinuousClock.Instant)?

        mutating func count() {
            guard !isCounted else { return }
            isCounted = true
            let counted = shown.snapshot
            leaseExtensions += counted.leaseExtensions
            outputBytes += counted.outputBytes
        }
    }

    private let isSeries: Bool
    private let queue: String
    private let readiness: Readiness
    private let patience: Duration
    private let started: Timestamp
    private let state: Mutex<State>

    /// For a single worker.
    public init(_ status: WorkerStatus) {
        isSeries = false
        readiness = .claimed
        patience = .zero
        queue = status.snapshot.queue
        started = status.snapshot.started
        state = Mutex(State(shown: status))
    }

    /// For a ``WorkerSeries``.
    ///
    /// - Parameter patience: For how long a queue may be out of reach before the process counts as ill.
    public init(queue: String, readiness: Readiness, patience: Duration = .seconds(300)) {
        isSeries = true
        self.readiness = readiness
        self.patience = patience
        self.queue = queue
        started = .now
        state = Mutex(State(shown: WorkerStatus(queue: queue)))
    }

    public var snapshot: Snapshot {
        state.withLock { state in
            var worker = state.shown.snapshot
            let hasClaimed = state.hasClaimed || worker.messageID != nil
            worker.started = started
            worker.leaseExtensions = state.leaseExtensions + (state.isCounted ? 0 : worker.leaseExtensions)
            worker.outputBytes = state.outputBytes + (state.isCounted ? 0 : worker.outputBytes)
            return Snapshot(
                worker: worker, messages: isSeries ? state.messages : nil,
                readiness: readiness, isReady: readiness == .claimed ? hasClaimed : state.isConnected,
                ailment: worker.claimLost.map { "claim lost: \($0)" } ?? ailment(state.outage))
        }
    }

    private func ailment(_ outage: (reason: String, since: ContinuousClock.Instant)?) -> String? {
        guard let outage, .now - outage.since >= patience else { return nil }
        return "queue out of reach: \(outage.reason)"
    }

    /// The last lines of the task whose turn it is.
    public var lastOutput: [String] {
        state.withLock { $0.shown }.lastOutput
    }

    // MARK: A series

    /// Shows the next worker, and returns its status.
    func next() -> WorkerStatus {
        let status = WorkerStatus(queue: queue)
        state.withLock { state in
            state.count()
            state.shown = status
            state.isCounted = false
        }
        return status
    }

    /// Adds what the worker's message came to.
    func ended(_ outcome: Outcome) {
        state.withLock { state in
            state.count()
            state.hasClaimed = true
            state.messages[outcome, default: 0] += 1
        }
    }

    /// Shows a worker again whose turn has been.
    func showAgain(_ status: WorkerStatus) {
        state.withLock { state in
            state.count()
            state.shown = status
        }
    }

    func connected() {
        state.withLock { state in
            state.isConnected = true
            state.outage = nil
        }
    }

    func unreachable(_ reason: String) {
        state.withLock { state in
            state.isConnected = false
            state.outage = (reason, state.outage?.since ?? .now)
        }
    }

    /// How many messages there were.
    var count: Int { state.withLock { $0.messages.values.reduce(0, +) } }
}
