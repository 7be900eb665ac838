import SemelKEDA
import Testing

/// The decision once more, written from the tables of KEDA's behaviour in another way: thousandths are whole numbers, the
/// strategies are inequalities, and nothing is shared with what is tested.
private struct Oracle {
    var min: Int32?
    var max: Int32?
    var version: (minor: Int, patch: Int)
    var strategy: String
    var deduction: Int32?
    var percentage: String
    var combination: String
    var triggers: [(thousandths: Int, target: Double, isActive: Bool)]
    var running: Int
    var pending: Int

    struct Answer: Equatable {
        var active: Bool
        var queueLength: Int
        var maxScale: Int
        var raw: Int
        var scaleTo: Int
        var create: Int
    }

    private var standing: Int {
        guard let min else { return 0 }
        return max.map { Swift.min(Int($0), Int(min)) } ?? Int(min)
    }

    private var room: Int {
        guard let max else { return 100 }
        let most = Int(max)
        return Int(min ?? 0) > most ? most : most - Int(min ?? 0)
    }

    /// In the order of the triggers: metric and share of those that count.
    private var counting: [(q: Double, m: Double)] {
        triggers.filter(\.isActive).map { trigger in
            let isCut = trigger.thousandths < 0 && (version.minor, version.patch) >= (20, 2)
            let q = isCut ? 0 : Double(trigger.thousandths) * 0.001
            if trigger.target == 0 { return (q, 0) }
            return (q, Swift.min(q / trigger.target, Double(room)))
        }
    }

    private func combined() -> (q: Double, m: Double, any: Bool) {
        let all = counting
        switch combination {
        case "sum", "avg":
            var (q, m) = (0.0, 0.0)
            for one in all { (q, m) = (q + one.q, m + one.m) }
            let divisor = combination == "avg" ? Swift.max(1, all.count) : 1
            return (q / Double(divisor), m / Double(divisor), !all.isEmpty)
        case "min":
            // Runs that end with a zero start over.
            let start = all.lastIndex { $0.q == 0 }.map { $0 + 1 } ?? 0
            let run = all[start...]
            if let negative = all.firstIndex(where: { $0.q < 0 }) { return minimumWithNegatives(all, negative) }
            guard let least = run.map(\.q).min(), let first = run.first(where: { $0.q == least }) else {
                return all.isEmpty ? (0, 0, false) : (all[start - 1].q, all[start - 1].m, true)
            }
            return (first.q, first.m, true)
        default:
            guard let most = all.map(\.q).max(), most > 0, let first = all.first(where: { $0.q == most }) else {
                return (0, 0, false)
            }
            return (first.q, first.m, true)
        }
    }

    /// Only before 2.20.2. A negative one is below everything, zeros included, once it is there.
    private func minimumWithNegatives(_ all: [(q: Double, m: Double)], _ negative: Int) -> (Double, Double, Bool) {
        let rest = all[negative...]
        let least = rest.map(\.q).min() ?? 0
        let first = rest.first { $0.q == least } ?? (0, 0)
        return (first.q, first.m, true)
    }

    func answer() -> Answer {
        let (q, m, any) = combined()
        let queue = Int(q.rounded(.up))
        let jobs = Int(Swift.min(m, Double(room)).rounded(.up))
        var answer = Answer(
            active: any || standing > 0, queueLength: queue, maxScale: jobs, raw: 0, scaleTo: queue, create: 0)
        if running < standing {
            answer.raw = standing - running
            answer.scaleTo = standing - running
        } else {
            let beyond = running - standing
            let isNew = version.minor >= 19
            switch strategy {
            case "accurate" where isNew: answer.raw = Swift.min(jobs - pending, room - beyond)
            case "accurate": answer.raw = jobs > room - beyond ? room - beyond : jobs - pending
            case "eager":
                answer.raw = jobs <= room - beyond - pending ? jobs : room - beyond - pending
                answer.scaleTo = room
            case "custom":
                if let share = Double(percentage) {
                    let wanted = jobs - Int(deduction ?? 0) - Int(Double(beyond) * share)
                    answer.raw = wanted < room ? wanted : room
                    if deduction == nil, (version.minor, version.patch) < (20, 2) { answer.active = false }
                } else {
                    answer.raw = jobs - beyond
                }
            default: answer.raw = jobs - beyond
            }
        }
        if answer.active { answer.create = Swift.max(0, Swift.min(answer.raw, answer.scaleTo)) }
        return answer
    }
}

/// SplitMix64: the same cases every time.
private struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func oneOf<Value>(_ values: Value...) -> Value {
        values[Int(next() % UInt64(values.count))]
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    mutating func oracle() -> Oracle {
        let triggers = (0..<number(0...4)).map { _ in
            let thousandths = oneOf(number(0...20) * 1_000, number(-5_000...30_000), number(0...300_000), 0)
            return (thousandths, oneOf(1, 1, 0.5, 5, 20, 1.001, 0, 0.001), number(0...4) > 0)
        }
        let running = oneOf(number(0...8), number(0...130))
        return Oracle(
            min: oneOf(nil, nil, 0, Int32(number(1...6))), max: oneOf(nil, Int32(number(0...30)), 10, -1),
            version: oneOf((15, 0), (17, 2), (18, 0), (18, 3), (19, 0), (20, 0), (20, 1), (20, 2), (20, 3)),
            strategy: oneOf("default", "accurate", "eager", "custom", "", "unknown"),
            deduction: oneOf(nil, 0, Int32(number(-3...9))),
            percentage: oneOf("0.5", "1", "0.33", "-0.2", "2.75", "", "x"),
            combination: oneOf("max", "min", "avg", "sum", ""), triggers: triggers, running: running,
            pending: oneOf(0, number(0...running), running))
    }
}

@Suite struct OracleTests {
    @Test(arguments: 0..<8 as Range<UInt64>)
    func theDecisionIsTheOracles(_ seed: UInt64) {
        var random = SeededRandom(state: seed)
        for number in 0..<25_000 {
            let oracle = random.oracle()
            let (expected, actual) = (oracle.answer(), decide(oracle))
            guard expected == actual else {
                Issue.record("case \(number) of seed \(seed): \(oracle): \(expected) expected, \(actual) seen")
                return
            }
        }
    }

    private func decide(_ oracle: Oracle) -> Oracle.Answer {
        let rules = ScalingRules(
            limits: ReplicaLimits(minimum: oracle.min, maximum: oracle.max),
            strategy: ScalingStrategy(
                name: oracle.strategy, deduction: oracle.deduction, percentage: oracle.percentage),
            combination: CombinationRule(oracle.combination),
            version: .of("2.\(oracle.version.minor).\(oracle.version.patch)"))
        // Half a thousandth more is cut off again.
        let metrics = oracle.triggers.map { trigger in
            let sign: Double = trigger.thousandths < 0 ? -1 : 1
            return rules.metric(
                value: (Double(trigger.thousandths) + 0.5 * sign) / 1_000, target: trigger.target,
                isActive: trigger.isActive)
        }
        let decision = rules.decide(metrics, running: Int64(oracle.running), pending: Int64(oracle.pending))
        return Oracle.Answer(
            active: decision.isActive && !decision.operatorPanics, queueLength: Int(decision.queueLength),
            maxScale: Int(decision.maxScale), raw: Int(decision.effectiveMaxScaleRaw), scaleTo: Int(decision.scaleTo),
            create: Int(decision.create))
    }
}
