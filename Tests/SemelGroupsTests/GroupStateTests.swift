import Semel
import SemelGroups
import Testing

/// The text form of a state's header: what is written is read again, and what is wrong is said with its line and field.
@Suite struct GroupStateTests {
    private static let keys = """
        semel-groups 1
        layout keys
        capacity 2
        groups 2
        group 1 items 2 first a%20b last zz
        group 7 items 1 first 100%25 last 100%25

        """
    private static let buckets = """
        semel-groups 1
        layout buckets
        capacity 2
        groups 2
        group 1 items 2 buckets 0-371,1020
        group 2 items 1 buckets 372-1019,1021-65535

        """

    private func read(_ text: String) throws(ConfigurationError) -> GroupState {
        try GroupState(text: Array(text.utf8), source: "state")
    }

    @Test func aHeaderOfKeys() throws {
        let state = try read(Self.keys + "\n1 a b\n1 zz\n7 100%\n")
        #expect(
            state
                == GroupState(
                    layout: .keys, capacity: 2,
                    groups: [
                        GroupState.Group(number: 1, items: 2, first: "a b", last: "zz"),
                        GroupState.Group(number: 7, items: 1, first: "100%", last: "100%"),
                    ]))
        #expect(state.items == 3)
        #expect(state.header == Self.keys)
    }

    @Test func aHeaderOfBuckets() throws {
        let state = try read(Self.buckets)
        #expect(state.groups.map(\.buckets) == ["0-371,1020", "372-1019,1021-65535"])
        #expect(state.header == Self.buckets)
    }

    /// A mark that combines with what is before it makes one character with the space that separates words.
    @Test(arguments: ["\u{301}", "e\u{301} \u{301}", "日本語", "\u{FEFF}", "a%20b", "%", " "])
    func keysAreBytes(_ key: String) throws {
        let state = GroupState(
            layout: .keys, capacity: 1, groups: [GroupState.Group(number: 1, items: 1, first: key, last: key)])
        let group = try #require(try read(state.header).groups.first)
        #expect(group.first.map { Array($0.utf8) } == Array(key.utf8))
        #expect(group.last.map { Array($0.utf8) } == Array(key.utf8))
    }

    @Test func noGroups() throws {
        let state = GroupState(layout: .keys, capacity: 5, groups: [])
        #expect(try read(state.header) == state)
    }

    private static let mistakes: [(change: (String, String), complaint: String)] = [
        (
            ("semel-groups 1", "apiVersion: v1"),
            "state:1: begins with ‘apiVersion: v1’, not with ‘semel-groups 1’: not a state of groups"
        ),
        (("layout keys", "layout key"), "state:2: layout: ‘key’ is neither ‘keys’ nor ‘buckets’"),
        (("layout keys", "capacity 2"), "state:2: layout: is missing; here is ‘capacity 2’"),
        (("capacity 2", "capacity 0"), "state:3: capacity: ‘0’ is not a number of at least 1"),
        (("capacity 2", "capacity -2"), "state:3: capacity: ‘-2’ is not a number of at least 1"),
        (("capacity 2", "capacity 2 "), "state:3: ‘’: nothing is expected here"),
        (("groups 2", "groups two"), "state:4: groups: ‘two’ is not a number of at least 0 and at most 1000000"),
        (("group 1", "group 01"), "state:5: group: ‘01’ is not a number of at least 1 and at most 1000000"),
        (("items 2", "items 0"), "state:5: items: ‘0’ is not a number of at least 1"),
        (
            ("items 2", "items 99999999999999999999"),
            "state:5: items: ‘99999999999999999999’ is not a number of at least 1"
        ),
        (
            ("first a%20b", "first a%2"),
            "state:5: first: ‘a%2’ is no key; a space is written %20 and a per cent sign %25"
        ),
        (("last zz", "last"), "state:5: last: is missing; here is ‘last’"),
        (("group 7", "group 1"), "state:6: group: 1 comes behind 1; they ascend"),
        (("groups 2", "groups 3"), "state: ends with line 6: of 3 groups 2 are there; it is cut off"),
    ]

    @Test(arguments: mistakes)
    func mistakesAreNamed(_ change: (String, String), _ complaint: String) {
        #expect(throws: ConfigurationError(complaint)) {
            try read(Self.keys.replacing(change.0, with: change.1, maxReplacements: 1))
        }
    }

    private static let bucketMistakes = [
        "0-371,371", "5-4", "1,2", "1-1", "65536", "0-65536", "-5", "", "1,,3", "4,1", "1-2-3", "a",
    ]

    @Test(arguments: bucketMistakes)
    func bucketsAscend(_ text: String) {
        let problem = "‘\(text)’ are not ascending numbers and ranges such as 0-371,1020"
        #expect(throws: ConfigurationError("state:5: buckets: \(problem)")) {
            try read(Self.buckets.replacing("0-371,1020", with: text))
        }
    }

    @Test func aBucketHasOneGroup() {
        #expect(throws: ConfigurationError("state:6: buckets: some of ‘371-1019’ belong to a group before")) {
            try read(Self.buckets.replacing("372-1019,1021-65535", with: "371-1019"))
        }
    }

    /// Wherever it is cut off, that is noticed.
    @Test func aTextThatIsCutOff() throws {
        for text in [Self.keys, Self.buckets] {
            for count in 0..<text.utf8.count {
                let part = Array(text.utf8.prefix(count))
                #expect(throws: ConfigurationError.self) { try GroupState(text: part, source: "state") }
            }
        }
        let lines = Self.keys.split(separator: "\n")
        #expect(throws: ConfigurationError("state: ends with line 5: of 2 groups 1 are there; it is cut off")) {
            try read(lines.prefix(5).joined(separator: "\n") + "\n")
        }
    }
}
