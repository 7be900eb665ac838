import Synchronization

/// How many objects are done with, on a terminal.
final class GroupProgress: Sendable {
    private let verb: String
    private let count = Mutex(0)

    init(_ verb: String) {
        self.verb = verb
    }

    func add() {
        count.withLock { count in
            count += 1
            if StandardError.isTerminal { StandardError.write("\r\(verb) \(count)\u{1B}[K") }
        }
    }

    var text: String { "\(verb) \(count.withLock { $0 })" }

    /// Clears the line for what comes next.
    func remove() {
        if StandardError.isTerminal, count.withLock({ $0 }) > 0 { StandardError.write("\r\u{1B}[K") }
    }
}
