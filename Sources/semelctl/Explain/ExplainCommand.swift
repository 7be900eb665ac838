import ArgumentParser
import Semel
import SemelKEDA

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Says how many Jobs KEDA makes of a ScaledJob in one poll, and why.",
        discussion: """
            The decision is KEDA's own, step by step, for a version from 2.15 to 2.20. What a trigger reads is given with \
            --metric, or read from the real queue: rabbitmq over AMQP or HTTP, and redis (no cluster or sentinel). \
            Triggers are numbered from 0, as they are written.

            Nothing in a cluster is looked at: how many Jobs there are is given with --running and --pending.
            """)

    @OptionGroup var manifest: ManifestOption

    @Option(
        name: .customLong("metric"),
        help: ArgumentHelp(
            "What a trigger reads, instead of asking. May be given many times.", valueName: "index=value"))
    var metrics: [String] = []

    @Option(
        help: ArgumentHelp(
            "A trigger that does not count, whatever it reads. May be given many times.", valueName: "index"))
    var inactive: [Int] = []

    @Option(
        help: ArgumentHelp("A trigger that fails: KEDA leaves it out. May be given many times.", valueName: "index"))
    var failed: [Int] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many unfinished Jobs there are, pending ones included.", valueName: "count"))
    var running = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many of them are pending.", valueName: "count"))
    var pending = 0

    @OptionGroup var keda: KEDAVersionOption

    @Flag(help: "Prints a JSON object.")
    var json = false

    func run() async throws {
        let version = try keda.parsed()
        // More pending than there are is possible: KEDA counts them one after the other.
        for (flag, count) in [("--running", running), ("--pending", pending)] {
            guard count >= 0 else { throw CommandFailure.usage("\(flag): \(count) is less than 0") }
            guard count <= Int(Int32.max) else { throw CommandFailure.usage("\(flag): \(count) is above \(Int32.max)") }
        }
        let (job, manifest) = try manifest.read()
        let given = try GivenMetrics(
            metrics: metrics, inactive: inactive, failed: failed, triggerCount: job.triggers.count)
        let rules = job.rules(version)
        var triggers: [ExplainedTrigger] = []
        for trigger in job.triggers { triggers.append(try await explain(trigger, of: job, in: manifest, given)) }
        let decision = rules.decide(
            triggers.compactMap { $0.metric(rules) }, running: Int64(running), pending: Int64(pending))
        let explanation = Explanation(
            job: job, decision: decision, triggers: triggers, findings: manifest.findings(for: job))
        try StandardOutput.write(json ? ExplanationJSON(explanation).line() : ExplanationText(explanation).page())
    }

    private func explain(
        _ trigger: ScaledJob.Trigger, of job: ScaledJob, in manifest: Manifest, _ given: GivenMetrics
    ) async throws(CommandFailure) -> ExplainedTrigger {
        if given.failed.contains(trigger.index) {
            return ExplainedTrigger(failed: trigger)
        }
        let isHeldInactive = given.inactive.contains(trigger.index)
        guard given.values[trigger.index] != nil || isHeldInactive else {
            return try await ExplainedTrigger(reading: trigger, of: job, in: manifest)
        }
        let resolved = try manifest.resolved(trigger, of: job)
        let value = given.values[trigger.index] ?? 0
        return ExplainedTrigger(
            trigger,
            .read(
                resolved, value: value, isActive: resolved.isActive(at: value) && !isHeldInactive,
                isHeldInactive: isHeldInactive, isRead: false))
    }
}

extension ExplainedTrigger {
    /// Asks the real queue.
    init(reading trigger: ScaledJob.Trigger, of job: ScaledJob, in manifest: Manifest) async throws(CommandFailure) {
        let resolved = try manifest.resolved(trigger, of: job)
        let reading = try await TriggerReader.read(resolved)
        self.init(
            trigger,
            .read(
                resolved, value: reading.value, isActive: reading.isActive, isHeldInactive: false, isRead: true))
    }

    /// A trigger that fails need not be one that can be understood.
    init(failed trigger: ScaledJob.Trigger) {
        self.init(trigger, .failed)
    }

    fileprivate init(_ trigger: ScaledJob.Trigger, _ state: State) {
        self.init(index: trigger.index, type: trigger.type?.value ?? "", name: trigger.name?.value, state: state)
    }
}

extension Manifest {
    fileprivate func resolved(_ trigger: ScaledJob.Trigger, of job: ScaledJob) throws(CommandFailure) -> ResolvedTrigger
    {
        do throws(TriggerError) { return try resolve(trigger, of: job) } catch {
            throw CommandFailure(error.description, .misconfigured)
        }
    }
}
