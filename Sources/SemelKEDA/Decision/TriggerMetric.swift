/// What one trigger contributes to one decision.
public struct TriggerMetric: Sendable, Hashable {
    /// q: the metric, in thousandths at the finest.
    public let quantity: Double
    /// t: how much of the metric one Job is for. 0 means that this trigger never makes a Job.
    public let target: Double
    /// m: q / t, at most X. Not rounded yet.
    public let wanted: Double
    /// Whether the trigger counts at all: usually whether the metric is above the activation threshold.
    public let isActive: Bool

    /// - Parameters:
    ///   - value: What the scaler read. KEDA cuts it to thousandths; what is negative, infinite or not a number is 0
    ///     from 2.20.2 on. Before, a negative one stays, and the others are the smallest number there is.
    ///   - target: The trigger's target; see ``ResolvedTrigger/target``.
    public init(value: Double, target: Double, isActive: Bool, limits: ReplicaLimits, version: KEDAVersion) {
        let isKept = value.isFinite || !version.cutsNegativeMetrics
        let quantity = isKept ? GoNumbers.throughThousandths(value) : 0
        self.quantity = quantity < 0 && version.cutsNegativeMetrics ? 0 : quantity
        self.target = target
        wanted = target == 0 ? 0 : Self.lesser(self.quantity / target, Double(limits.room))
        self.isActive = isActive
    }

    /// KEDA's own minimum of two floats.
    static func lesser(_ left: Double, _ right: Double) -> Double {
        left > right ? right : left
    }
}
