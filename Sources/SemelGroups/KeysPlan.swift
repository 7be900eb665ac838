public import Semel

/// What becomes of the groups in layout ``GroupState/Layout/keys``: who stays, and where all others go.
///
/// Items that are there stay in their group, as long as nobody asks for rebalancing. New ones fill the last group, then
/// the places that others have left, from group 1 on, and then new groups, each with the smallest number that is free.
public struct KeysPlan: Sendable, Hashable {
    public struct Share: Sendable, Hashable {
        public var group: Int
        public var items: Int

        public init(group: Int, items: Int) {
            self.group = group
            self.items = items
        }
    }

    /// How many of each group's items stay: those that have been in it for longest. In the order of the groups' numbers.
    public private(set) var staying: [Share]
    /// Where those that have no place go, in the order in which they came: first those that are moved, then the new ones.
    public private(set) var filling: [Share] = []
    /// How many change their group.
    public let moved: Int

    /// - Parameters:
    ///   - there: The groups as they are without the items that are gone, in the order of their numbers.
    ///   - new: How many items have no group yet.
    ///   - rebalancing: Gathers the items in as few groups as will do, by moving as few of them as will do.
    /// - Throws: When a group has more items than the capacity, and they are not to be moved.
    public init(there: [Share], new: Int, capacity: Int, rebalancing: Bool = false) throws(ConfigurationError) {
        let there = there.filter { $0.items > 0 }
        staying = there
        if rebalancing {
            staying = Self.fewest(of: there, for: new, capacity)
        } else if let full = there.first(where: { $0.items > capacity }) {
            throw ConfigurationError(
                "--capacity: group \(full.group) has \(full.items) items, which is over \(capacity); nothing is moved without "
                    + "--rebalance")
        }
        func sum(_ shares: [Share]) -> Int { shares.reduce(0) { $0 + $1.items } }
        moved = sum(there) - sum(staying)
        let kept = Dictionary(uniqueKeysWithValues: staying.map { ($0.group, $0.items) })
        var left = moved + new
        for group in GroupOrder(staying.map(\.group)) {
            guard left > 0 else { break }
            guard group <= GroupState.largestNumber else {
                throw ConfigurationError(
                    "--capacity: \(sum(there) + new) items would need more than \(GroupState.largestNumber) groups of "
                        + "\(capacity)")
            }
            let room = capacity - kept[group, default: 0]
            guard room > 0 else { continue }
            filling.append(Share(group: group, items: min(room, left)))
            left -= min(room, left)
        }
    }

    /// The fullest groups stay, as many as all items need; with each of those that go, the most would have to be moved.
    private static func fewest(of there: [Share], for new: Int, _ capacity: Int) -> [Share] {
        let items = there.reduce(new) { $0 + $1.items }
        let needed = items == 0 ? 0 : (items - 1) / capacity + 1
        return there.map { Share(group: $0.group, items: min($0.items, capacity)) }
            .sorted { ($1.items, $0.group) < ($0.items, $1.group) }
            .prefix(needed)
            .sorted { $0.group < $1.group }
    }

    /// What each group has in the end, in the order of their numbers.
    public var groups: [Share] {
        var items: [Int: Int] = [:]
        for share in staying + filling { items[share.group, default: 0] += share.items }
        return items.sorted { $0.key < $1.key }.map { Share(group: $0.key, items: $0.value) }
    }
}

/// In which order groups are filled: the last one, then the others from the first on, then new ones without end, each with
/// the smallest number that is free.
struct GroupOrder: Sequence, IteratorProtocol {
    private var there: ArraySlice<Int>
    private let taken: Set<Int>
    private var free = 1

    /// - Parameter numbers: Ascending.
    init(_ numbers: [Int]) {
        there = (numbers.suffix(1) + numbers.dropLast())[...]
        taken = Set(numbers)
    }

    mutating func next() -> Int? {
        if let number = there.popFirst() { return number }
        while taken.contains(free) { free += 1 }
        defer { free += 1 }
        return free
    }
}
