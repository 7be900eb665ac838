import SemelKEDA

/// What the workers' ends say.
struct ScaleEnds: Sendable {
    private(set) var outcomes: [String: Int] = [:]
    private(set) var idleJobs = 0
    /// Of unfinished Jobs, by their names.
    private var byJob: [String: [String]] = [:]

    mutating func note(_ pod: PodRunner) {
        let outcome = pod.lastWords?.outcome ?? "unknown"
        outcomes[outcome, default: 0] += 1
        byJob[pod.jobName, default: []].append(outcome)
    }

    mutating func forget(_ job: String) { byJob[job] = nil }

    mutating func finished(_ job: String, _ verdict: DeskJob.Verdict) {
        let outcomes = byJob.removeValue(forKey: job) ?? []
        if verdict == .complete, !outcomes.isEmpty, outcomes.allSatisfy({ $0 == "idle" }) { idleJobs += 1 }
    }
}
