import Glibc

/// Writes `0.42 config/app.yaml` lines for the worker that runs this task, at most ten a second.
///
/// Progress is a courtesy: whatever goes wrong with it, the scan goes on. A line is left out rather than waited for
/// when nobody empties the pipe. SIGPIPE has to be ignored by the process.
struct ProgressReporter {
    private static let interval = Duration.milliseconds(100)
    /// Keeps a line within what a pipe takes in one piece.
    private static let longestNote = 500

    private var descriptor: Int32?
    private var lastReport: ContinuousClock.Instant?

    /// - Parameter variable: the value of `SEMEL_PROGRESS_FD`. Standard input and output are not taken, since
    ///   the report itself goes there.
    init(variable: String?) {
        descriptor = variable.flatMap { Int32($0) }.flatMap { $0 >= STDERR_FILENO ? $0 : nil }
    }

    /// - Parameters:
    ///   - fraction: from 0 to 1.
    ///   - note: is computed only if a line is due.
    mutating func report(_ fraction: @autoclosure () -> Double, _ note: @autoclosure () -> String) {
        guard descriptor != nil else { return }
        let now = ContinuousClock.now
        if let lastReport, now - lastReport < Self.interval { return }
        lastReport = now
        // 1 is for the end, and the end has a line of its own.
        let hundredths = Int(min(max(fraction(), 0), 0.99) * 100)
        write("0.\(hundredths < 10 ? "0" : "")\(hundredths) \(note().prefix(Self.longestNote))\n", waiting: 0)
    }

    /// The last line; worth a moment's wait.
    mutating func finish() {
        write("1 done\n", waiting: 500)
        descriptor = nil
    }

    private mutating func write(_ line: String, waiting milliseconds: Int32) {
        guard let descriptor else { return }
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        let answer = poll(&request, 1, milliseconds)
        guard answer > 0 else { return }
        let bytes = Array(line.utf8)
        if request.revents & Int16(POLLOUT) == 0 || Glibc.write(descriptor, bytes, bytes.count) < 0 {
            self.descriptor = nil
        }
    }
}
