import Semel
import SemelGroups
import TestSupport
import Testing

@Suite struct KeysPlanTests {
    typealias Share = KeysPlan.Share

    private func shares(_ items: KeyValuePairs<Int, Int>) -> [Share] {
        items.map { Share(group: $0.key, items: $0.value) }
    }

    @Test func theFirstNight() throws {
        let plan = try KeysPlan(there: [], new: 10, capacity: 4)
        #expect(plan.groups == shares([1: 4, 2: 4, 3: 2]))
        #expect(plan.moved == 0)
    }

    /// Ten full groups and as many new items as one more holds.
    @Test func oneMoreGroup() throws {
        let full = (1...10).map { Share(group: $0, items: 1_000_000) }
        let plan = try KeysPlan(there: full, new: 1_000_000, capacity: 1_000_000)
        #expect(plan.staying == full)
        #expect(plan.filling == [Share(group: 11, items: 1_000_000)])
        #expect(plan.moved == 0)
    }

    @Test func theLastGroupFirstThenThePlacesOfOthersThenNewGroups() throws {
        let plan = try KeysPlan(there: shares([1: 3, 2: 5, 4: 0, 5: 4]), new: 10, capacity: 5)
        #expect(plan.filling == shares([5: 1, 1: 2, 3: 5, 4: 2]))
        #expect(plan.groups == shares([1: 5, 2: 5, 3: 5, 4: 2, 5: 5]))
    }

    @Test func aGroupWithoutItemsIsNone() throws {
        let plan = try KeysPlan(there: shares([1: 0, 2: 1]), new: 0, capacity: 5)
        #expect(plan.groups == shares([2: 1]))
        #expect(try KeysPlan(there: shares([1: 0]), new: 0, capacity: 1).groups == [])
    }

    @Test func aGroupOverTheCapacityIsRefused() {
        let complaint =
            "--capacity: group 2 has 6 items, which is over 5; nothing is moved without --rebalance"
        #expect(throws: ConfigurationError(complaint)) {
            try KeysPlan(there: shares([1: 5, 2: 6]), new: 0, capacity: 5)
        }
    }

    @Test func thereIsALimitOfGroups() throws {
        #expect(
            throws: ConfigurationError("--capacity: 1000001 items would need more than 1000000 groups of 1")
        ) { try KeysPlan(there: [], new: 1_000_001, capacity: 1) }
    }

    @Test func anyCapacity() throws {
        #expect(try KeysPlan(there: shares([1: 3]), new: 3, capacity: .max).groups == shares([1: 6]))
        #expect(
            try KeysPlan(there: shares([1: 3, 2: 1]), new: 3, capacity: .max, rebalancing: true).groups
                == shares([1: 7]))
    }

    @Test func rebalancingGathers() throws {
        let plan = try KeysPlan(there: shares([1: 2, 2: 9, 3: 1, 4: 7]), new: 1, capacity: 10, rebalancing: true)
        #expect(plan.staying == shares([2: 9, 4: 7]))
        #expect(plan.groups == shares([2: 10, 4: 10]))
        #expect(plan.moved == 3)
    }

    @Test func rebalancingRelieves() throws {
        let plan = try KeysPlan(there: shares([1: 10, 2: 10]), new: 0, capacity: 7, rebalancing: true)
        #expect(plan.staying == shares([1: 7, 2: 7]))
        #expect(plan.groups == shares([1: 7, 2: 7, 3: 6]))
        #expect(plan.moved == 6)
    }

    /// Many nights of chance, with every item followed.
    @Test(arguments: 1...60)
    func stability(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let capacity = Int.random(in: 1...12, using: &random)
        var groups: [Int: [Int]] = [:]
        var last = 0
        for _ in 0..<40 {
            let leaving = Double.random(in: 0...1, using: &random)
            let there = groups.mapValues { items in
                items.filter { _ in Double.random(in: 0...1, using: &random) > leaving / 2 }
            }
            let new = Array(last..<last + Int.random(in: 0...30, using: &random))
            last += new.count
            let shares = there.map { Share(group: $0.key, items: $0.value.count) }.sorted { $0.group < $1.group }
            let plan = try KeysPlan(there: shares, new: new.count, capacity: capacity)
            #expect(plan.moved == 0)
            #expect(plan.staying == shares.filter { $0.items > 0 })

            var next = there.filter { !$0.value.isEmpty }
            var arriving = new[...]
            for share in plan.filling {
                next[share.group, default: []] += arriving.prefix(share.items)
                arriving = arriving.dropFirst(share.items)
            }
            #expect(arriving.isEmpty)
            #expect(next.values.allSatisfy { $0.count <= capacity })
            let opened = next.keys.filter { there[$0]?.isEmpty ?? true }
            if !opened.isEmpty {
                let others = next.filter { !opened.contains($0.key) }
                #expect(others.values.allSatisfy { $0.count == capacity }, "a group was opened while others had places")
                #expect(next.values.count { $0.count < capacity } <= 1)
            }
            #expect(
                plan.groups
                    == next.map { Share(group: $0.key, items: $0.value.count) }.sorted { $0.group < $1.group })
            groups = next
        }
    }

    /// As few groups as will do, and no way to have so few moves fewer items: all ways are tried.
    @Test(arguments: 1...200)
    func rebalancingMovesNoMoreThanItMust(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let capacity = Int.random(in: 1...20, using: &random)
        let there = (1...Int.random(in: 1...8, using: &random)).map { number in
            Share(group: number, items: Int.random(in: 1...25, using: &random))
        }
        let new = Int.random(in: 0...20, using: &random)
        let plan = try KeysPlan(there: there, new: new, capacity: capacity, rebalancing: true)
        let before = there.reduce(0) { $0 + $1.items }
        let needed = (before + new + capacity - 1) / capacity
        #expect(plan.groups.count == needed)
        #expect(plan.groups.allSatisfy { $0.items <= capacity })
        #expect(plan.groups.reduce(0) { $0 + $1.items } == before + new)
        let fewestMoved = (0..<1 << there.count).filter { $0.nonzeroBitCount <= needed }.map { chosen in
            let stay = there.indices.filter { chosen >> $0 & 1 == 1 }.reduce(0) { $0 + min(there[$1].items, capacity) }
            return before - stay
        }.min()
        #expect(plan.moved == fewestMoved)
    }
}
