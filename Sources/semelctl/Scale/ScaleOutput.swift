import Glibc
import Semel
import SemelKEDA

/// Shows a run: a table on a terminal, else a line for each event.
struct ScaleOutput: Sendable {
    private enum Kind {
        case lines, json, table
    }

    /// Rows of the table at most, and lines of events below it.
    private static let mostRows = 20
    private static let eventCount = 6
    /// The head, the line about further Jobs, and the empty one.
    private static let otherLines = 4
    private static let pause = Duration.milliseconds(100)

    private let kind: Kind
    private var recent: [String] = []
    private var lastPoll = ""
    private var drawnLines = 0
    private var drawnSize: (rows: Int, columns: Int)?
    /// Nobody reads any more: the Jobs go on without being shown.
    private var isClosed = false
    private var drawnAt = Duration.zero

    init(isJSON: Bool) {
        let terminal = getenv("TERM").map { String(cString: $0) } ?? "dumb"
        kind = isJSON ? .json : isatty(STDOUT_FILENO) == 1 && terminal != "dumb" ? .table : .lines
    }

    /// Whether there is something to draw when nothing happens: times go on.
    var isTable: Bool { kind == .table }

    mutating func tell(_ line: ScaleLine) throws(CommandFailure) {
        switch kind {
        case .json: try write(JSONText.of(line) + "\n")
        case .lines:
            if isNews(line) { try write(line.text + "\n") }
        case .table:
            guard isNews(line) else { return }
            recent = (recent + [line.text]).suffix(Self.eventCount)
        }
    }

    private mutating func write(_ text: String) throws(CommandFailure) {
        guard !isClosed else { return }
        isClosed = try !StandardOutput.writeIfRead(bytes: Array(text.utf8))
        if isClosed { StandardError.write("semelctl: nobody reads standard output any more; the Jobs go on\n") }
    }

    /// Polls that are like the one before and create nothing, and finished Jobs that go, are of no interest to people.
    private mutating func isNews(_ line: ScaleLine) -> Bool {
        if line.event == .jobDeleted, line.reason?.hasPrefix("beyond") ?? false { return false }
        guard line.event == .poll else { return true }
        let numbers = "\(line.queueLength ?? 0) \(line.running ?? 0) \(line.pending ?? 0) \(line.create ?? 0)"
        defer { lastPoll = numbers }
        return numbers != lastPoll || (line.create ?? 0) > 0
    }

    mutating func draw(_ desk: DeskScaledJob, _ now: Duration, isLast: Bool = false) throws(CommandFailure) {
        guard kind == .table, isLast || now - drawnAt >= Self.pause else { return }
        drawnAt = now
        let unfinished = desk.unfinished
        let tally = desk.tally
        var lines = [
            "ScaledJob \(desk.scaledJob.name), generation \(desk.generation), \(HumanText.age(now.seconds)): "
                + "\(unfinished.count) unfinished, \(tally.complete) complete, \(tally.failed) failed",
            Self.row("JOB", "POD", "STATE", "AGE"),
        ]
        let size = Self.size
        // What is above the screen cannot be written over, so all of it has to be on the screen.
        let rows = max(1, min(Self.mostRows, size.rows - 1 - Self.otherLines - recent.count))
        lines += unfinished.prefix(rows).map { job in
            let pod = job.pods.last
            return Self.row(
                job.name, pod?.name ?? "-", Self.state(pod), HumanText.age((now - job.created).seconds))
        }
        if unfinished.count > rows { lines.append("… and \(unfinished.count - rows) more") }
        lines = Array((lines + [""] + recent).prefix(max(1, size.rows - 1)))
        // Nobody knows where a terminal of another size has put the lines, so it begins with an empty one.
        let isSameSize = drawnSize.map { $0 == size } ?? true
        let begin = !isSameSize ? "\u{1B}[H\u{1B}[2J" : drawnLines == 0 ? "" : "\u{1B}[\(drawnLines)A"
        // A line that the terminal breaks would be counted once: they are cut instead.
        try write(begin + lines.map { "\($0.prefix(size.columns))\u{1B}[K\n" }.joined() + "\u{1B}[J")
        (drawnLines, drawnSize) = (lines.count, size)
    }

    mutating func end(_ summary: ScaleSummary) throws(CommandFailure) {
        try write(kind == .json ? JSONText.of(summary) + "\n" : summary.text)
    }

    private static func state(_ pod: DeskPod?) -> String {
        guard let pod else { return "waiting" }
        if pod.isStopping, !pod.hasEnded { return "stopping" }
        switch pod.state {
        case .starting: return "starting"
        case .running(_, let isReady): return isReady ? "ready" : "running"
        case .waiting: return "back-off"
        case .succeeded: return "succeeded"
        case .failed: return "failed"
        }
    }

    private static func row(_ cells: String...) -> String {
        zip(cells, [32, 34, 10, 0]).map { cell, width in
            cell + String(repeating: " ", count: max(1, width - cell.count))
        }.joined()
    }

    private static var size: (rows: Int, columns: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (24, 80)
        }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}
