import Foundation
import TestSupport

// Measures the built worker against other programs, in pairs. See BenchSettings for what can be chosen; 1 when a spool
// run takes more instructions than it may, 2 when something could not be measured. No time that was measured is ever
// a reason to fail: the tables say which budgets are missed.

/// Not `print`, which keeps what it is told until the end where the output is no terminal.
func tell(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
}

func measure(_ settings: BenchSettings) async throws -> Int32 {
    let bench = try await Bench(settings)
    var sections: [Section] = []
    var verdict = Instructions.Verdict.same
    for group in settings.groups {
        let section: Section
        switch group {
        case .message: section = try await OneMessage(bench: bench).section()
        case .latency: section = try await Latency(bench: bench).section()
        case .footprint: section = try await Footprint(bench: bench).section()
        case .output: section = try await Output(bench: bench).section()
        case .claim: section = try await ClaimCost(bench: bench).section()
        case .drain: section = try await Drain(bench: bench).section()
        case .console: section = try await ConsolePages(bench: bench).section()
        case .size: section = try Sizes(bench: bench).section()
        case .instructions: (section, verdict) = try await Instructions(bench: bench).section()
        }
        tell(Results.plain(section))
        sections.append(section)
    }
    let machine = try await Machine(bench)
    tell("\n" + machine.lines.joined(separator: "\n"))
    if settings.isWhole {
        // The first is of one message, the third of memory.
        let charts = [Chart.oneMessage(sections[0]), Chart.memory(sections[2])]
        try Chart.svg(charts).write(toFile: "Benchmarks/results.svg", atomically: true, encoding: .utf8)
        try Results(machine: machine, sections: sections).markdown
            .write(toFile: "Benchmarks/RESULTS.md", atomically: true, encoding: .utf8)
        tell("\nwritten: Benchmarks/RESULTS.md, Benchmarks/results.svg")
    } else {
        tell("\nnothing is written: only some of the groups were measured")
    }
    switch verdict {
    case .same: return 0
    case .fewer(let text):
        tell(text)
        return 0
    case .more(let text):
        tell(text)
        return 1
    }
}

func bench() async -> Int32 {
    do {
        return try await measure(BenchSettings(ProcessInfo.processInfo.environment))
    } catch {
        FileHandle.standardError.write(Data("semel-bench: \(error)\n".utf8))
        return 2
    }
}

exit(await bench())
