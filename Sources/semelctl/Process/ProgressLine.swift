import Glibc

/// What can be told of a run while it goes on.
protocol ProgressReport: Sendable {
    /// From 0 to 1; `nil` when nobody knows how much there is.
    var fraction: Double? { get }
    /// What is done so far, on one line.
    var summary: String { get }
}

/// A line on the terminal that shows how far the run is; none for a short run, or when nobody looks.
struct ProgressLine: Sendable {
    private static let delay = Duration.milliseconds(500)
    private static let pause = Duration.milliseconds(100)
    private static let barWidth = 24

    private let drawing: Task<Bool, Never>?

    init(_ report: any ProgressReport) {
        let terminal = getenv("TERM").map { String(cString: $0) } ?? "dumb"
        guard StandardError.isTerminal, terminal != "dumb" else {
            drawing = nil
            return
        }
        drawing = Task { await Self.draw(report) }
    }

    /// Ends the drawing and clears the line for what comes next.
    func remove() async {
        guard let drawing else { return }
        drawing.cancel()
        if await drawing.value { StandardError.write("\r\u{1B}[K") }
    }

    /// Until it is cancelled. Returns whether there is something on the screen.
    private static func draw(_ report: any ProgressReport) async -> Bool {
        var drawn = false
        var pause = delay
        while (try? await Task.sleep(for: pause)) != nil {
            StandardError.write("\r\(bar(report.fraction))\(report.summary)\u{1B}[K")
            drawn = true
            pause = Self.pause
        }
        return drawn
    }

    private static func bar(_ fraction: Double?) -> String {
        guard let fraction else { return "" }
        let done = Int(fraction * Double(barWidth))
        let percent = String(Int(fraction * 100))
        return "[" + String(repeating: "#", count: done) + String(repeating: ".", count: barWidth - done) + "] "
            + String(repeating: " ", count: 3 - percent.count) + percent + "%  "
    }
}
