public import Semel

/// What becomes of the groups in layout ``GroupState/Layout/buckets``.
///
/// Every bucket has a group, which it leaves only when that has more items than the capacity: then its last buckets
/// leave, until it has not, so that of its items at most those above the capacity are moved, and one bucket's more, less
/// one item. They go where ``KeysPlan`` would put new items.
public struct BucketsPlan: Sendable {
    /// Each bucket's group.
    public private(set) var owners: [Int]
    /// How many items have another group than before: all that are in a bucket which has.
    public private(set) var moved = 0
    private let counts: [Int]
    private let capacity: Int
    /// By the number of the group; those with no items are none.
    private var items: [Int: Int] = [:]
    /// Those that had too many.
    private var relieved: Set<Int> = []

    /// - Parameters:
    ///   - counts: How many items each bucket has.
    ///   - owners: Each bucket's group up to now, 0 where it has none.
    ///   - rebalancing: Dissolves groups, the smallest first, for as long as the others have room for their buckets.
    /// - Throws: When a single bucket has more items than the capacity.
    public init(counts: [Int], owners: [Int], capacity: Int, rebalancing: Bool = false) throws(ConfigurationError) {
        self.counts = counts
        self.capacity = capacity
        if let most = counts.indices.max(by: { counts[$0] < counts[$1] }), counts[most] > capacity {
            throw ConfigurationError(
                "--capacity: bucket \(most) alone has \(counts[most]) items, which is over \(capacity)")
        }
        self.owners = owners
        for (owner, count) in zip(owners, counts) where owner > 0 && count > 0 { items[owner, default: 0] += count }
        if items.isEmpty {
            spread()
        } else {
            // An empty group is none, and whoever is put into its buckets is not moved.
            for bucket in owners.indices where items[owners[bucket]] == nil { self.owners[bucket] = 0 }
            relieve()
            if rebalancing { dissolve() }
            place()
        }
        for (bucket, before) in owners.enumerated() where before > 0 && before != self.owners[bucket] {
            moved += counts[bucket]
        }
    }

    /// Each group with its items and buckets, in the order of their numbers.
    public var groups: [GroupState.Group] {
        var ranges: [Int: [String]] = [:]
        var start = 0
        for bucket in owners.indices where bucket + 1 == owners.count || owners[bucket + 1] != owners[bucket] {
            ranges[owners[bucket], default: []].append(BucketSet.text(start...bucket))
            start = bucket + 1
        }
        return items.sorted { $0.key < $1.key }.map { number, items in
            GroupState.Group(number: number, items: items, buckets: ranges[number]?.joined(separator: ","))
        }
    }

    /// The first groups: one range of buckets each, and nearly the same number of items, so that all have room to grow.
    private mutating func spread() {
        let total = counts.reduce(0, +)
        guard total > 0 else {
            owners = owners.map { _ in 0 }
            return
        }
        var groupCount = (total - 1) / capacity + 1
        while !spread(total, over: groupCount) { groupCount += max(1, groupCount / 64) }
    }

    /// Returns `false` when one of the groups would have too many items.
    private mutating func spread(_ total: Int, over groupCount: Int) -> Bool {
        items = [:]
        var before = 0
        var number = 0
        var lastShare = -1
        for bucket in counts.indices {
            let share = before * groupCount / total
            // Empty buckets begin no group.
            if counts[bucket] > 0, share != lastShare {
                number += 1
                lastShare = share
            }
            owners[bucket] = max(1, number)
            items[max(1, number), default: 0] += counts[bucket]
            before += counts[bucket]
        }
        return items.values.allSatisfy { $0 <= capacity }
    }

    /// Takes the last buckets from groups with too many items, empty ones among them, so that ranges stay whole.
    private mutating func relieve() {
        for bucket in owners.indices.reversed() {
            guard let count = items[owners[bucket]], count > capacity else { continue }
            items[owners[bucket]] = count - counts[bucket]
            relieved.insert(owners[bucket])
            owners[bucket] = 0
        }
    }

    private mutating func dissolve() {
        while let smallest = items.min(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key {
            var others = self
            others.items[smallest] = nil
            for bucket in owners.indices where owners[bucket] == smallest { others.owners[bucket] = 0 }
            guard others.place(openingGroups: false) else { return }
            self = others
        }
    }

    /// Gives a group to each bucket that has none. Returns `false` when there is no room, and none may be made.
    ///
    /// A group that has given buckets away takes none, and one for which a bucket was too large takes no other: it would
    /// only get gaps in its ranges, for the sake of a few items.
    @discardableResult
    private mutating func place(openingGroups: Bool = true) -> Bool {
        var order = GroupOrder(items.keys.sorted())
        var open = (0..<items.count).compactMap { _ in order.next() }.filter { !relieved.contains($0) }[...]
        for bucket in owners.indices where owners[bucket] == 0 && counts[bucket] > 0 {
            while let group = open.first, items[group, default: 0] + counts[bucket] > capacity { open.removeFirst() }
            if open.isEmpty, openingGroups, let group = order.next() { open = [group] }
            guard let group = open.first else { return false }
            owners[bucket] = group
            items[group, default: 0] += counts[bucket]
        }
        // Empty ones go with their neighbours, so that ranges stay whole.
        for bucket in owners.indices where owners[bucket] == 0 {
            owners[bucket] = bucket > 0 ? owners[bucket - 1] : owners.first { $0 > 0 } ?? 0
        }
        return true
    }
}

extension GroupState {
    /// Each bucket's group, 0 where it has none.
    public var bucketOwners: [Int] {
        var owners = [Int](repeating: 0, count: BucketSet.count)
        for group in groups {
            for range in group.buckets.flatMap({ BucketSet.ranges($0) }) ?? [] {
                for bucket in range { owners[bucket] = group.number }
            }
        }
        return owners
    }
}
