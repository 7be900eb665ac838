import Glibc
import Semel
import SemelGroups

/// A state in layout `keys` on its way to be the next one: which of the old items stay, and where all others go.
struct KeysDraft {
    private let old: StateKeys?
    /// Of the old items, in the order of the text: which of them stay.
    private var stays: Bitmap
    /// The old groups without what is gone.
    private(set) var there: [KeysPlan.Share]

    /// Looks which of the old items have come.
    ///
    /// - Parameter comeCount: How many of them have.
    init(old: StateKeys?, _ table: KeyTable, _ hasher: KeyHasher, comeCount: Int) throws(CommandFailure) {
        self.old = old
        let groups = old?.header.groups ?? []
        let haveAllCome = comeCount == old?.header.items
        stays = Bitmap(count: old?.header.items ?? 0, all: haveAllCome)
        there = groups.map { KeysPlan.Share(group: $0.number, items: haveAllCome ? $0.items : 0) }
        if !haveAllCome { try look(table, hasher) }
    }

    private mutating func look(_ table: KeyTable, _ hasher: KeyHasher) throws(CommandFailure) {
        var (stays, there) = (stays, there)
        var index = 0
        try old?.read { group, key throws(CommandFailure) in
            let hasCome = try CommandFailure.wrapping { () throws(SystemError) in
                try table.hasCome(hasher.digest(key))
            }
            if hasCome {
                stays[index] = true
                there[group].items += 1
            }
            index += 1
            return true
        }
        (self.stays, self.there) = (stays, there)
    }

    /// Writes the text.
    ///
    /// - Parameters:
    ///   - plan: Made of what is ``there``.
    ///   - scratch: The new keys, a line each; those that are moved are added.
    mutating func write(_ plan: KeysPlan, capacity: Int, scratch: CInt, to draft: CInt) throws(CommandFailure) {
        var ranges = try settle(plan, scratch)
        let fills = try measure(plan, scratch)
        for fill in fills { ranges[fill.group] = KeyRange(ranges[fill.group], fill.range) }
        let groups = plan.groups.map { share in
            GroupState.Group(
                number: share.group, items: share.items, first: ranges[share.group]?.firstText,
                last: ranges[share.group]?.lastText)
        }
        let state = GroupState(layout: .keys, capacity: capacity, groups: groups)
        var text = KeysText(draft, scratch: scratch, fills: fills)
        try text.write(state.header + "\n")
        var index = 0
        try old?.read { [stays] group, key throws(CommandFailure) in
            if stays[index] { try text.write(key, in: there[group].group) }
            index += 1
            return true
        }
        try text.end()
    }

    /// Sends away from each group what is not to stay. Returns the ranges of those that do.
    private mutating func settle(_ plan: KeysPlan, _ scratch: CInt) throws(CommandFailure) -> [Int: KeyRange] {
        let staying = Dictionary(uniqueKeysWithValues: plan.staying.map { ($0.group, $0.items) })
        var left = there.map { staying[$0.group, default: 0] }
        var ranges = [KeyRange?](repeating: nil, count: there.count)
        var index = 0
        var moved = FileWriter(scratch, name: "the moved keys")
        var stays = stays
        try old?.read { group, key throws(CommandFailure) in
            if stays[index] {
                if left[group] > 0 {
                    left[group] -= 1
                    ranges[group].include(key)
                } else {
                    stays[index] = false
                    try moved.writeLine(key)
                }
            }
            index += 1
            return true
        }
        try moved.flush()
        self.stays = stays
        return Dictionary(
            uniqueKeysWithValues: zip(there, ranges).compactMap { share, range in
                range.map { (share.group, $0) }
            })
    }

    /// Where in the scratch file the keys are that each group gets.
    private func measure(_ plan: KeysPlan, _ scratch: CInt) throws(CommandFailure) -> [Fill] {
        var fills: [Fill] = []
        var shares = plan.filling[...]
        var left = 0
        var position = 0
        var range: KeyRange?
        var cutter = LineCutter(longest: ItemKey.longest)
        try FileBytes(scratch, name: "the new keys").read { piece throws(CommandFailure) in
            cutter.cut(piece) { key, _ in
                if left == 0, let share = shares.first {
                    left = share.items
                    fills.append(Fill(group: share.group, bytes: position..<position, range: nil))
                    range = nil
                }
                left -= 1
                position += key.count + 1
                range.include(key)
                if left == 0 {
                    fills[fills.count - 1].bytes = fills[fills.count - 1].bytes.lowerBound..<position
                    fills[fills.count - 1].range = range
                    shares.removeFirst()
                }
            }
            return true
        }
        return fills
    }
}

