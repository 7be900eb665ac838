import Glibc
public import Semel

/// Which keys are known, and which of them have come. A key takes a place of 9 bytes, and at most 80 % of the places are in
/// use: ten million keys take 115 to 145 MB.
///
/// A key is told from others by 80 bits of its SHA-256. That two of ten million share them has a probability of
/// 4 · 10⁻¹¹; of a hundred million, 4 · 10⁻⁹.
public final class KeyTable {
    public enum Sight: Sendable, Hashable {
        /// It was not known.
        case new
        /// It was known, and has not come before.
        case known
        case again
    }

    /// By 10 bits of the digest that are stored nowhere else. Each part grows by itself, so that growing takes little room.
    private let parts: UnsafeMutablePointer<KeyTablePart>
    private static let partCount = 1024

    /// - Parameter count: How many keys there will be, as far as is known.
    public init(expecting count: Int) throws(SystemError) {
        parts = .allocate(capacity: Self.partCount)
        parts.initialize(repeating: KeyTablePart(), count: Self.partCount)
        // Keys spread over the parts by chance: 5 % more than the mean is enough for nearly all of them.
        let places = (count / Self.partCount + count / Self.partCount / 20) * 5 / 4 + 8
        for index in 0..<Self.partCount { try parts[index].resize(to: places) }
    }

    deinit {
        for index in 0..<Self.partCount { parts[index].free() }
        parts.deallocate()
    }

    /// Remembers a key. Returns `false` when it was known before.
    public func learn(_ digest: KeyDigest) throws(SystemError) -> Bool {
        let part = part(of: digest)
        let place = try part.pointee.place(of: digest)
        guard !part.pointee.isUsed(place) else { return false }
        part.pointee.use(place, for: digest, hasCome: false)
        return true
    }

    /// A key has come.
    public func see(_ digest: KeyDigest) throws(SystemError) -> Sight {
        let part = part(of: digest)
        let place = try part.pointee.place(of: digest)
        guard part.pointee.isUsed(place) else {
            part.pointee.use(place, for: digest, hasCome: true)
            return .new
        }
        return part.pointee.markCome(place) ? .known : .again
    }

    /// Whether this key has come.
    public func hasCome(_ digest: KeyDigest) -> Bool {
        let part = part(of: digest)
        return part.pointee.hasCome(part.pointee.search(for: digest))
    }

    private func part(of digest: KeyDigest) -> UnsafeMutablePointer<KeyTablePart> {
        parts + Int(digest.high >> 38 & UInt64(Self.partCount - 1))
    }
}

/// Open addressing with linear probing. A place is a mark of one byte, and 64 bits of the digest.
private struct KeyTablePart {
    private static let used: UInt8 = 0x80
    private static let come: UInt8 = 0x40

    private var places = 0
    private var count = 0
    private var words: UnsafeMutablePointer<UInt64>?
    private var marks: UnsafeMutablePointer<UInt8>?

    /// Where the key is, or is to be.
    mutating func place(of digest: KeyDigest) throws(SystemError) -> Int {
        if count >= places / 10 * 8 { try resize(to: places + places / 4 + 8) }
        return search(for: digest)
    }

    /// Where the key is; a place that is not used, if it is nowhere.
    func search(for digest: KeyDigest) -> Int {
        search(digest.low, Self.mark(of: digest))
    }

    func isUsed(_ place: Int) -> Bool { marks.map { $0[place] & Self.used != 0 } ?? false }
    func hasCome(_ place: Int) -> Bool { marks.map { $0[place] & Self.come != 0 } ?? false }

    mutating func use(_ place: Int, for digest: KeyDigest, hasCome: Bool) {
        words?[place] = digest.low
        marks?[place] = Self.mark(of: digest) | (hasCome ? Self.come : 0)
        count += 1
    }

    /// Returns `false` when it has come before.
    mutating func markCome(_ place: Int) -> Bool {
        defer { marks?[place] |= Self.come }
        return !hasCome(place)
    }

    private static func mark(of digest: KeyDigest) -> UInt8 {
        used | UInt8(truncatingIfNeeded: digest.high >> 32 & 0x3f)
    }

    private func search(_ word: UInt64, _ mark: UInt8) -> Int {
        guard let marks, let words else { return 0 }
        var place = Int(((word >> 32) * UInt64(places)) >> 32)
        while marks[place] != 0, marks[place] & ~Self.come != mark || words[place] != word {
            place = place + 1 == places ? 0 : place + 1
        }
        return place
    }

    /// Straight from the system, and back to it: the heap would keep what smaller parts have left.
    mutating func resize(to newPlaces: Int) throws(SystemError) {
        let memory = mmap(nil, newPlaces * 9, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { throw SystemError(doing: "hold the keys") }
        let old = self
        places = newPlaces
        words = memory.bindMemory(to: UInt64.self, capacity: newPlaces)
        marks = (memory + newPlaces * 8).bindMemory(to: UInt8.self, capacity: newPlaces)
        if let oldWords = old.words, let oldMarks = old.marks {
            for place in 0..<old.places where oldMarks[place] != 0 {
                let new = search(oldWords[place], oldMarks[place] & ~Self.come)
                words?[new] = oldWords[place]
                marks?[new] = oldMarks[place]
            }
        }
        old.free()
    }

    func free() {
        if let words { munmap(words, places * 9) }
    }
}
