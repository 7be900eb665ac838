/// Finds all keywords in one pass over the bytes (Aho and Corasick's automaton), ignoring ASCII case.
///
/// This is the prefilter: a rule looks only at the places where one of its keywords stands, and text without
/// keywords costs two table look-ups per byte however many rules there are.
struct KeywordScanner: Sendable {
    /// A keyword that ends in a state: how long it is and which rule asked for it.
    struct Entry: Sendable {
        let length: Int
        let rule: Int
    }

    private static let hitFlag: UInt32 = 1 << 31

    /// Bytes that occur in no keyword share class 0; the table is small enough for the first-level cache this way.
    private let classes: [UInt8]
    /// Row starts, not row numbers, so that the inner loop adds instead of multiplying.
    private let transitions: [UInt32]
    private let entriesByRow: [UInt32: [Entry]]

    /// - Parameter keywords: for every rule its keywords, in lower case.
    init(keywords: [[String]]) {
        let classes = Self.classes(of: keywords)
        let width = Int(classes.max() ?? 0) + 1
        var trie = Trie(width: width)
        for (rule, words) in keywords.enumerated() {
            for word in words {
                trie.insert(word.utf8.map { Int(classes[Int($0)]) }, entry: Entry(length: word.utf8.count, rule: rule))
            }
        }
        trie.close()

        self.classes = classes
        self.transitions = trie.next.map { target in
            UInt32(target * width) | (trie.entries[target].isEmpty ? 0 : Self.hitFlag)
        }
        var entriesByRow: [UInt32: [Entry]] = [:]
        for (state, entries) in trie.entries.enumerated() where !entries.isEmpty {
            entriesByRow[UInt32(state * width)] = entries
        }
        self.entriesByRow = entriesByRow
    }

    /// Calls `body` with the place of each keyword and the rule it belongs to, in the order of their ends.
    func forEachHit(in bytes: [UInt8], _ body: (Range<Int>, Int) -> Void) {
        bytes.withUnsafeBufferPointer { bytes in
            classes.withUnsafeBufferPointer { classes in
                transitions.withUnsafeBufferPointer { transitions in
                    var row: UInt32 = 0
                    for position in 0..<bytes.count {
                        let target = transitions[Int(row) &+ Int(classes[Int(bytes[position])])]
                        row = target & ~Self.hitFlag
                        guard target & Self.hitFlag != 0 else { continue }
                        for entry in entriesByRow[row] ?? [] {
                            body((position + 1 - entry.length)..<(position + 1), entry.rule)
                        }
                    }
                }
            }
        }
    }

    private static func classes(of keywords: [[String]]) -> [UInt8] {
        var classes = [UInt8](repeating: 0, count: 256)
        var used: UInt8 = 0
        for byte in keywords.joined().joined().utf8Bytes where classes[Int(byte)] == 0 {
            used += 1
            classes[Int(byte)] = used
        }
        for upper in Ascii.upperA...Ascii.upperZ {
            classes[Int(upper)] = classes[Int(Ascii.lowercased(upper))]
        }
        return classes
    }
}

extension Sequence where Element == Character {
    fileprivate var utf8Bytes: [UInt8] { flatMap { Array($0.utf8) } }
}

/// The automaton while it is being built: one row of `width` targets per state, -1 where there is none yet.
private struct Trie {
    let width: Int
    private(set) var next: [Int]
    private(set) var entries: [[KeywordScanner.Entry]]

    init(width: Int) {
        self.width = width
        next = Array(repeating: -1, count: width)
        entries = [[]]
    }

    mutating func insert(_ word: [Int], entry: KeywordScanner.Entry) {
        var state = 0
        for symbol in word {
            let slot = state * width + symbol
            if next[slot] < 0 {
                next[slot] = entries.count
                next.append(contentsOf: repeatElement(-1, count: width))
                entries.append([])
            }
            state = next[slot]
        }
        entries[state].append(entry)
    }

    /// Turns the tree into an automaton without failures: a missing target becomes that of the longest proper suffix,
    /// level by level, so that the suffix is always finished before it is needed.
    mutating func close() {
        var suffix = [Int](repeating: 0, count: entries.count)
        var level: [Int] = []
        for symbol in 0..<width {
            if next[symbol] < 0 { next[symbol] = 0 } else { level.append(next[symbol]) }
        }
        while !level.isEmpty {
            var following: [Int] = []
            for state in level {
                entries[state] += entries[suffix[state]]
                for symbol in 0..<width {
                    let slot = state * width + symbol
                    let fallback = next[suffix[state] * width + symbol]
                    if next[slot] < 0 {
                        next[slot] = fallback
                    } else {
                        suffix[next[slot]] = fallback
                        following.append(next[slot])
                    }
                }
            }
            level = following
        }
    }
}
