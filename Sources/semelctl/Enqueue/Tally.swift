import Semel
import Synchronization

/// What the queue is known to have taken so far.
final class Tally: ProgressReport, Sendable {
    private struct Sums {
        var messages = 0
        var bodyBytes = 0
        var inputBytes = 0
    }

    private let sums = Mutex(Sums())
    private let start = ContinuousClock.now
    private let totalBytes: Int?

    init(totalBytes: Int?) {
        self.totalBytes = totalBytes
    }

    func add(_ window: Window) {
        sums.withLock { sums in
            sums.messages += window.messages.count
            sums.bodyBytes += window.bodyBytes
            sums.inputBytes += window.inputBytes
        }
    }

    var messages: Int { sums.withLock { $0.messages } }

    /// For an error: `12000 messages are in the queue for certain`.
    var certainty: String {
        switch messages {
        case 0: "no message is in the queue for certain"
        case 1: "1 message is in the queue for certain"
        case let count: "\(count) messages are in the queue for certain"
        }
    }

    /// From 0 to 1; `nil` when nobody knows how much there is.
    var fraction: Double? {
        guard let totalBytes, totalBytes > 0 else { return nil }
        return min(1, Double(sums.withLock { $0.inputBytes }) / Double(totalBytes))
    }

    /// `enqueued 2000 messages (1.2 MB) in 0.4 s, 5000/s`
    var summary: String {
        let sums = sums.withLock { $0 }
        let time = ContinuousClock.now - start
        let amount = "enqueued \(HumanText.messages(sums.messages)) (\(HumanText.bytes(sums.bodyBytes)))"
        let rate = HumanText.rate(Double(sums.messages) / max(0.000_001, time.seconds))
        return "\(amount) in \(HumanText.seconds(time))" + (sums.messages > 1 ? ", \(rate)" : "")
    }
}
