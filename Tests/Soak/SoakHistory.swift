import TestSupport

/// All that is known of one message: its runs, who made them, and what those workers suffered and said.
struct MessageHistory: Sendable {
    struct Entry: Sendable {
        let run: SoakRun
        /// Missing only when the soak itself lost sight of the worker.
        let record: WorkerRecord?
        let faults: [FaultKind]

        /// The worker said that the message was settled: completed, dead-lettered or given back for a retry.
        var isSettledByReport: Bool { [0, 65, 75].contains(record?.exitCode) }
        var isCompletedByReport: Bool { record?.exitCode == 0 }
        var isRetriedByReport: Bool { record?.exitCode == 75 && !isHandedBack }
        var isHandedBack: Bool { record?.exitCode == 75 && reason.contains("handed back") }
        var succeeded: Bool { run.code == 0 }
        /// Whether the message can have been completed by this run, as far as its worker did not say otherwise.
        var mayHaveCompleted: Bool {
            succeeded && ![75, 143].contains(record?.exitCode) && !faults.contains(.killedBeforeSettling)
        }
        var reason: String { record?.report?.reason ?? "" }
        /// When the worker was gone at the latest.
        var over: Int64 { record?.end ?? .max }
    }

    let message: Int
    /// By attempt, which is the order of the claims as the queue counted them; then by time.
    let entries: [Entry]
    /// Workers that had one of its copies and were stopped before the task could say so.
    let others: [WorkerRecord]

    init(_ message: Int, _ entries: [Entry], others: [WorkerRecord]) {
        self.message = message
        self.others = others
        self.entries = entries.sorted { ($0.run.attempt, $0.run.start) < ($1.run.attempt, $1.run.start) }
    }
}

/// How many copies of a message a queue may have come to hold, by the rules of at-least-once.
///
/// With RabbitMQ a retry, a release and a dead letter are published first and acknowledged then. Whatever comes between the
/// two leaves the copy and the original, and both are run, perhaps at the same time. SQS has that with dead letters only, and
/// one whose answer was lost is sent again. A FIFO queue takes the second letter for the first, and the others settle in one
/// step.
struct CopyCount {
    /// The moments from which on there may have been one more.
    private let moments: [Int64]
    /// How many dead letters there may be whose message is still to be run.
    private let letters: Int

    init(_ history: MessageHistory, in queue: QueueKind, _ outages: [Outage]) {
        let rejected = queue == .sqs ? history.entries.filter { $0.run.code == SoakTask.rejected } : []
        // How often somebody tried again nobody knows.
        letters =
            rejected.contains { $0.record?.triedToSettleAgain ?? false }
            ? Int(Int32.max) : rejected.count { $0.record?.exitCode != SoakTask.rejected }
        guard queue == .rabbitmq else {
            moments = []
            return
        }
        var moments: [Int64] = []
        for entry in history.entries {
            let run = entry.run
            if Self.mayHaveLeftTwo(entry, outages) { moments.append(run.start) }
            // A server that is killed forgets what it was told last: acknowledgements, and that a delayed message has
            // gone back to its queue.
            for outage in outages where outage.kind == .serverKilled && outage.mayUndo(run.start, entry.over) {
                moments.append(outage.from)
            }
        }
        for record in history.others
        where record.exitCode == 76 || outages.contains(where: { $0.touches(record.start, record.end) }) {
            moments.append(record.start)
        }
        self.moments = moments
    }

    /// At a moment; in the end without one.
    func most(by time: Int64 = .max) -> Int {
        1 + moments.count { $0 <= time }
    }

    /// Among the dead and the done in the end.
    var mostEnds: Int { most() + letters }

    private static func mayHaveLeftTwo(_ entry: MessageHistory.Entry, _ outages: [Outage]) -> Bool {
        let wasBroken = outages.contains { $0.touches(entry.run.start, entry.over) }
        let mayHavePublished = !entry.succeeded || entry.faults.contains(.terminated)
        switch entry.record?.status {
        case .signalled?, .exited(76)?: return mayHavePublished
        case .exited(75)?: return entry.isHandedBack
        // A release that was not confirmed in time is made by handing back; the copy may be there all the same.
        case .exited(143)?: return wasBroken || entry.faults.contains { $0.pausesWorker }
        case .exited?: return false
        case nil: return true
        }
    }
}
