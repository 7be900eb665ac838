import Semel
import SemelGroups
import TestSupport
import Testing

@Suite struct BucketsPlanTests {
    private static let nobody = [Int](repeating: 0, count: BucketSet.count)

    private func plan(
        _ counts: [Int], _ owners: [Int] = nobody, _ capacity: Int, rebalancing: Bool = false
    ) throws(ConfigurationError) -> BucketsPlan {
        try BucketsPlan(counts: counts, owners: owners, capacity: capacity, rebalancing: rebalancing)
    }

    @Test func theFirstNightEachGroupHasARange() throws {
        let plan = try plan([Int](repeating: 16, count: BucketSet.count), Self.nobody, 100_000)
        #expect(plan.groups.count == 11)
        #expect(plan.moved == 0)
        let ranges = plan.groups.compactMap(\.buckets)
        #expect(ranges.allSatisfy { !$0.contains(",") }, "\(ranges)")
        let sizes = plan.groups.map(\.items)
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 16)
        #expect(plan.owners.allSatisfy { $0 > 0 })
    }

    @Test func noItemsNoGroups() throws {
        let plan = try plan(Self.nobody, Self.nobody, 1)
        #expect(plan.groups == [])
        #expect(plan.owners == Self.nobody)
    }

    @Test func aBucketThatIsTooLarge() {
        var counts = Self.nobody
        counts[17] = 5
        #expect(throws: ConfigurationError("--capacity: bucket 17 alone has 5 items, which is over 4")) {
            try plan(counts, Self.nobody, 4)
        }
    }

    @Test func everyItemAGroup() throws {
        let counts = Self.nobody.indices.map { $0 % 3 == 0 ? 1 : 0 }
        let plan = try plan(counts, Self.nobody, 1)
        #expect(plan.groups.count == counts.reduce(0, +))
        #expect(plan.groups.allSatisfy { $0.items == 1 })
    }

    /// Ranges stay whole when everything grows.
    @Test func growth() throws {
        let first = try plan([Int](repeating: 10, count: BucketSet.count), Self.nobody, 66_000)
        let counts = [Int](repeating: 11, count: BucketSet.count)
        let second = try plan(counts, first.owners, 66_000)
        let excess = first.groups.reduce(0) { $0 + max(0, $1.items / 10 * 11 - 66_000) }
        #expect(second.moved > 0)
        #expect(second.moved <= excess + 10 * first.groups.count)
        #expect(second.groups.count == 11)
        let ranges = second.groups.compactMap(\.buckets).map { $0.split(separator: ",").count }
        #expect(ranges.reduce(0, +) <= 2 * first.groups.count, "\(ranges)")
    }

    @Test func rebalancingDissolvesSmallGroups() throws {
        var counts = [Int](repeating: 10, count: BucketSet.count)
        let first = try plan(counts, Self.nobody, 66_000)
        for bucket in 0..<30_000 { counts[bucket] = 1 }
        let without = try plan(counts, first.owners, 66_000)
        #expect(without.moved == 0)
        #expect(without.groups.count == first.groups.count)
        let with = try plan(counts, first.owners, 66_000, rebalancing: true)
        #expect(with.groups.count == 6)
        #expect(with.groups.allSatisfy { $0.items <= 66_000 })
        #expect(with.moved < counts.reduce(0, +) / 8)
    }

    /// Many nights of chance: no group is over its capacity, only groups that were have given buckets away, and of those no
    /// more items than what was above the capacity and one bucket's more, less one item.
    @Test(arguments: 1...8)
    func moves(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let mean = [0, 1, 3, 30][Int(seed) % 4]
        var counts = Self.nobody.map { _ in Int.random(in: 0...2 * mean + 1, using: &random) }
        let capacity = max(counts.max() ?? 1, counts.reduce(0, +) / Int.random(in: 1...40, using: &random)) + 10
        var owners = Self.nobody
        for night in 0..<5 {
            let plan = try plan(counts, owners, capacity)
            #expect(plan.groups.allSatisfy { $0.items <= capacity })
            #expect(plan.groups.reduce(0) { $0 + $1.items } == counts.reduce(0, +))
            let state = GroupState(layout: .buckets, capacity: capacity, groups: plan.groups)
            #expect(try GroupState(text: Array(state.header.utf8), source: "").bucketOwners == plan.owners)
            if night > 0 { check(plan, counts, owners, capacity) }
            owners = plan.owners
            let change = Double.random(in: -0.3...0.3, using: &random)
            for bucket in counts.indices {
                let factor = max(0, 1 + change + Double.random(in: -0.3...0.3, using: &random))
                counts[bucket] = min(capacity, Int((Double(counts[bucket]) * factor).rounded()))
            }
        }
    }

    private func check(_ plan: BucketsPlan, _ counts: [Int], _ before: [Int], _ capacity: Int) {
        var items: [Int: Int] = [:]
        var largest: [Int: Int] = [:]
        var moved: [Int: Int] = [:]
        for (bucket, owner) in before.enumerated() {
            items[owner, default: 0] += counts[bucket]
            largest[owner] = max(largest[owner, default: 0], counts[bucket])
            if plan.owners[bucket] != owner { moved[owner, default: 0] += counts[bucket] }
        }
        for (owner, count) in moved where count > 0 {
            let excess = items[owner, default: 0] - capacity
            #expect(excess > 0, "group \(owner) was not over its capacity")
            #expect(count <= excess + largest[owner, default: 0] - 1)
        }
        #expect(plan.moved == moved.values.reduce(0, +))
    }
}
