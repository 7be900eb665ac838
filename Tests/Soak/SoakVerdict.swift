import TestSupport

/// What a soak of one queue comes to.
struct SoakVerdict: Sendable {
    /// What must not be, with the message that it happened to.
    struct Violation: Sendable {
        let message: Int?
        let what: String
        var workers: [Int] = []
    }

    private(set) var lost: [Violation] = []
    private(set) var stale: [Violation] = []
    /// Neither lost nor stale, and still a mistake of somebody's.
    private(set) var odd: [Violation] = []
    private(set) var completed = 0
    private(set) var retried = 0
    private(set) var rejected = 0
    private(set) var usedUp = 0
    private(set) var extraRuns: [String: Int] = [:]
    private(set) var faults: [FaultKind: Int] = [:]
    let histories: [Int: MessageHistory]

    var isGood: Bool { lost.isEmpty && stale.isEmpty && odd.isEmpty }

    init(_ evidence: SoakEvidence) {
        histories = evidence.histories()
        for fault in evidence.workerFaults { faults[fault.kind, default: 0] += 1 }
        for outage in evidence.outages { faults[outage.kind, default: 0] += 1 }
        countFates(evidence)
        let ended = evidence.content.dead + (evidence.content.done ?? [])
        let ends = Dictionary(ended.map { ($0, 1) }, uniquingKeysWith: +)
        for history in histories.values.sorted(by: { $0.message < $1.message }) {
            let copies = CopyCount(history, in: evidence.queue, evidence.outages)
            findStale(in: history, copies, ends: ends[history.message] ?? 0)
            explainRuns(of: history, copies, evidence.outages)
        }
        if evidence.queue == .fifo { findDisorder() }
        retried = evidence.records.count { $0.exitCode == 75 }
        findOddities(evidence)
    }

    // MARK: Where the messages are

    private mutating func countFates(_ evidence: SoakEvidence) {
        let dead = Set(evidence.content.dead)
        let queued = Set(evidence.content.queued)
        let done = evidence.content.done.map { Set($0) }
        for message in evidence.messages {
            let number = message.number
            let entries = histories[number]?.entries ?? []
            let mayBeCompleted = entries.contains { $0.mayHaveCompleted } && done?.contains(number) ?? true
            if queued.contains(number) {
                odd.append(Violation(message: number, what: "is still in the queue"))
            } else if dead.contains(number) {
                countDead(message)
            } else if mayBeCompleted && message.fate == .work {
                completed += 1
            } else {
                lost.append(
                    Violation(
                        message: number, what: "nobody can have completed it, and it is neither queued nor dead",
                        workers: entries.map { $0.run.worker }))
            }
        }
    }

    private mutating func countDead(_ message: SoakMessage) {
        if message.fate == .reject {
            rejected += 1
        } else {
            // More attempts are allowed than any message needs here.
            usedUp += 1
            odd.append(Violation(message: message.number, what: "is dead although no task rejected it"))
        }
    }

    // MARK: Who settled what

    private mutating func findStale(in history: MessageHistory, _ copies: CopyCount, ends: Int) {
        if ends > copies.mostEnds {
            stale.append(Violation(message: history.message, what: "is \(ends) times among the done and the dead"))
            return
        }
        let completions = history.entries.filter(\.isCompletedByReport)
        if completions.count > copies.most() {
            stale.append(
                Violation(
                    message: history.message, what: "was completed \(completions.count) times",
                    workers: completions.map { $0.run.worker }))
            return
        }
        for (index, entry) in history.entries.enumerated() where entry.isSettledByReport {
            // Everything behind it was claimed after it.
            for later in history.entries[(index + 1)...] {
                guard copies.most(by: later.run.start) == 1, let what = Self.complaint(entry, later) else { continue }
                stale.append(
                    Violation(message: history.message, what: what, workers: [entry.run.worker, later.run.worker]))
                return
            }
        }
    }

    /// The least delay of a retry, less what the clocks' milliseconds may hide.
    private static let leastDelay: Int64 = 95_000_000

