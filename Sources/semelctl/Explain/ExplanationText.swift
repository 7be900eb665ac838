import Semel
import SemelKEDA

/// The decision for people: every formula in letters, and with the numbers put in.
struct ExplanationText {
    private let explanation: Explanation
    private let decision: ScalingDecision
    private let rules: ScalingRules

    init(_ explanation: Explanation) {
        self.explanation = explanation
        decision = explanation.decision
        rules = explanation.decision.rules
    }

    func page() -> String {
        let job = explanation.job
        var lines = ["ScaledJob ‘\(job.name)’ (\(job.position)), KEDA \(rules.version)".onOneLine]
        if job.isPaused {
            lines.append("It is paused (autoscaling.keda.sh/paused): KEDA does nothing until it is not. Without that:")
        }
        lines += [""] + triggers() + [""] + together() + [""] + jobs() + [""] + formula() + [""] + created()
        return lines.joined(separator: "\n") + "\n"
    }

    private func triggers() -> [String] {
        let heading = "Triggers: q is what a trigger reads, t its target, m = min(q / t, X) the Jobs that it wants"
        return [heading] + explanation.triggers.flatMap { self.lines(of: $0) }
    }

    private func lines(of trigger: ExplainedTrigger) -> [String] {
        let name = trigger.name.map { " (\($0.onOneLine))" } ?? ""
        guard case .read(let resolved, let value, let isActive, let isHeldInactive, let isRead) = trigger.state,
            let metric = trigger.metric(rules)
        else { return ["  \(trigger.index)  \(trigger.type.onOneLine)\(name): fails, so it is left out"] }
        let (q, t, m) = (text(metric.quantity), text(metric.target), text(metric.wanted))
        let origin = isRead ? ", read just now" : ""
        let share = metric.target == 0 ? "m = 0, since t is 0" : "m = min(\(q) / \(t), \(rules.limits.room)) = \(m)"
        let reason: String
        if isHeldInactive {
            reason = "does not count (--inactive)"
        } else if isActive == resolved.isActive(at: value) {
            let comparison = "\(text(value)) is \(isActive ? "" : "not ")above \(text(resolved.activation))"
            reason = "\(isActive ? "counts" : "does not count"): \(comparison)"
        } else {
            reason = "\(isActive ? "counts" : "does not count") by the rule of its mode"
        }
        return [
            "  \(trigger.index)  \(resolved.summary)\(name)", "     q = \(q)\(origin), t = \(t), \(share)",
            "     \(reason)",
        ]
    }

    private func together() -> [String] {
        let combination = decision.combination
        let taken = explanation.triggers.filter { explanation.isTaken($0) }.map { "\($0.index)" }
        let which: String
        switch (rules.combination, taken.isEmpty) {
        case (_, true): which = "no trigger"
        case (.max, _): which = "the one with the largest q, \(taken.joined())"
        case (.min, _): which = "the one with the smallest q, \(taken.joined())"
        case (.sum, _): which = "the sum of \(taken.joined(separator: ", "))"
        case (.avg, _): which = "the average of \(taken.joined(separator: ", "))"
        }
        let (q, m) = (text(combination.quantity), text(combination.wanted))
        let activity =
            decision.isForcedActive
            ? "active, as always with a minimum above 0"
            : decision.isActive ? "active" : "not active: KEDA creates nothing"
        return [
            "Together (\(rules.combination.rawValue)): \(which); q = \(q), m = \(m)",
            "     Q = ceil(\(q)) = \(decision.queueLength), M = ceil(min(\(m), \(rules.limits.room))) = \(decision.maxScale)",
            "     \(activity)",
        ]
    }

    private func jobs() -> [String] {
        let written = { (name: String, count: Int32?) in "\(name) \(count.map { "\($0)" } ?? "not written")" }
        let job = explanation.job
        let minimum = written("minReplicaCount", job.minReplicaCount?.value)
        let maximum = written("maxReplicaCount", job.maxReplicaCount?.value)
        return [
            "Jobs: R = \(decision.running) unfinished, P = \(decision.pending) of them pending",
            "     min = \(rules.limits.minimum), X = \(rules.limits.room) beside them (\(minimum), \(maximum))",
        ]
    }

