import Foundation
import TestSupport

/// A guard against getting slower that is no clock: how many instructions a spool run takes in the worker's own process.
///
/// Threads that wait for each other take some more or less from run to run, by 1 or 2 in a hundred; hence the median of
/// several and the tolerance.
struct Instructions {
    let bench: Bench

    private static let tolerance = 0.05
    private static let runs = 5
    static let file = "Benchmarks/instructions.txt"

    enum Verdict {
        case same
        /// To be accepted by writing the new figure, or to be repaired.
        case more(String)
        case fewer(String)
    }

    func section() async throws -> (Section, Verdict) {
        let counts = try await (0..<Self.runs).asyncMap { try await count($0) }
        let median = Samples(values: counts.map(Double.init)).median
        let text = try String(contentsOfFile: Self.file, encoding: .utf8)
        guard let committed = text.split(separator: "\n").last.flatMap({ Double($0) }), committed > 0 else {
            throw BenchFailure("the last line of \(Self.file) is no number")
        }
        var section = Section(title: "Instructions of a spool run (callgrind)")
        let lowest = counts.min() ?? 0
        let highest = counts.max() ?? 0
        section.rows = [
            Row(
                "spool, 100 B, `true` as the task", median, .count, against: ("the committed figure", committed),
                limit: committed * (1 + Self.tolerance))
        ]
        section.notes = ["\(Self.runs) runs: \(lowest) to \(highest)."]
        let change = String(format: "%+.1f %%", (median / committed - 1) * 100)
        let accept = "echo \(Int(median)) > \(Self.file)"
        if median > committed * (1 + Self.tolerance) {
            return (section, .more("a spool run takes \(change) instructions; if that is worth it: \(accept)"))
        }
        if median < committed * (1 - Self.tolerance) {
            return (section, .fewer("a spool run takes \(change) instructions; make it the new measure: \(accept)"))
        }
        return (section, .same)
    }

    /// Of the worker alone, not of its task.
    private func count(_ run: Int) async throws -> Int {
        let spool = try Spool(in: bench.memory, "instructions.\(run)", messages: 1)
        let log = bench.memory.path("callgrind.\(run)")
        let valgrind = try Executable.installed("valgrind")
        let finished = try await TestSupport.run(
            valgrind,
            ["--tool=callgrind", "--callgrind-out-file=\(log)"]
                + bench.oneOfManyWorkers(spool.url, task: ["/bin/true"]), timeout: .seconds(120))
        guard finished.status == .exited(0) else {
            throw BenchFailure("valgrind \(finished.status): \(finished.stderrText)")
        }
        let profile = try String(contentsOfFile: log, encoding: .utf8)
        guard
            let line = profile.split(separator: "\n").last(where: {
                $0.hasPrefix("totals:") || $0.hasPrefix("summary:")
            }),
            let count = line.split(separator: " ").last.flatMap({ Int($0) })
        else {
            throw BenchFailure("no total in callgrind's profile")
        }
        return count
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
