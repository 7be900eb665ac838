/// `scalingStrategy.multipleScalersCalculation`: how several triggers become one number. Triggers that are not active
/// never count.
public enum CombinationRule: String, Sendable, Hashable, CaseIterable {
    /// The trigger with the most in its queue. What is compared is q, not m.
    case max
    /// The trigger with the least in its queue.
    case min
    case avg
    case sum

    /// Empty and unknown words mean ``max``.
    public init(_ text: String?) {
        self = text.flatMap { CombinationRule(rawValue: $0) } ?? .max
    }
}

/// All triggers together.
public struct Combination: Sendable, Hashable {
    /// Not rounded yet.
    public let quantity: Double
    /// Not rounded yet, nor limited to X.
    public let wanted: Double
    /// The triggers that count, as positions in the list of metrics. Nothing is active when there is none.
    public let taken: [Int]

    public init(_ metrics: [TriggerMetric], _ rule: CombinationRule) {
        switch rule {
        case .max: self.init(metrics) { $0 > $1 }
        // A q of 0 that was taken looks as if nothing had been taken, and the next one replaces it.
        case .min: self.init(metrics) { $1 == 0 || $0 < $1 }
        case .sum: self.init(sumOf: metrics, dividedByCount: false)
        case .avg: self.init(sumOf: metrics, dividedByCount: true)
        }
    }

    /// One of them, beginning at a q of 0.
    private init(_ metrics: [TriggerMetric], replaces: (_ candidate: Double, _ present: Double) -> Bool) {
        var quantity = 0.0
        var wanted = 0.0
        var taken: [Int] = []
        for (index, metric) in metrics.enumerated() where metric.isActive && replaces(metric.quantity, quantity) {
            quantity = metric.quantity
            wanted = metric.wanted
            taken = [index]
        }
        (self.quantity, self.wanted, self.taken) = (quantity, wanted, taken)
    }

    private init(sumOf metrics: [TriggerMetric], dividedByCount: Bool) {
        taken = metrics.indices.filter { metrics[$0].isActive }
        let quantity = taken.reduce(0) { $0 + metrics[$1].quantity }
        let wanted = taken.reduce(0) { $0 + metrics[$1].wanted }
        let divisor = dividedByCount && !taken.isEmpty ? Double(taken.count) : 1
        self.quantity = quantity / divisor
        self.wanted = wanted / divisor
    }
}
