/// Some of the 65,536 buckets.
public struct BucketSet: Sendable, Hashable {
    /// How many buckets there are.
    public static let count = 65_536

    private var words = [UInt64](repeating: 0, count: count / 64)

    public init() {}

    /// - Parameter text: Numbers and ranges, ascending and apart, as ``text`` writes them; `nil` for any other.
    public init?(_ text: some StringProtocol) {
        guard let ranges = Self.ranges(text) else { return nil }
        for range in ranges { for bucket in range { insert(bucket) } }
    }

    static func ranges(_ text: some StringProtocol) -> [ClosedRange<Int>]? {
        var ranges: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            // What is next to a range belongs into it.
            let next = ranges.last.map { $0.upperBound + 2 } ?? 0
            guard let low = Int(digits: ends[0]), let high = Int(digits: ends[ends.count - 1]), ends.count <= 2,
                low >= next, ends.count == 1 || low < high, high < Self.count
            else { return nil }
            ranges.append(low...high)
        }
        return ranges
    }

    static func text(_ range: ClosedRange<Int>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
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
                parts.append(Self.text(first...bucket - 1))
                start = nil
            }
        }
        return parts.joined(separator: ",")
    }
}
