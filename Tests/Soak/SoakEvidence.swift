/// Everything that was seen of one queue's soak.
struct SoakEvidence: Sendable {
    let queue: QueueKind
    let messages: [SoakMessage]
    let ledger: SoakLedger
    let records: [WorkerRecord]
    /// The injector's and the tasks' own.
    let workerFaults: [FaultInjector.WorkerFault]
    let outages: [Outage]
    let content: SoakContent
    /// Workers of which a process was still there although they had not been killed.
    let leftBehind: [Int]

    var killed: Set<Int> {
        Set(workerFaults.filter { $0.kind.killsWorker }.map(\.worker))
    }

    func histories() -> [Int: MessageHistory] {
        let recordByWorker = Dictionary(records.map { ($0.worker, $0) }, uniquingKeysWith: { first, _ in first })
        let faultsByWorker = Dictionary(grouping: workerFaults, by: \.worker).mapValues { $0.map(\.kind) }
        let entries = ledger.runs.map { run in
            MessageHistory.Entry(
                run: run, record: recordByWorker[run.worker], faults: faultsByWorker[run.worker] ?? [])
        }
        let seen = Set(ledger.runs.map(\.worker))
        let others = Dictionary(grouping: records.filter { !seen.contains($0.worker) }) { $0.report?.messageId }
        return Dictionary(
            uniqueKeysWithValues: Dictionary(grouping: entries, by: \.run.message).map { message, entries in
                let ids = Set(entries.compactMap { $0.record?.report?.messageId })
                return (message, MessageHistory(message, entries, others: ids.flatMap { others[$0] ?? [] }))
            })
    }
}
