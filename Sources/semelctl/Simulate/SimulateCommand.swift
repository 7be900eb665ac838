import ArgumentParser
import Foundation
import Semel
import SemelKEDA

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Says how many Jobs a ScaledJob would make of a load, and what every strategy would.",
        discussion: """
            No cluster, no queue, no waiting: time is simulated, and KEDA's decision is made at every poll. The same flags \
            have the same result. Times are 500ms, 10s, 1.5m or 2h. Those of --task, --pod-pending and --claim-after may \
            be random: uniform:30s..90s, exp:60s (the mean) or lognormal:60s,0.5 (the median and the spread).

            Without flags, the worker is as the file says (SEMEL_WAIT, SEMEL_LINGER, SEMEL_LEASE, SEMEL_MAX_ATTEMPTS, \
            SEMEL_DELIVERY), else as semel is.
            """)

    @OptionGroup var manifest: ManifestOption
    @OptionGroup var arriving: ArrivalFlags
    @OptionGroup var pods: PodFlags
    @OptionGroup var keda: KEDAVersionOption

    @Option(help: "Another seed makes other random times.")
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Draws the file's own strategy over time, as SVG.", valueName: "path"))
    var plot: String?

    @Flag(help: "Prints a JSON object.")
    var json = false

    func run() async throws {
        let version = try keda.parsed()
        let arrivals = try arriving.schedule(seed: seed)
        let (job, manifest) = try manifest.read()
        var notes: [String] = []
        var input: SimulationInput
        do throws(SimulationRefusal) {
            input = try SimulationInput(job, of: manifest, arrivals: arrivals, version: version, notes: &notes)
        } catch {
            throw CommandFailure(error.description, .misconfigured)
        }
        input.worker = try WorkerInFile(job, manifest).worker()
        input.seed = seed
        try pods.apply(to: &input)
        for note in notes { StandardError.write("semelctl: \(note)\n") }
        let outcomes = StrategyVariant.all(of: input).map { (variant: $0, result: $0.input.run()) }
        if let plot, let own = outcomes.first { try draw(own.result, job.name, at: plot) }
        let report = SimulationReport(job: job, input: input, outcomes: outcomes)
        try StandardOutput.write(json ? SimulationJSON(report).line() : SimulationText(report).page())
    }

    private func draw(_ result: SimulationResult, _ name: String, at path: String) throws(CommandFailure) {
        let svg = TimelinePlot(title: name, timeline: result.timeline).svg()
        do { try Data(svg.utf8).write(to: URL(fileURLWithPath: path)) } catch {
            throw CommandFailure("--plot: \(path): cannot be written", .misconfigured)
        }
    }
}

/// What a report is made of. The first outcome is that of the ScaledJob as it is.
struct SimulationReport {
    let job: ScaledJob
    let input: SimulationInput
    let outcomes: [(variant: StrategyVariant, result: SimulationResult)]
}
