import SemelKEDA

/// One decision in the short form of a table.
struct Case {
    var min: Int32?
    var max: Int32?
    var strategy = ScalingStrategy.standard
    var combination = CombinationRule.max
    var version = KEDAVersion.newest
    /// What each trigger reads, and its target.
    var triggers: [(value: Double, target: Double, isActive: Bool)] = []
    var running: Int64 = 0
    var pending: Int64 = 0

    /// One trigger with a target of 1 that counts when there is something.
    init(
        _ queue: Double = 0, min: Int32? = nil, max: Int32? = nil, _ strategy: ScalingStrategy = .standard,
        running: Int64 = 0, pending: Int64 = 0, target: Double = 1, version: KEDAVersion = .newest
    ) {
        (self.min, self.max, self.strategy, self.version) = (min, max, strategy, version)
        (self.running, self.pending) = (running, pending)
        triggers = [(queue, target, queue > 0)]
    }

    var rules: ScalingRules {
        ScalingRules(
            limits: ReplicaLimits(minimum: min, maximum: max), strategy: strategy, combination: combination,
            version: version)
    }

    var decision: ScalingDecision {
        let rules = rules
        let metrics = triggers.map { rules.metric(value: $0.value, target: $0.target, isActive: $0.isActive) }
        return rules.decide(metrics, running: running, pending: pending)
    }
}

extension KEDAVersion {
    static func of(_ text: String) -> KEDAVersion {
        KEDAVersion(text)!
    }
}
