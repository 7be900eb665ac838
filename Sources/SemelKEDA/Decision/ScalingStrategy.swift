/// How many Jobs are missing, by what the triggers want and by the Jobs there are.
public enum ScalingStrategy: Sendable, Hashable {
    /// `default`, also when nothing or an unknown word is written.
    case standard
    /// - deduction: `nil` when it is not written, which ends the operator before 2.20.2.
    /// - percentage: 0.5 means half. KEDA multiplies with what is written: `50` means fifty times.
    case custom(deduction: Int32?, percentage: Double)
    case accurate
    case eager

    /// - Parameters:
    ///   - name: `spec.scalingStrategy.strategy`.
    ///   - percentage: `customScalingRunningJobPercentage` as it is written. When it is no number, `custom` is `default`.
    public init(name: String?, deduction: Int32?, percentage: String?) {
        switch name {
        case "accurate": self = .accurate
        case "eager": self = .eager
        case "custom":
            self =
                GoNumbers.parseFloat(percentage ?? "").map { .custom(deduction: deduction, percentage: $0) }
                ?? .standard
        default: self = .standard
        }
    }

    /// The word for it in a ScaledJob.
    public var name: String {
        switch self {
        case .standard: "default"
        case .custom: "custom"
        case .accurate: "accurate"
        case .eager: "eager"
        }
    }
}

/// What goes into a strategy's formula.
public struct StrategyInput: Sendable, Hashable {
    /// M
    public var maxScale: Int64
    /// r: the unfinished Jobs beyond the minimum.
    public var running: Int64
    /// P: those of all unfinished Jobs that are pending. The minimum is not taken off.
    public var pending: Int64
    /// Q
    public var queueLength: Int64
    /// X
    public var room: Int64
    public var version: KEDAVersion

    public init(
        maxScale: Int64, running: Int64, pending: Int64, queueLength: Int64, room: Int64, version: KEDAVersion
    ) {
        self.maxScale = maxScale
        self.running = running
        self.pending = pending
        self.queueLength = queueLength
        self.room = room
        self.version = version
    }
}

/// What a strategy's formula comes to.
public struct StrategyResult: Sendable, Hashable {
    /// E, before a negative one is cut to 0.
    public let effectiveMaxScale: Int64
    /// S
    public let scaleTo: Int64
    /// The operator panics, and nothing is created by this ScaledJob or any other until it is up again.
    public let operatorPanics: Bool

    init(_ effectiveMaxScale: Int64, scaleTo: Int64, operatorPanics: Bool = false) {
        self.effectiveMaxScale = effectiveMaxScale
        self.scaleTo = scaleTo
        self.operatorPanics = operatorPanics
    }
}

extension ScalingStrategy {
    /// The formula. Arithmetic wraps around, as KEDA's does.
    public func result(_ input: StrategyInput) -> StrategyResult {
        let (M, r, P, X) = (input.maxScale, input.running, input.pending, input.room)
        switch self {
        case .standard:
            return StrategyResult(M &- r, scaleTo: input.queueLength)
        case .custom(let deduction, let percentage):
            let share = GoNumbers.int64(Double(r) * percentage)
            let missing = M &- Int64(deduction ?? 0) &- share
            let panics = deduction == nil && !input.version.toleratesMissingDeduction
            return StrategyResult(min(missing, X), scaleTo: input.queueLength, operatorPanics: panics)
        case .accurate:
            let compared = input.version.accurateComparesWithoutPending ? M &+ r &- P : M &+ r
            return StrategyResult(compared > X ? X &- r : M &- P, scaleTo: input.queueLength)
        case .eager:
            return StrategyResult(min(X &- r &- P, M), scaleTo: X)
        }
    }
}
