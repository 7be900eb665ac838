import Semel
import SemelConsole
import SemelKEDA

/// What KEDA would do for the ScaledJobs of some files. They are read once: what is in the cluster is another matter.
struct ScaledJobDecisions: DecisionSource {
    private let manifest: Manifest
    private let jobs: [ScaledJob]
    private let version: KEDAVersion

    init(_ files: [String], _ version: KEDAVersion) throws(CommandFailure) {
        manifest = try ManifestFiles.read(files)
        // Written twice, it is applied twice: the last one stays.
        var last: [String: ScaledJob] = [:]
        for job in manifest.scaledJobs { last[job.name] = job }
        jobs = last.values.sorted { $0.name < $1.name }
        self.version = version
        guard !jobs.isEmpty else {
            throw CommandFailure(
                "-f: no ScaledJob (apiVersion keda.sh/v1alpha1) in \(files.joined(separator: ", "))", .misconfigured)
        }
        for job in jobs {
            if let error = manifest.findings(for: job).first(where: \.isError) {
                throw CommandFailure(error.description, .misconfigured)
            }
        }
    }

    func decisions(jobs counts: [String: (running: Int, pending: Int)]?) async -> [DecisionDocument] {
        var documents: [DecisionDocument] = []
        for job in jobs { documents.append(await decision(job, counts)) }
        return documents
    }

    private func decision(_ job: ScaledJob, _ counts: [String: (running: Int, pending: Int)]?) async -> DecisionDocument
    {
        var problems: [String] = []
        if counts == nil { problems.append("Nobody knows how many Jobs there are: reckoned with none.") }
        let (running, pending) = counts?[job.name] ?? (0, 0)
        var triggers: [ExplainedTrigger] = []
        for (trigger, reading) in zip(job.triggers, await readings(of: job)) {
            do throws(CommandFailure) {
                triggers.append(try reading.get())
            } catch {
                problems.append(error.description)
                triggers.append(ExplainedTrigger(failed: trigger))
            }
        }
        let rules = job.rules(version)
        let decision = rules.decide(
            triggers.compactMap { $0.metric(rules) }, running: Int64(running), pending: Int64(pending))
        let explanation = Explanation(
            job: job, decision: decision, triggers: triggers, findings: manifest.findings(for: job))
        return DecisionDocument(
            scaledJob: job.name, create: explanation.create, running: running, pending: pending,
            explanation: ExplanationJSON(explanation), problems: problems, text: ExplanationText(explanation).page())
    }

    /// At the same time: one broker that does not answer is waited for long enough.
    private func readings(of job: ScaledJob) async -> [Result<ExplainedTrigger, CommandFailure>] {
        await withTaskGroup(of: (Int, Result<ExplainedTrigger, CommandFailure>).self) { group in
            for (index, trigger) in job.triggers.enumerated() {
                group.addTask {
                    do throws(CommandFailure) {
                        return (index, .success(try await ExplainedTrigger(reading: trigger, of: job, in: manifest)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }.sorted { $0.key < $1.key }.map(\.value)
        }
    }
}
