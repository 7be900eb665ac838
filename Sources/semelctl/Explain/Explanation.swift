import SemelKEDA

/// A decision, and what it was made of.
struct Explanation {
    let job: ScaledJob
    let decision: ScalingDecision
    let triggers: [ExplainedTrigger]
    /// None of them is an error.
    let findings: [Finding]

    /// How many Jobs are created in this poll: none while the ScaledJob is paused, whatever the decision would be.
    var create: Int64 { job.isPaused ? 0 : decision.create }

    /// Whether this trigger's numbers are in the combination.
    func isTaken(_ trigger: ExplainedTrigger) -> Bool {
        let metrics = triggers.filter { !$0.hasFailed }
        return decision.combination.taken.contains { metrics[$0].index == trigger.index }
    }
}

struct ExplainedTrigger {
    let index: Int
    let type: String
    let name: String?
    let state: State

    enum State {
        /// KEDA leaves it out.
        case failed
        /// - isHeldInactive: By `--inactive`.
        /// - isRead: From the real queue.
        case read(ResolvedTrigger, value: Double, isActive: Bool, isHeldInactive: Bool, isRead: Bool)
    }

    var hasFailed: Bool {
        if case .failed = state { true } else { false }
    }

    func metric(_ rules: ScalingRules) -> TriggerMetric? {
        guard case .read(let trigger, let value, let isActive, _, _) = state else { return nil }
        return rules.metric(value: value, target: trigger.target, isActive: isActive)
    }
}
