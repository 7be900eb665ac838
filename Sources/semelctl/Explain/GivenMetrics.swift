import Semel
import SemelKEDA

/// What `--metric`, `--inactive` and `--failed` say of the triggers.
struct GivenMetrics {
    /// By the trigger's index.
    private(set) var values: [Int: Double] = [:]
    let inactive: Set<Int>
    let failed: Set<Int>

    init(metrics: [String], inactive: [Int], failed: [Int], triggerCount: Int) throws(CommandFailure) {
        self.inactive = Set(inactive)
        self.failed = Set(failed)
        for text in metrics {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // A quantity in thousandths has 64 bits.
            guard parts.count == 2, let index = Int(parts[0]), let value = Double(String(parts[1])) else {
                throw .usage("--metric: ‘\(text)’ is not INDEX=VALUE, such as 0=15: the first trigger reads 15")
            }
            guard abs(value) < 9e15 else {
                throw .usage("--metric: ‘\(parts[1])’ has to be a number below 9e15; a trigger reads no other")
            }
            guard values.updateValue(value, forKey: index) == nil else {
                throw .usage("--metric: trigger \(index) is given twice")
            }
        }
        let named = [
            ("--metric", Set(values.keys)), ("--inactive", self.inactive), ("--failed", self.failed),
        ]
        for (flag, indices) in named {
            guard let stranger = indices.filter({ !(0..<triggerCount).contains($0) }).min() else { continue }
            let known = triggerCount == 1 ? "there is only 0" : "there are 0 to \(triggerCount - 1)"
            throw .usage("\(flag): no trigger \(stranger); \(known)")
        }
        if let index = self.failed.intersection(self.inactive.union(values.keys)).min() {
            throw .usage("--failed: a trigger that fails reads nothing; trigger \(index) is given otherwise, too")
        }
    }
}
