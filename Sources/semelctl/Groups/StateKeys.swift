import Semel
import SemelGroups

/// The text of a state in layout `keys`: its header, and then a line for each item, group by group.
struct StateKeys {
    /// The longest line there may be: that of a group with as many ranges of buckets as possible.
    static let longestLine = 1 << 20

    private let descriptor: CInt
    private let source: String
    let header: GroupState

    /// Reads the header.
    ///
    /// - Parameter source: What to call the text in a message.
    init(_ descriptor: CInt, source: String) throws(CommandFailure) {
        self.descriptor = descriptor
        self.source = source
        var header = GroupStateHeader(source: source)
        var cutter = LineCutter(longest: Self.longestLine)
        try FileBytes(descriptor, name: source).read { piece throws(CommandFailure) in
            try cutter.cut(piece) { line, _ throws(CommandFailure) in
                guard header.state == nil else { return }
                try CommandFailure.wrapping { () throws(ConfigurationError) in
                    try header.take(String(decoding: line, as: UTF8.self))
                }
            }
            return header.state == nil
        }
        self.header = try CommandFailure.wrapping { () throws(ConfigurationError) in try header.complete() }
    }

    /// Gives every key with its group's place in the header, and checks that they are as many as the header says.
    ///
    /// - Parameter take: Returns `false` when it wants no more.
    func read(_ take: (_ group: Int, _ key: UnsafeRawBufferPointer) throws(CommandFailure) -> Bool)
        throws(CommandFailure)
    {
        var body = StateBody(header: header, source: source)
        var cutter = LineCutter(longest: Self.longestLine)
        var wantsMore = true
        try FileBytes(descriptor, name: source).read { piece throws(CommandFailure) in
            try cutter.cut(piece) { line, number throws(CommandFailure) in
                guard wantsMore, let (group, key) = try body.key(in: line, number) else { return }
                wantsMore = try take(group, key)
            }
            return wantsMore
        }
        if wantsMore { try body.checkEnd(hasRest: cutter.hasRest) }
    }
}

/// Follows the lines of a state's text behind its header.
struct StateBody {
    private let groups: [GroupState.Group]
    private let source: String
    private let firstLine: Int
    /// Whose keys come, and how many of them have come.
    private var group = 0
    private var count = 0
    private var prefix: [UInt8] = []

    init(header: GroupState, source: String) {
        groups = header.groups
        self.source = source
        firstLine = 4 + groups.count + 1
        prefix = Self.prefix(groups.first)
    }

    private static func prefix(_ group: GroupState.Group?) -> [UInt8] {
        group.map { Array("\($0.number) ".utf8) } ?? []
    }

    /// - Returns: The key, with its group's place in the header; `nil` for a line of the header.
    mutating func key(in line: UnsafeRawBufferPointer, _ number: Int) throws(CommandFailure)
        -> (group: Int, key: UnsafeRawBufferPointer)?
    {
        guard number >= firstLine else { return nil }
        if number == firstLine {
            guard line.isEmpty else {
                throw wrong(number, "groups: more lines follow than groups; an empty one is expected")
            }
            return nil
        }
        while group < groups.count, count == groups[group].items { nextGroup() }
        guard group < groups.count else { throw wrong(number, "groups: has no more items by its header") }
        guard line.starts(with: prefix) else {
            throw wrong(
                number,
                "is not an item of group \(groups[group].number), which has \(groups[group].items) by its header and "
                    + "\(count) so far")
        }
        let key = UnsafeRawBufferPointer(rebasing: line[prefix.count...])
        if let problem = key.isEmpty ? "is empty" : ItemKey.problem(key) { throw wrong(number, "the key \(problem)") }
        count += 1
        return (group, key)
    }

    private mutating func nextGroup() {
        group += 1
        count = 0
        prefix = Self.prefix(group < groups.count ? groups[group] : nil)
    }

    /// Whether all that the header promises has come.
    func checkEnd(hasRest: Bool) throws(CommandFailure) {
        let isLast = group + 1 >= groups.count && (groups.last.map { $0.items == count } ?? true)
        guard isLast, !hasRest else {
            throw .misconfigured("\(source): ends before its last item by the header; it is cut off")
        }
    }

    private func wrong(_ line: Int, _ problem: String) -> CommandFailure {
        .misconfigured("\(source):\(line): \(problem)")
    }
}
