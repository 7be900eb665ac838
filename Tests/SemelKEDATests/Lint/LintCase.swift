import SemelKEDA
import Testing

/// A rule, a file that breaks it, and one that comes near and does not.
struct LintCase: Sendable, CustomTestStringConvertible {
    let id: String
    let bad: String
    let good: String
    var version = "2.20"
    /// Of the good one, when it is another.
    var goodVersion: String?
    var queue: QueueFacts?
    var goodQueue: QueueFacts?
    /// What the bad one's line has in it, from which one sees that it is the right one.
    let line: String
    /// What the message has in it.
    let says: String

    var testDescription: String { id }
}
