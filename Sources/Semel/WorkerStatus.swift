import Synchronization

/// What a worker shows of itself while it lives: written by the worker, its task and its queue, read by the status
/// endpoint. Safe from any thread; no call waits for another for longer than it takes to copy a few words.
public final class WorkerStatus: Sendable {
    public struct Snapshot: Sendable {
        public var state = WorkerState.idle
        public var queue: String
        public var started: Timestamp
        /// The claimed message, from the claim on.
        public var messageID: String?
        public var attempt: Int?
        public var maxAttempts: Int?
        public var claimed: Timestamp?
        public var deadline: Timestamp?
        /// 0 to 1, as the task says.
        public var progress: Double?
        public var note: String?
        public var lease: Duration?
        public var leaseExtensions = 0
        public var claimLost: String?
        public var outputBytes = 0
        public var outcome: Outcome?
        public var reason: String?
        /// From the start to the claim, or to now.
        public var waited = Duration.zero
        /// From the claim to the end of the task, or to now.
        public var ran = Duration.zero
    }

    private struct State {
        var shown: Snapshot
        var tail = OutputTail()
        let begun: ContinuousClock.Instant
        var claimedAt: ContinuousClock.Instant?
        var endedAt: ContinuousClock.Instant?
    }

    private let state: Mutex<State>

    public init(queue: String) {
        state = Mutex(State(shown: Snapshot(queue: queue, started: .now), begun: .now))
    }

    public var snapshot: Snapshot {
        state.withLock { state in
            var shown = state.shown
            let now = ContinuousClock.now
            shown.waited = (state.claimedAt ?? state.endedAt ?? now) - state.begun
            shown.ran = state.claimedAt.map { (state.endedAt ?? now) - $0 } ?? .zero
            return shown
        }
    }

    /// The task's last lines, both streams, oldest first.
    public var lastOutput: [String] {
        state.withLock { $0.tail }.lines
    }

    public func claimed(_ message: Message, maxAttempts: Int, deadline: Timestamp?, lease: Duration?) {
        state.withLock { state in
            state.claimedAt = .now
            state.shown.state = .running
            state.shown.claimed = .now
            state.shown.messageID = message.id
            state.shown.attempt = message.attempt
            state.shown.maxAttempts = maxAttempts
            state.shown.deadline = deadline
            state.shown.lease = lease
        }
    }

    public func progress(_ fraction: Double, _ note: String?) {
        guard fraction.isFinite else { return }
        state.withLock { state in
            state.shown.progress = min(max(fraction, 0), 1)
            if let note { state.shown.note = note }
        }
    }

    /// Counts what the task printed, before it is a whole line.
    public func printed(_ count: Int) {
        state.withLock { $0.shown.outputBytes += count }
    }

    /// Takes what the task printed. Whole lines, where they are known: a stream's `rest` of a line and what follows it come
    /// together, so that the other stream cannot come between them.
    ///
    /// - Parameter isCounted: Whether ``printed(_:)`` has counted it.
    public func output(_ bytes: UnsafeRawBufferPointer, after rest: [UInt8] = [], isCounted: Bool = false) {
        state.withLock { state in
            if !isCounted { state.shown.outputBytes += rest.count + bytes.count }
            rest.withUnsafeBytes { state.tail.append($0) }
            state.tail.append(bytes)
        }
    }

    public func leaseExtended() {
        state.withLock { $0.shown.leaseExtensions += 1 }
    }

    public func claimLost(_ loss: ClaimLoss) {
        state.withLock { $0.shown.claimLost = loss.reason }
    }

    public func ended(_ outcome: Outcome, reason: String?) {
        state.withLock { state in
            state.endedAt = .now
            state.shown.outcome = outcome
            state.shown.reason = reason
            state.shown.state = outcome.state
            if outcome == .completed { state.shown.progress = 1 }
        }
    }
}

/// The end of a stream of any length, in a fixed amount of memory.
struct OutputTail {
    static let capacity = 16 << 10
    static let maximumLines = 50

    private var bytes: [UInt8] = []

    mutating func append(_ piece: UnsafeRawBufferPointer) {
        if piece.count >= Self.capacity {
            bytes.removeAll(keepingCapacity: true)
            bytes.append(contentsOf: piece.suffix(Self.capacity))
            return
        }
        // Cutting only when twice the capacity is reached makes the copying cost constant for each byte.
        if bytes.count + piece.count > 2 * Self.capacity {
            bytes.removeFirst(bytes.count + piece.count - Self.capacity)
        }
        bytes.append(contentsOf: piece)
    }

    var lines: [String] {
        bytes.suffix(Self.capacity).split(separator: UInt8(ascii: "\n")).suffix(Self.maximumLines).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