/// Keys that a group gets: those in a range of the scratch file's bytes.
struct Fill {
    var group: Int
    var bytes: Range<Int>
    var range: KeyRange?
}

/// Writes a state's items, group by group: those that stay as they are given, and behind them those that are new in it.
private struct KeysText: ~Copyable {
    private var output: FileWriter
    private let scratch: CInt
    /// In the order of the groups.
    private var fills: ArraySlice<Fill>
    private var group = 0
    private var prefix: [UInt8] = []

    init(_ draft: CInt, scratch: CInt, fills: [Fill]) {
        output = FileWriter(draft, name: "the new state")
        self.scratch = scratch
        self.fills = fills.sorted { $0.group < $1.group }[...]
    }

    mutating func write(_ header: String) throws(CommandFailure) {
        try output.write(Array(header.utf8))
    }

    /// - Parameter group: No smaller than the one before.
    mutating func write(_ key: UnsafeRawBufferPointer, in group: Int) throws(CommandFailure) {
        if group != self.group {
            try fill(before: group)
            begin(group)
        }
        try output.write(prefix)
        try output.writeLine(key)
    }

    mutating func end() throws(CommandFailure) {
        try fill(before: .max)
        try output.flush()
    }

    private mutating func begin(_ group: Int) {
        self.group = group
        prefix = Array("\(group) ".utf8)
    }

    private mutating func fill(before group: Int) throws(CommandFailure) {
        while let fill = fills.first, fill.group < group {
            fills.removeFirst()
            begin(fill.group)
            var cutter = LineCutter(longest: ItemKey.longest)
            try FileBytes(scratch, name: "the new keys").read(fill.bytes) { piece throws(CommandFailure) in
                try cutter.cut(piece) { key, _ throws(CommandFailure) in
                    try output.write(prefix)
                    try output.writeLine(key)
                }
                return true
            }
        }
    }
}

/// The smallest and the largest of some keys, byte by byte.
struct KeyRange {
    private var first: [UInt8]
    private var last: [UInt8]

    init(_ key: UnsafeRawBufferPointer) {
        first = Array(key)
        last = first
    }

    /// Of two ranges; `nil` when both are.
    init?(_ one: KeyRange?, _ other: KeyRange?) {
        guard var range = one ?? other else { return nil }
        if let other {
            other.first.withUnsafeBytes { range.include($0) }
            other.last.withUnsafeBytes { range.include($0) }
        }
        self = range
    }

    var firstText: String { String(decoding: first, as: UTF8.self) }
    var lastText: String { String(decoding: last, as: UTF8.self) }

    mutating func include(_ key: UnsafeRawBufferPointer) {
        if Self.isLess(key, first) { Self.replace(&first, key) }
        if Self.isLess(last, key) { Self.replace(&last, key) }
    }

    private static func replace(_ bytes: inout [UInt8], _ key: UnsafeRawBufferPointer) {
        // In the room that it has: keys that ascend replace it every time.
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: key)
    }

    private static func isLess(_ one: UnsafeRawBufferPointer, _ other: [UInt8]) -> Bool {
        other.withUnsafeBytes { isLess(one, $0) }
    }

    private static func isLess(_ one: [UInt8], _ other: UnsafeRawBufferPointer) -> Bool {
        one.withUnsafeBytes { isLess($0, other) }
    }

    private static func isLess(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        guard let start = one.baseAddress, let otherStart = other.baseAddress else { return one.count < other.count }
        let order = memcmp(start, otherStart, min(one.count, other.count))
        return order == 0 ? one.count < other.count : order < 0
    }
}

extension KeyRange? {
    fileprivate mutating func include(_ key: UnsafeRawBufferPointer) {
        if self == nil { self = KeyRange(key) } else { self?.include(key) }
    }
}

/// One bit for each of many.
struct Bitmap {
    private var words: [UInt64]

    init(count: Int, all: Bool) {
        words = Array(repeating: all ? .max : 0, count: count / 64 + 1)
    }

    subscript(index: Int) -> Bool {
        get { words[index / 64] >> UInt64(index % 64) & 1 == 1 }
        set {
            let bit: UInt64 = 1 << UInt64(index % 64)
            if newValue { words[index / 64] |= bit } else { words[index / 64] &= ~bit }
        }
    }
}
