import Synchronization

/// How many objects are done with.
final class GroupProgress: ProgressReport {
    private let verb: String
    private let total: Int
    private let count = Atomic(0)

    init(_ verb: String, of total: Int) {
        (self.verb, self.total) = (verb, total)
    }

    func add() {
        count.add(1, ordering: .relaxed)
    }

    var fraction: Double? { total == 0 ? nil : Double(count.load(ordering: .relaxed)) / Double(total) }
    /// `applied 3 of 120 CronJobs`
    var summary: String { "\(verb) \(count.load(ordering: .relaxed)) of \(total) CronJobs" }
}
