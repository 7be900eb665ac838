/// Some of the 65,536 buckets.
public struct BucketSet: Sendable, Hashable {
    /// How many buckets there are.
    public static let count = 65_536

    private var words = [UInt64](repeating: 0, count: count / 64)

    public init() {}

    /// - Parameter text: Numbers and ranges, ascending and apart, as ``text`` writes them; `nil` for any other.
    public init?(_ text: some StringProtocol) {
        var next = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard let low = Int(digits: ends[0]), let high = Int(digits: ends[ends.count - 1]), ends.count <= 2,
                low >= next, ends.count == 1 || low < high, high < Self.count
            else { return nil }
            for bucket in low...high { insert(bucket) }
            // What is next to a range belongs into it.
            next = high + 2
        }
    }

    public func contains(_ bucket: Int) -> Bool {
        words[bucket / 64] >> UInt64(bucket % 64) & 1 == 1
    }

    public mutating func insert(_ bucket: Int) {
        words[bucket / 64] |= 1 << UInt64(bucket % 64)
    }

    public func isDisjoint(with other: BucketSet) -> Bool {
        zip(words, other.words).allSatisfy { $0 & $1 == 0 }
    }

    public mutating func formUnion(_ other: BucketSet) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    /// `0-371,1020`
    public var text: String {
        var parts: [String] = []
        var start: Int?
        for bucket in 0...Self.count {
            let isIn = bucket < Self.count && contains(bucket)
            if isIn, start == nil { start = bucket }
            if !isIn, let first = start {
                parts.append(first == bucket - 1 ? "\(first)" : "\(first)-\(bucket - 1)")
                start = nil
            }
        }
        return parts.joined(separator: ",")
    }
}
