import Foundation
import Semel

/// A row a look, with the headings above the first and again wherever they would have left the screen.
struct CountsTable {
    private static let headings = ["READY", "CLAIMED", "DELAYED", "DEAD", "OLDEST"]
    private static let width = 10
    private static let rowsUnderHeadings = 20

    private var rowCount = 0

    mutating func rows(_ counts: QueueCounts) -> String {
        defer { rowCount += 1 }
        let numbers = [counts.ready, counts.claimed, counts.delayed, counts.dead].map { $0.map { "\($0)" } ?? "-" }
        let row = Self.line(numbers + [counts.oldestSeconds.map { HumanText.age($0) } ?? "-"])
        return rowCount % Self.rowsUnderHeadings == 0 ? Self.line(Self.headings) + row : row
    }

    private static func line(_ cells: [String]) -> String {
        cells.map { String(repeating: " ", count: max(1, width - $0.count)) + $0 }.joined() + "\n"
    }
}

/// The counts and the queue's name. What is not known is `null`, not absent.
struct CountsJSON: Encodable {
    private let queue: String
    private let counts: QueueCounts

    init(queue: String, _ counts: QueueCounts) {
        self.queue = queue
        self.counts = counts
    }

    private enum Key: String, CodingKey {
        case queue, ready, claimed, delayed, dead, oldestSeconds
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(queue, forKey: .queue)
        try object.encode(counts.ready, forKey: .ready)
        try object.encode(counts.claimed, forKey: .claimed)
        try object.encode(counts.delayed, forKey: .delayed)
        try object.encode(counts.dead, forKey: .dead)
        try object.encode(counts.oldestSeconds.map { ($0 * 1_000).rounded() / 1_000 }, forKey: .oldestSeconds)
    }

    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}
