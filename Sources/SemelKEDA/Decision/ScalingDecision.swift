/// What decides, besides the metrics and the Jobs there are: everything that a ScaledJob says about scaling.
public struct ScalingRules: Sendable, Hashable {
    public var limits: ReplicaLimits
    public var strategy: ScalingStrategy
    public var combination: CombinationRule
    public var version: KEDAVersion

    public init(
        limits: ReplicaLimits, strategy: ScalingStrategy = .standard, combination: CombinationRule = .max,
        version: KEDAVersion = .newest
    ) {
        self.limits = limits
        self.strategy = strategy
        self.combination = combination
        self.version = version
    }

    /// A trigger's contribution under these rules.
    public func metric(value: Double, target: Double, isActive: Bool) -> TriggerMetric {
        TriggerMetric(value: value, target: target, isActive: isActive, limits: limits, version: version)
    }

    /// One poll of KEDA: how many Jobs it creates.
    ///
    /// - Parameters:
    ///   - metrics: Of every trigger that could be read. KEDA leaves out one that fails twice in a poll.
    ///   - running: R: the ScaledJob's Jobs that are neither complete nor failed, pending ones included.
    ///   - pending: P: those of them that are pending; see ``PendingRule``.
    public func decide(_ metrics: [TriggerMetric], running: Int64, pending: Int64) -> ScalingDecision {
        let combination = Combination(metrics, combination)
        let queueLength = GoNumbers.ceiling(combination.quantity)
        let maxScale = GoNumbers.ceiling(TriggerMetric.lesser(combination.wanted, Double(limits.room)))
        let step: ScalingDecision.Step
        if running < limits.minimum {
            step = .belowMinimum(missing: limits.minimum - running)
        } else {
            let input = StrategyInput(
                maxScale: maxScale, running: running &- limits.minimum, pending: pending, queueLength: queueLength,
                room: limits.room, version: version)
            step = .strategy(input, strategy.result(input))
        }
        return ScalingDecision(
            rules: self, metrics: metrics, combination: combination, queueLength: queueLength, maxScale: maxScale,
            running: running, pending: pending, step: step)
    }
}

/// A decision with all the steps that led to it.
public struct ScalingDecision: Sendable, Hashable {
    public let rules: ScalingRules
    public let metrics: [TriggerMetric]
    public let combination: Combination
    /// Q: what is in the queues, rounded up.
    public let queueLength: Int64
    /// M: how many Jobs the queues want, at most X, rounded up.
    public let maxScale: Int64
    /// R
    public let running: Int64
    /// P
    public let pending: Int64
    public let step: Step

    public enum Step: Sendable, Hashable {
        /// Fewer Jobs than the minimum: they are made up, and the queues are not looked at in this poll.
        case belowMinimum(missing: Int64)
        case strategy(StrategyInput, StrategyResult)
    }

    /// Some trigger counts, or there is a minimum.
    public var isActive: Bool { isForcedActive || !combination.taken.isEmpty }

    /// A minimum above 0 makes the ScaledJob active, whatever its triggers say.
    public var isForcedActive: Bool { rules.limits.minimum > 0 }

    /// E, before a negative one is cut to 0.
    public var effectiveMaxScaleRaw: Int64 {
        switch step {
        case .belowMinimum(let missing): missing
        case .strategy(_, let result): result.effectiveMaxScale
        }
    }

    /// E
    public var effectiveMaxScale: Int64 { max(0, effectiveMaxScaleRaw) }

    /// S: how many Jobs there would be without the limit E.
    public var scaleTo: Int64 {
        switch step {
        case .belowMinimum(let missing): missing
        case .strategy(_, let result): result.scaleTo
        }
    }

    public var operatorPanics: Bool {
        if case .strategy(_, let result) = step { result.operatorPanics } else { false }
    }

    /// How many Jobs are created in this poll.
    public var create: Int64 {
        guard isActive, !operatorPanics else { return 0 }
        return max(0, min(scaleTo, effectiveMaxScale))
    }
}
