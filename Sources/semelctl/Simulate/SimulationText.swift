import Foundation
import Semel
import SemelKEDA

/// A report for people: what the ScaledJob does, and a table of what each strategy would have done.
struct SimulationText {
    private let report: SimulationReport

    init(_ report: SimulationReport) {
        self.report = report
    }

    func page() -> String {
        guard let own = report.outcomes.first?.result else { return "" }
        return ([heading] + facts(own).map { "  \(Self.padded($0.name, 15))\($0.text)" } + ["", table])
            .joined(separator: "\n") + "\n"
    }

    private var heading: String {
        let input = report.input
        let limits = input.rules.limits
        return "ScaledJob ‘\(report.job.name)’ (\(report.job.position)), KEDA \(input.rules.version): "
            + "\(HumanText.messages(input.arrivals.messageCount)), "
            + "a poll every \(Self.time(input.pollingInterval)), at most \(limits.total) Jobs\n"
    }

    private func facts(_ own: SimulationResult) -> [(name: String, text: String)] {
        let settled = own.settlements
        var messages = "\(settled.done) done"
        if settled.deadLettered > 0 { messages += ", \(settled.deadLettered) dead-lettered" }
        if settled.lost > 0 { messages += ", \(settled.lost) lost" }
        if own.left > 0 { messages += ", \(own.left) left: no Job comes for them" }
        var jobs = "\(own.jobsCreated) created, \(own.idleJobs) of them idle"
        if own.failedJobs > 0 { jobs += ", \(own.failedJobs) failed" }
        jobs += "; \(own.peakJobs) at a time"
        let waiting = own.waiting
        var facts = [
            ("messages", messages), ("Jobs", jobs),
            (
                "waiting",
                "half up to \(Self.time(waiting.p50)), 90 % up to \(Self.time(waiting.p90)), "
                    + "99 % up to \(Self.time(waiting.p99)), longest \(Self.time(waiting.longest))"
            ),
            ("drained", own.drainedAt.map { "after \(Self.time($0))" } ?? "never"),
            ("pod-hours", "\(Self.hours(own.podTime)), \(Self.hours(own.taskTime)) of them with a task"),
            (
                "kept",
                "\(own.keptJobs.successful) succeeded and \(own.keptJobs.failed) failed Jobs, by the history limits"
            ),
        ]
        if own.crashes + own.evictions > 0 {
            facts.append(("trouble", "\(own.crashes) crashes, \(own.evictions) evictions, \(own.podCount) pods in all"))
        }
        return facts
    }

    private var table: String {
        let headings = [
            "STRATEGY", "JOBS", "IDLE", "PEAK", "WAIT P50", "P90", "P99", "LONGEST", "DRAINED", "POD-HOURS", "LEFT",
        ]
        let rows = report.outcomes.map { outcome in
            let result = outcome.result
            return [
                outcome.variant.name + (outcome.variant.isOwn ? " *" : ""), "\(result.jobsCreated)",
                "\(result.idleJobs)", "\(result.peakJobs)", Self.time(result.waiting.p50),
                Self.time(result.waiting.p90), Self.time(result.waiting.p99), Self.time(result.waiting.longest),
                result.drainedAt.map { Self.time($0) } ?? "never", Self.hours(result.podTime), "\(result.left)",
            ]
        }
        let lines = [headings] + rows
        let widths = headings.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { cells in
            cells.indices.map { column in
                column == 0
                    ? Self.padded(cells[column], widths[column])
                    : String(repeating: " ", count: 2 + widths[column] - cells[column].count) + cells[column]
            }.joined()
        }.joined(separator: "\n") + "\n* what the file says"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// `8s`, `1m 12s`, `2h 5m`
    private static func time(_ milliseconds: Int) -> String {
        milliseconds < 10_000 && milliseconds % 1_000 != 0
            ? Units.text(.milliseconds(milliseconds / 100 * 100)) : HumanText.age(Double(milliseconds) / 1_000)
    }

    private static func hours(_ milliseconds: Int) -> String {
        String(format: "%.2f", Double(milliseconds) / 3_600_000)
    }
}
