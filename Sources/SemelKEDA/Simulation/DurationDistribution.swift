import Glibc

/// How long something takes, in milliseconds.
public enum DurationDistribution: Sendable, Hashable {
    case constant(Int)
    /// Each value between the two is as likely.
    case uniform(least: Int, most: Int)
    /// Most are short and a few are long; a third takes longer than the mean.
    case exponential(mean: Int)
    /// Half take longer than the median. Of a spread of 0.5, one in forty takes longer than 2.7 times the median.
    case logNormal(median: Int, spread: Double)

    /// What no duration exceeds, however unlikely its random number: a year.
    private static let most = 31_536_000_000.0

    /// - Parameters:
    ///   - index: Of what takes this long.
    ///   - turn: How many times it has taken its time already.
    func milliseconds(_ random: SeededRandom, _ purpose: SeededRandom.Purpose, _ index: Int, _ turn: Int = 0) -> Int {
        switch self {
        case .constant(let time):
            return time
        case .uniform(let least, let most):
            return least + Int((Double(most - least) * random.unit(purpose, index, turn)).rounded())
        case .exponential(let mean):
            return Self.limited(-Double(mean) * log(1 - random.unit(purpose, index, turn)))
        case .logNormal(let median, let spread):
            // Box and Muller; the second number is that of a turn that nobody has.
            let radius = (-2 * log(1 - random.unit(purpose, index, turn))).squareRoot()
            let normal = radius * cos(2 * Double.pi * random.unit(purpose, index, -1 - turn))
            return Self.limited(Double(median) * exp(spread * normal))
        }
    }

    private static func limited(_ milliseconds: Double) -> Int {
        Int(min(milliseconds, most).rounded())
    }
}
