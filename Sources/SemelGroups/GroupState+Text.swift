public import Semel

// The text form, for people and for any other program:
//
//     semel-groups 1
//     layout keys
//     capacity 1000000
//     groups 2
//     group 1 items 1000000 first acct-0000001 last acct-1000000
//     group 2 items 370 first acct-1000001 last acct-1000370
//
//     1 acct-0000001
//     …
//
// In layout `buckets` a group's line ends with `buckets 0-32767`, and the text with the last group. Of a first or last key,
// a space is written %20 and a per cent sign %25.

extension GroupState {
    /// The first line.
    static let title = "semel-groups 1"

    /// Reads the header of a state, and nothing behind it.
    ///
    /// - Parameter source: What to call the text in a message: its file's path.
    /// - Throws: What is wrong, with the line and the field that it is in.
    public init(text: some Collection<UInt8>, source: String) throws(ConfigurationError) {
        var header = GroupStateHeader(source: source)
        var rest = text[...]
        // A line without its end may be cut off.
        while header.state == nil, let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            try header.take(String(decoding: rest[..<end], as: UTF8.self))
            rest = rest[rest.index(after: end)...]
        }
        self = try header.complete()
    }

    /// The header with its last line's end.
    public var header: String {
        var lines = [
            Self.title, "layout \(layout.rawValue)", "capacity \(capacity)", "groups \(groups.count)",
        ]
        for group in groups {
            var line = "group \(group.number) items \(group.items)"
            if let first = group.first { line += " first \(Self.word(first))" }
            if let last = group.last { line += " last \(Self.word(last))" }
            if let buckets = group.buckets { line += " buckets \(buckets)" }
            lines.append(line)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A key as one word of a line.
    private static func word(_ key: String) -> String {
        var bytes: [UInt8] = []
        for byte in key.utf8 { bytes += escapes.first { $0.byte == byte }.map { Array($0.word.utf8) } ?? [byte] }
        return String(decoding: bytes, as: UTF8.self)
    }

    fileprivate static func key(_ word: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(word.utf8)[...]
        while let byte = rest.first {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(rest.removeFirst())
                continue
            }
            guard let escape = escapes.first(where: { rest.starts(with: $0.word.utf8) }) else { return nil }
            bytes.append(escape.byte)
            rest = rest.dropFirst(escape.word.utf8.count)
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private static let escapes: [(byte: UInt8, word: String)] = [
        (UInt8(ascii: " "), "%20"), (UInt8(ascii: "%"), "%25"),
    ]
}

/// Reads the header of a state, line by line.
public struct GroupStateHeader: Sendable {
    private let source: String
    private var layout: GroupState.Layout?
    private var capacity: Int?
    private var groupCount: Int?
    private var groups: [GroupState.Group] = []
    private var owned = BucketSet()
    /// How many lines it has taken.
    public private(set) var lineCount = 0

    public init(source: String) {
        self.source = source
    }

    /// As soon as the last line of the header was taken.
    public var state: GroupState? {
        guard let layout, let capacity, groups.count == groupCount else { return nil }
        return GroupState(layout: layout, capacity: capacity, groups: groups)
    }

    /// At the end of the text.
    public func complete() throws(ConfigurationError) -> GroupState {
        guard let state else {
            let missing = groupCount.map { "of \($0) groups \(groups.count) are there" } ?? "the header is not complete"
            throw ConfigurationError("\(source): ends with line \(lineCount): \(missing); it is cut off")
        }
        return state
    }

    /// - Parameter line: Without its end.
    public mutating func take(_ line: String) throws(ConfigurationError) {
        lineCount += 1
        // Of bytes: a key may begin with a mark that makes one character with the space before it.
        var words = line.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            .map { Substring($0) }[...]
        switch lineCount {
        case 1:
            guard line == GroupState.title else {
                throw wrong("begins with ‘\(line.prefix(40))’, not with ‘\(GroupState.title)’: not a state of groups")
            }
            words = []
        case 2:
            let name = try value(of: "layout", &words)
            guard let layout = GroupState.Layout(rawValue: String(name)) else {
                throw wrong("layout: ‘\(name)’ is neither ‘keys’ nor ‘buckets’")
            }
            self.layout = layout
        case 3: capacity = try number(of: "capacity", &words, in: 1...Int.max)
        case 4: groupCount = try number(of: "groups", &words, in: 0...GroupState.largestNumber)
        default: try takeGroup(&words)
        }
        guard words.isEmpty else { throw wrong("‘\(words.joined(separator: " "))’: nothing is expected here") }
    }

    private mutating func takeGroup(_ words: inout ArraySlice<Substring>) throws(ConfigurationError) {
        var group = GroupState.Group(
            number: try number(of: "group", &words, in: 1...GroupState.largestNumber),
            items: try number(of: "items", &words, in: 1...Int.max))
        if let before = groups.last?.number, group.number <= before {
            throw wrong("group: \(group.number) comes behind \(before); they ascend")
        }
        switch layout {
        case .keys:
            group.first = try key(of: "first", &words)
            group.last = try key(of: "last", &words)
        case .buckets, nil:
            let text = try value(of: "buckets", &words)
            guard let buckets = BucketSet(text) else {
                throw wrong("buckets: ‘\(text.prefix(40))’ are not ascending numbers and ranges such as 0-371,1020")
            }
            guard owned.isDisjoint(with: buckets) else {
                throw wrong("buckets: some of ‘\(text.prefix(40))’ belong to a group before")
            }
            owned.formUnion(buckets)
            group.buckets = String(text)
        }
        groups.append(group)
    }

    private func key(of name: String, _ words: inout ArraySlice<Substring>) throws(ConfigurationError) -> String {
        let word = try value(of: name, &words)
        guard let key = GroupState.key(word) else {
            throw wrong("\(name): ‘\(word)’ is no key; a space is written %20 and a per cent sign %25")
        }
        return key
    }

    private func number(of name: String, _ words: inout ArraySlice<Substring>, in range: ClosedRange<Int>)
        throws(ConfigurationError) -> Int
    {
        let word = try value(of: name, &words)
        guard let number = Int(digits: word), range.contains(number) else {
            let bound = range.upperBound == .max ? "" : " and at most \(range.upperBound)"
            throw wrong("\(name): ‘\(word.prefix(40))’ is not a number of at least \(range.lowerBound)\(bound)")
        }
        return number
    }

    private func value(of name: String, _ words: inout ArraySlice<Substring>) throws(ConfigurationError) -> Substring {
        guard words.first == name[...], words.count > 1 else {
            throw wrong("\(name): is missing; here is ‘\(words.joined(separator: " ").prefix(40))’")
        }
        words.removeFirst()
        return words.removeFirst()
    }

    private func wrong(_ problem: String) -> ConfigurationError {
        ConfigurationError("\(source):\(lineCount): \(problem)")
    }
}

extension Int {
    /// Decimal digits and nothing else, no sign and no zero in front: each number has one text.
    init?(digits: some StringProtocol) {
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            digits.count == 1 || !digits.hasPrefix("0"), let number = Int(digits)
        else { return nil }
        self = number
    }
}
