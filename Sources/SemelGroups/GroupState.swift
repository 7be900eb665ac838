/// Which items belong to which group: what is remembered from one night to the next.
///
/// This is the small part of it, the header of the text form. In layout ``Layout/keys`` that text goes on with a line for
/// each item, which is never in memory as a whole.
public struct GroupState: Sendable, Hashable {
    public enum Layout: String, Sendable, CaseIterable {
        /// Every item's key is in the state.
        case keys
        /// An item belongs to one of 65,536 buckets by its key's SHA-256, and a bucket to a group.
        case buckets
    }

    public struct Group: Sendable, Hashable {
        /// From 1; not given to other items as long as the group has any.
        public var number: Int
        /// At least 1: a group without items is not in the state.
        public var items: Int
        /// The smallest key, byte by byte; in layout ``Layout/keys``.
        public var first: String?
        /// The largest key. What lies between the two may belong to other groups as well.
        public var last: String?
        /// Numbers and ranges of buckets, ascending: `0-371,1020`; in layout ``Layout/buckets``.
        public var buckets: String?

        public init(
            number: Int, items: Int, first: String? = nil, last: String? = nil, buckets: String? = nil
        ) {
            self.number = number
            self.items = items
            self.first = first
            self.last = last
            self.buckets = buckets
        }
    }

    public var layout: Layout
    /// How many items a group may have.
    public var capacity: Int
    /// In the order of their numbers.
    public var groups: [Group]

    public init(layout: Layout, capacity: Int, groups: [Group]) {
        self.layout = layout
        self.capacity = capacity
        self.groups = groups
    }

    public var items: Int { groups.reduce(0) { $0 + $1.items } }

    /// The largest number that a group may have, so that a bad file cannot ask for any amount of memory.
    public static let largestNumber = 1_000_000
}