    private static func complaint(_ entry: MessageHistory.Entry, _ later: MessageHistory.Entry) -> String? {
        let code = entry.record?.exitCode ?? -1
        let who = "worker \(entry.run.worker) (attempt \(entry.run.attempt), exit \(code))"
        let other = "worker \(later.run.worker) (attempt \(later.run.attempt))"
        let end = entry.run.end ?? entry.over
        if later.run.start < end {
            return "\(who) settled it although \(other) had it before the task ended"
        }
        if entry.isRetriedByReport {
            return later.run.start < end + leastDelay
                ? "\(who) settled it as a retry, and \(other) had it before that was due" : nil
        }
        if entry.isHandedBack { return nil }
        return "\(who) reported it as settled for good, and then \(other) ran it"
    }

    private mutating func explainRuns(of history: MessageHistory, _ copies: CopyCount, _ outages: [Outage]) {
        for (previous, entry) in zip(history.entries, history.entries.dropFirst()) where !previous.isRetriedByReport {
            let cause = Self.cause(previous, outages, mayBeCopied: copies.most(by: entry.run.start) > 1)
            extraRuns[cause, default: 0] += 1
        }
    }

    /// Why a message ran again although nobody had asked for it.
    private static func cause(_ entry: MessageHistory.Entry, _ outages: [Outage], mayBeCopied: Bool) -> String {
        let outage = outages.filter { $0.touches(entry.run.start, entry.over) }
        switch entry.record?.status {
        case .signalled(9)?: return "worker killed"
        case .exited(143)?: return "released"
        case .exited(75)?: return "handed back"
        case .exited(76)?:
            if entry.faults.contains(where: \.pausesWorker) { return "worker paused" }
            let ofServer: [FaultKind] = [.serverKilled, .serverPaused, .throttled]
            return ofServer.first { kind in outage.contains { $0.kind == kind } }?.words ?? "connection lost"
        case .exited(0)?, .exited(65)?:
            guard mayBeCopied else { return "unexplained" }
            return outage.contains { $0.kind == .serverKilled } ? "server killed" : "published twice"
        default: return "unexplained"
        }
    }

    /// A FIFO queue gives out a group's messages one after the other, each when the one before is settled.
    private mutating func findDisorder() {
        for messages in Dictionary(grouping: histories.values, by: { $0.message % SQSSoak.groups }).values {
            let ends = messages.flatMap { history in
                history.entries.filter { $0.isSettledByReport && $0.record?.exitCode != 75 }
                    .map { (message: history.message, start: $0.run.start, worker: $0.run.worker) }
            }.sorted { $0.start < $1.start }
            for (former, latter) in zip(ends, ends.dropFirst()) where former.message > latter.message {
                odd.append(
                    Violation(
                        message: latter.message,
                        what: "was settled after message \(former.message) of its group, which came later",
                        workers: [former.worker, latter.worker]))
            }
        }
    }

    // MARK: What else

    private static let expectedCodes: Set<Int32> = [0, 65, 69, 75, 76, 143]

    private mutating func findOddities(_ evidence: SoakEvidence) {
        for record in evidence.records {
            switch record.status {
            case .exited(let code)? where Self.expectedCodes.contains(code): continue
            case .signalled(9)? where evidence.killed.contains(record.worker): continue
            // Before it could even say how it wants to be told; nothing was claimed by then.
            case .signalled(15)? where evidence.ledger.run(of: record.worker) == nil: continue
            case let status?:
                odd.append(
                    Violation(
                        message: evidence.ledger.run(of: record.worker)?.message,
                        what: "worker \(record.worker) \(status)", workers: [record.worker]))
            case nil:
                odd.append(
                    Violation(message: nil, what: "worker \(record.worker) did not end", workers: [record.worker]))
            }
        }
        for number in evidence.ledger.damaged {
            odd.append(Violation(message: number, what: "its body came with the wrong size"))
        }
        odd += evidence.ledger.oddities.map { Violation(message: nil, what: "a line in the ledger: \($0)") }
        odd += evidence.content.leftovers.map { Violation(message: nil, what: "left in the queue: \($0)") }
        odd += evidence.leftBehind.map {
            Violation(message: nil, what: "worker \($0) left a process behind", workers: [$0])
        }
    }
}