    private func formula() -> [String] {
        switch decision.step {
        case .belowMinimum(let missing):
            return [
                "Fewer than the minimum: the queues are not looked at in this poll",
                "     E = S = min - R = \(rules.limits.minimum) - \(decision.running) = \(missing)",
            ]
        case .strategy(let input, let result):
            let lines = StrategyText(rules.strategy, input, result)
            let raw = result.effectiveMaxScale
            let cut = raw < 0 ? ["     E is below 0, so it is 0"] : []
            return [
                "Strategy \(rules.strategy.name)\(fallback): \(lines.formula)",
                "     r = R - min = \(decision.running) - \(rules.limits.minimum) = \(input.running)",
            ] + lines.numbers + cut + ["     S = \(lines.scaleTo) = \(result.scaleTo)"]
        }
    }

    /// What is written may be something else.
    private var fallback: String {
        guard let written = explanation.job.scalingStrategy.strategy?.value, !written.isEmpty,
            written != rules.strategy.name
        else { return "" }
        guard written == "custom" else { return ", since KEDA does not know ‘\(written)’" }
        return ", since customScalingRunningJobPercentage is no number"
    }

    private func created() -> [String] {
        if decision.operatorPanics {
            return [
                "Created: 0. KEDA's operator panics, since custom has no customScalingQueueLengthDeduction; 2.20.2 does not"
            ]
        }
        guard decision.isActive else { return ["Created: 0, since nothing is active"] }
        let (S, E) = (decision.scaleTo, decision.effectiveMaxScale)
        let sum = "min(S, E) = min(\(S), \(E)) = \(decision.create)"
        return [explanation.job.isPaused ? "Created: 0, since it is paused; else \(sum)" : "Created: \(sum)"]
    }

    private func text(_ number: Double) -> String {
        Int64(exactly: number).map { "\($0)" } ?? "\(number)"
    }
}

/// A strategy's formula.
private struct StrategyText {
    let formula: String
    let numbers: [String]
    let scaleTo: String

    init(_ strategy: ScalingStrategy, _ input: StrategyInput, _ result: StrategyResult) {
        let (M, r, P, X) = (input.maxScale, input.running, input.pending, input.room)
        let result = result.effectiveMaxScale
        switch strategy {
        case .standard:
            (formula, scaleTo) = ("E = M - r", "Q")
            numbers = ["     E = \(M) - \(r) = \(result)"]
        case .custom(let deduction, let percentage):
            (formula, scaleTo) = ("E = min(M - deduction - trunc(r * percentage), X)", "Q")
            let number = deduction.map { "\($0)" } ?? "0"
            numbers = ["     E = min(\(M) - \(number) - trunc(\(r) * \(percentage)), \(X)) = \(result)"]
        case .accurate:
            let isNew = input.version.accurateComparesWithoutPending
            let compared = isNew ? "M + r - P" : "M + r"
            // Arithmetic wraps around, as the formula's does.
            let sumOfAll = isNew ? M &+ r &- P : M &+ r
            let sum = isNew ? "\(M) + \(r) - \(P) = \(sumOfAll)" : "\(M) + \(r) = \(sumOfAll)"
            let isAbove = sumOfAll > X
            (formula, scaleTo) = ("E = X - r if \(compared) is above X, else M - P", "Q")
            numbers = [
                "     \(sum) is \(isAbove ? "" : "not ")above \(X), so E = "
                    + (isAbove ? "\(X) - \(r)" : "\(M) - \(P)") + " = \(result)"
            ]
        case .eager:
            (formula, scaleTo) = ("E = min(X - r - P, M)", "X")
            numbers = ["     E = min(\(X) - \(r) - \(P), \(M)) = \(result)"]
        }
    }
}
