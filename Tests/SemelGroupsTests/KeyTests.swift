import Semel
import SemelGroups
import TestSupport
import Testing

@Suite struct KeyTests {
    private func digest(_ text: String) throws -> KeyDigest {
        let hasher = try KeyHasher()
        return try Array(text.utf8).withUnsafeBytes { bytes in try hasher.digest(bytes) }
    }

    /// Of NIST's examples for SHA-256; the bucket is that of `printf %s 17 | sha256sum | cut -c 1-4`.
    @Test func digests() throws {
        #expect(try digest("abc").text == "ba7816bf8f01cfea414140de5dae2223")
        #expect(try digest("").text == "e3b0c44298fc1c149afbf4c8996fb924")
        #expect(
            try digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").text
                == "248d6a61d20638b8e5c026930c3e6039")
        #expect(try digest("17").bucket == 0x4523)
    }

    @Test func oneHasherForMany() throws {
        let hasher = try KeyHasher()
        for text in ["abc", "", "abc"] {
            let one = try Array(text.utf8).withUnsafeBytes { bytes in try hasher.digest(bytes) }
            #expect(try one == digest(text))
        }
    }

    private static let keys: [(key: [UInt8], problem: String?)] = [
        (Array("acct-17".utf8), nil), ([0x20], nil), (Array("日本 é".utf8), nil),
        (Array(repeating: 0x61, count: 1024), nil),
        (Array(repeating: 0x61, count: 1025), "is longer than 1024 bytes"),
        ([0x61, 0x09], "has a tab in it"), ([0], "has a control character in it (byte 0)"),
        ([0x61, 0x0d, 0x62], "has a control character in it (byte 13)"),
        ([0x7f], "has a control character in it (byte 127)"),
        ([0xff, 0x61], "is not UTF-8"), ([0xc3], "is not UTF-8"), ([0xed, 0xa0, 0x80], "is not UTF-8"),
        ([0x1f, 0x8b, 0x08], "has a control character in it (byte 31)"),
    ]

    @Test(arguments: keys)
    func whatAKeyMayBe(_ key: [UInt8], _ problem: String?) {
        #expect(key.withUnsafeBytes { ItemKey.problem($0) } == problem)
    }

    @Test func aCarriageReturnBelongsToTheLinesEnd() {
        func key(_ text: String) -> String {
            Array(text.utf8).withUnsafeBytes { String(decoding: ItemKey.key(in: $0), as: UTF8.self) }
        }
        #expect(key("a\r") == "a")
        #expect(key("a\r\r") == "a\r")
        #expect(key("a ") == "a ")
        #expect(key("\r") == "")
        #expect(key("") == "")
    }
}

@Suite struct LineCutterTests {
    private func lines(_ bytes: [UInt8], pieces: [Int], longest: Int = 100) -> [String] {
        var cutter = LineCutter(longest: longest)
        var lines: [String] = []
        var rest = bytes[...]
        for size in pieces + [bytes.count] {
            Array(rest.prefix(size)).withUnsafeBytes { piece in
                cutter.cut(piece) { line, number in lines.append("\(number) \(String(decoding: line, as: UTF8.self))") }
            }
            rest = rest.dropFirst(size)
        }
        cutter.finish { line, number in lines.append("\(number) \(String(decoding: line, as: UTF8.self))") }
        return lines
    }

    /// However the bytes are cut into pieces, the lines are the same.
    @Test(arguments: 1...100)
    func piecesMakeNoDifference(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let bytes: [UInt8] = (0..<Int.random(in: 0...60, using: &random)).map { _ in
            [10, 97, 98, 13].randomElement(using: &random) ?? 0
        }
        let text = String(decoding: bytes, as: UTF8.self)
        var expected = text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { String(Substring($0)) }
        if expected.last == "" { expected.removeLast() }
        let pieces = (0..<20).map { _ in Int.random(in: 0...9, using: &random) }
        #expect(lines(bytes, pieces: pieces) == expected.enumerated().map { "\($0 + 1) \($1)" })
    }

    /// What is too long is given as soon as it is, not kept.
    @Test func aLineWithoutEnd() {
        let bytes = [UInt8](repeating: 0x61, count: 100)
        let found = lines(bytes, pieces: [4, 4, 4], longest: 10)
        #expect(found.first == "1 aaaaaaaaaaaa")
    }
}

@Suite struct KeyTableTests {
    private static func digests(_ count: Int, seed: UInt64) -> [KeyDigest] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in KeyDigest(high: random.next(), low: random.next()) }
    }

    /// Whatever was expected, it knows what a set would know.
    @Test(arguments: [(0, 30_000), (30_000, 30_000), (5_000, 30_000), (100, 3)])
    func likeASet(_ expected: Int, _ count: Int) throws {
        let table = try KeyTable(expecting: expected)
        let digests = Self.digests(count, seed: 1)
        let (known, seen) = (digests.prefix(count / 2), digests.dropFirst(count / 4))
        let both = known.count - count / 4
        #expect(try known.allSatisfy { try table.learn($0) })
        #expect(try !known.contains { try table.learn($0) })
        #expect(!known.contains { table.hasCome($0) })
        #expect(try seen.prefix(both).allSatisfy { try table.see($0) == .known })
        #expect(try seen.dropFirst(both).allSatisfy { try table.see($0) == .new })
        #expect(try seen.allSatisfy { try table.see($0) == .again })
        #expect(seen.allSatisfy { table.hasCome($0) })
        #expect(!digests.prefix(count / 4).contains { table.hasCome($0) })
        #expect(!Self.digests(100, seed: 2).contains { table.hasCome($0) })
    }

    /// Keys that are next to each other in the table are told apart by every bit of the 80.
    @Test func everyBitCounts() throws {
        let table = try KeyTable(expecting: 0)
        let one = KeyDigest(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)
        #expect(try table.learn(one))
        for bit in 32..<48 { #expect(try table.learn(KeyDigest(high: one.high ^ 1 << UInt64(bit), low: one.low))) }
        for bit in 0..<64 { #expect(try table.learn(KeyDigest(high: one.high, low: one.low ^ 1 << UInt64(bit)))) }
        #expect(try !table.learn(one))
    }
}

@Suite struct BucketSetTests {
    @Test(arguments: 1...50)
    func textAndBack(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var set = BucketSet()
        for _ in 0..<Int.random(in: 1...200, using: &random) {
            let low = Int.random(in: 0..<BucketSet.count, using: &random)
            for bucket in low...min(BucketSet.count - 1, low + Int.random(in: 0...3, using: &random)) {
                set.insert(bucket)
            }
        }
        let read = try #require(BucketSet(set.text))
        #expect(read == set)
        #expect(!read.isDisjoint(with: set))
    }

    @Test func allAndNone() {
        #expect(BucketSet().text == "")
        #expect(BucketSet("0-65535")?.text == "0-65535")
        #expect(BucketSet("65535")?.contains(65_535) == true)
    }
}
