import Foundation

/// SplitMix64: small, fast, and the same everywhere.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self) < probability
    }

    /// Every order of magnitude is as likely as any other: many short times, and now and then a long one.
    mutating func duration(_ range: ClosedRange<Double>) -> Duration {
        .seconds(exp(Double.random(in: log(range.lowerBound)...log(range.upperBound), using: &self)))
    }

    /// One of these, each as likely as its weight says.
    mutating func pick<Element>(_ weighted: [(Element, Int)]) -> Element {
        var rest = Int.random(in: 0..<weighted.reduce(0) { $0 + $1.1 }, using: &self)
        for (element, weight) in weighted.dropLast() {
            if rest < weight { return element }
            rest -= weight
        }
        return weighted[weighted.count - 1].0
    }
}
