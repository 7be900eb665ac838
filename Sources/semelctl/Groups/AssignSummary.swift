import Foundation
import SemelGroups

/// What a run comes to.
struct AssignSummary: Sendable {
    /// `nil` when there was no state.
    let before: GroupState?
    /// With the numbers of the groups and of their items.
    var after = GroupState(layout: .keys, capacity: 0, groups: [])
    let items: Int
    let added: Int
    let removed: Int
    var moved = 0
    /// Keys that came more than once, which makes no difference.
    let repeated: Int

    init(before: GroupState?, items: Int, added: Int, removed: Int, repeated: Int) {
        self.before = before
        self.items = items
        self.added = added
        self.removed = removed
        self.repeated = repeated
    }

    var changesSomething: Bool {
        guard let before else { return true }
        if after.layout == .buckets { return after != before }
        return added > 0 || removed > 0 || moved > 0 || after.capacity != before.capacity
    }

    /// Groups that were not there before.
    var opened: [Int] { numbers(of: after, without: before) }
    /// Groups that have no items any more.
    var closed: [Int] { before.map { numbers(of: $0, without: after) } ?? [] }

    private func numbers(of state: GroupState, without other: GroupState?) -> [Int] {
        let others = Set(other?.groups.map(\.number) ?? [])
        return state.groups.map(\.number).filter { !others.contains($0) }
    }

    /// `11000000 items in 11 groups: 1000000 added, 0 removed, 0 moved; opened 11`
    var line: String {
        var text = "\(items) items in \(after.groups.count) groups: \(added) added, \(removed) removed, \(moved) moved"
        if !opened.isEmpty { text += "; opened \(Self.list(opened))" }
        if !closed.isEmpty { text += "; closed \(Self.list(closed))" }
        return text + "\n"
    }

    private static func list(_ numbers: [Int]) -> String {
        let shown = numbers.prefix(10).map { "\($0)" }.joined(separator: ", ")
        return numbers.count > 10 ? "\(shown) and \(numbers.count - 10) more" : shown
    }

    /// What rebalancing costs: each group's items before and after it.
    var table: String {
        let old = Dictionary(uniqueKeysWithValues: (before?.groups ?? []).map { ($0.number, $0.items) })
        let new = Dictionary(uniqueKeysWithValues: after.groups.map { ($0.number, $0.items) })
        let rows = Set(old.keys).union(new.keys).sorted().map { number in
            ["\(number)", old[number].map { "\($0)" } ?? "-", new[number].map { "\($0)" } ?? "-"]
        }
        return ([["GROUP", "BEFORE", "AFTER"]] + rows).map { row in
            row.map { String(repeating: " ", count: max(1, 12 - $0.count)) + $0 }.joined() + "\n"
        }.joined()
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(JSON(self)), as: UTF8.self) + "\n"
    }

    private struct JSON: Encodable {
        let layout: String
        let capacity: Int
        let items: Int
        let groups: Int
        let added: Int
        let removed: Int
        let moved: Int
        let repeated: Int
        let opened: [Int]
        let closed: [Int]

        init(_ summary: AssignSummary) {
            layout = summary.after.layout.rawValue
            capacity = summary.after.capacity
            items = summary.items
            groups = summary.after.groups.count
            added = summary.added
            removed = summary.removed
            moved = summary.moved
            repeated = summary.repeated
            opened = summary.opened
            closed = summary.closed
        }
    }
}
