import Semel

struct OverviewView {
    struct Queue {
        let slug: String
        let name: String
        let hasCounts: Bool
        let isLoading: Bool
        let isStale: Bool
        let problem: String?
        let warning: String?
        let time: String
        let ready: String
        let claimed: String
        let delayed: String
        let dead: String
        let oldest: String?
        let chart: String
        let caption: String

        init(_ queue: ConsoleQueue, _ reading: QueueReading?, _ history: [QueueSample]) {
            (slug, name) = (queue.slug, queue.name)
            let counts = reading?.counts
            hasCounts = counts != nil
            problem = reading?.presentProblem
            isLoading = counts == nil && problem == nil
            isStale = problem != nil
            warning = counts?.warning
            time = reading?.time.map(MomentText.of) ?? ""
            func text(_ number: Int?) -> String { number.map { "\($0)" } ?? "–" }
            (ready, claimed) = (text(counts?.ready), text(counts?.claimed))
            (delayed, dead) = (text(counts?.delayed), text(counts?.dead))
            oldest = counts?.oldestSeconds.map { HumanText.age($0) }
            let chart = QueueChart(history)
            (self.chart, caption) = (chart.svg, chart.caption)
        }
    }

    struct Cluster {
        let problem: String?
        /// When it could be read last.
        let since: String?
        let isLoading: Bool
        let jobs: JobCounts?
    }

    struct Workers {
        struct State {
            let label: String
            let count: Int
        }

        let states: [State]
    }

    let queues: [Queue]
    let cluster: Cluster?
    let workers: Workers?

    /// - Parameters:
    ///   - source: Where the workers are.
    init(
        _ queues: [(queue: ConsoleQueue, reading: QueueReading?, history: [QueueSample])], _ source: WorkerSource,
        _ workers: WorkersReading?
    ) {
        self.queues = queues.map { Queue($0.0, $0.1, $0.2) }
        if case .kubernetes = source {
            cluster = Cluster(
                problem: workers?.problem, since: workers?.time.map(MomentText.of), isLoading: workers == nil,
                jobs: workers?.allJobs)
        } else {
            cluster = nil
        }
        if case .none = source {
            self.workers = nil
        } else {
            let counts = Dictionary(grouping: workers?.workers ?? [], by: \.state).mapValues(\.count)
            self.workers = Workers(
                states: WorkerStateWord.all.compactMap { word in
                    counts[word.state].map { .init(label: word.label, count: $0) }
                })
        }
    }
}

/// A worker's state in words for people.
struct WorkerStateWord {
    let state: String
    let label: String
    /// Of the style sheet.
    let cssClass: String

    static let all = [
        WorkerStateWord(state: "ING", label: "running", cssClass: "running"),
        WorkerStateWord(state: "IDLE", label: "idle", cssClass: "idle"),
        WorkerStateWord(state: "PENDING", label: "pending", cssClass: "pending"),
        WorkerStateWord(state: "COMPLETED", label: "completed", cssClass: "running"),
        WorkerStateWord(state: "FAILED", label: "failed", cssClass: "failed"),
        WorkerStateWord(state: "SILENT", label: "silent", cssClass: "silent"),
    ]

    static func of(_ state: String) -> WorkerStateWord {
        all.first { $0.state == state } ?? WorkerStateWord(state: state, label: state, cssClass: "idle")
    }
}

enum MomentText {
    /// `2026-11-21 14:20:08Z`: a day on which something went wrong has to be there, thousandths need not.
    static func of(_ time: Timestamp) -> String { of(time.rfc3339) }

    /// - Parameter rfc3339: Anything else stays as it is.
    static func of(_ rfc3339: String) -> String {
        guard rfc3339.utf8.count >= 20, rfc3339.hasSuffix("Z"), rfc3339.contains("T") else { return rfc3339 }
        let seconds = rfc3339.split(separator: ".", maxSplits: 1)[0].replacing("T", with: " ")
        return seconds.hasSuffix("Z") ? String(seconds) : seconds + "Z"
    }
}
