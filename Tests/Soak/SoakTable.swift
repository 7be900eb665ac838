import Foundation
import TestSupport

/// The table of one queue, and the stories of what went wrong.
struct SoakTable {
    let evidence: SoakEvidence
    let verdict: SoakVerdict
    let seed: UInt64
    let elapsed: Duration

    private static let mostStories = 5

    var text: String {
        let faults = FaultKind.allCases.compactMap { kind in verdict.faults[kind].map { (kind.rawValue, $0) } }
        let extra = verdict.extraRuns.sorted { $0.value > $1.value }.map { ($0.key, $0.value) }
        let idle = evidence.records.count { $0.report?.outcome == "idle" }
        let rows: [(String, Int, [(String, Int)])] = [
            (
                "messages", evidence.messages.count,
                [("of them to be rejected", evidence.messages.count { $0.fate == .reject })]
            ),
            ("workers", evidence.records.count, [("idle", idle)]),
            ("runs", evidence.ledger.runs.count, []),
            ("faults", faults.reduce(0) { $0 + $1.1 }, faults),
            ("completed", verdict.completed, []),
            ("retried", verdict.retried, []),
            (
                "dead", verdict.rejected + verdict.usedUp,
                [("rejected", verdict.rejected), ("attempts used up", verdict.usedUp)]
            ),
            ("lost", verdict.lost.count, []),
            ("settled by a stale claim", verdict.stale.count, []),
            ("other mistakes", verdict.odd.count, []),
            ("extra runs", extra.reduce(0) { $0 + $1.1 }, extra),
        ]
        let width = rows.map(\.0.count).max() ?? 0
        let lines = rows.map { name, count, details in
            let number = String(count)
            let padding = String(repeating: " ", count: width - name.count + max(0, 7 - number.count))
            let detail = details.map { "\($0) \($1)" }.joined(separator: ", ")
            return "  \(name)\(padding)\(number)" + (detail.isEmpty ? "" : "   \(detail)")
        }
        let seconds = elapsed.components.seconds
        return "\(evidence.queue.rawValue): \(seconds) s, seed \(seed)\n" + lines.joined(separator: "\n")
    }

    /// Of the first few violations: the lines of the ledger, the faults and the logs of the workers that took part.
    func stories(logFile: (Int) -> String) -> String {
        let violations = verdict.lost + verdict.stale + verdict.odd
        return violations.prefix(Self.mostStories).map { story($0, logFile) }.joined(separator: "\n")
    }

    private func story(_ violation: SoakVerdict.Violation, _ logFile: (Int) -> String) -> String {
        let history = violation.message.flatMap { verdict.histories[$0] }
        let runs = history?.entries ?? []
        let workers = Set(runs.map(\.run.worker)).union(violation.workers).sorted()
        var lines = ["--- \(violation.message.map { "message \($0): " } ?? "")\(violation.what)"]
        let numbers = Set(workers.map(String.init))
        lines += evidence.ledger.lines.filter { line in
            let words = line.split(separator: " ").map(String.init)
            return words.count > 3 && numbers.contains(words[0] == "fault" ? words[4] : words[3])
        }
        lines += evidence.outages.filter { outage in runs.contains { outage.touches($0.run.start, $0.over) } }
            .map { "outage \($0.kind.rawValue) from \($0.from) to \($0.to)" }
        for worker in workers {
            let record = evidence.records.first { $0.worker == worker }
            let faults = evidence.workerFaults.filter { $0.worker == worker }.map {
                "\($0.kind.rawValue) at \($0.time)"
            }
            lines.append(
                "worker \(worker) from \(record?.start ?? 0) to \(record?.end ?? 0): "
                    + (record?.status.map { "\($0)" } ?? "unknown")
                    + (faults.isEmpty ? "" : "; \(faults.joined(separator: ", "))"))
            let log = (try? String(contentsOfFile: logFile(worker), encoding: .utf8)) ?? ""
            lines += log.split(separator: "\n").suffix(20).map { "    \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
