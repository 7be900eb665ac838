import NIOCore
import Testing

@testable import SemelRedis

@Suite struct RedisKeysTests {
    @Test(arguments: [
        ("usertask", "{usertask}"), ("a:b:c", "{a:b:c}"), ("{shop}:orders", "{shop}:orders"), ("a{b}c", "a{b}c"),
        ("a{b", "{a{b}"), ("a b", "{a b}"),
    ])
    func standInTheSlotOfTheList(list: String, prefix: String) {
        let keys = RedisKeys(list: list)
        #expect(keys.list == list)
        #expect(keys.leases == "\(prefix):leases")
        #expect(keys.payloads == "\(prefix):payloads")
        #expect(keys.attempts == "\(prefix):attempts")
        #expect(keys.delayed == "\(prefix):delayed")
        #expect(keys.dead == "\(prefix):dead")
        #expect(keys.result("m-1") == "\(prefix):result:m-1")
        #expect(keys.settled("m-1") == "\(prefix):settled:m-1")
        for key in [keys.leases, keys.payloads, keys.attempts, keys.delayed, keys.dead, keys.result("x")] {
            #expect(hashTag(key) == hashTag(list))
        }
    }

    @Test func noTwoListsShareTheirKeys() {
        let lists = ["a", "a:leases", "{a}", "b", "{a}:b"]
        let keys = lists.map { RedisKeys(list: $0) }
        #expect(Set(keys.map(\.list)).count == 5)
        // `a` and `{a}` are the exception: whoever names both must know.
        #expect(Set(keys.map(\.leases)).count == 4)
    }

    /// What Redis Cluster hashes of a key: what stands between the first `{` and the next `}`, if anything does.
    private func hashTag(_ key: String) -> Substring {
        guard let open = key.firstIndex(of: "{") else { return key[...] }
        let rest = key[key.index(after: open)...]
        guard let close = rest.firstIndex(of: "}"), close > rest.startIndex else { return key[...] }
        return rest[..<close]
    }
}

@Suite struct RESPTests {
    private func encoded(_ arguments: [RedisArgument]) throws -> [UInt8] {
        let buffer = try #require(RESP.encode(arguments, allocator: ByteBufferAllocator()))
        return Array(buffer.readableBytesView)
    }

    private func reader(_ text: String) -> RESPReader {
        let reader = RESPReader()
        reader.feed(ByteBuffer(string: text))
        return reader
    }

    @Test func commands() throws {
        #expect(String(decoding: try encoded(["PING"]), as: UTF8.self) == "*1\r\n$4\r\nPING\r\n")
        #expect(
            String(decoding: try encoded(["SET", "käy", RedisArgument(-42)]), as: UTF8.self)
                == "*3\r\n$3\r\nSET\r\n$4\r\nkäy\r\n$3\r\n-42\r\n")
    }

    @Test func emptyArguments() throws {
        #expect(String(decoding: try encoded(["ECHO", ""]), as: UTF8.self) == "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n")
        #expect(String(decoding: try encoded([""]), as: UTF8.self) == "*1\r\n$0\r\n\r\n")
        #expect(String(decoding: try encoded(["", "a", ""]), as: UTF8.self) == "*3\r\n$0\r\n\r\n$1\r\na\r\n$0\r\n\r\n")
    }

    @Test func argumentsOfAnyBytes() throws {
        let bytes = (0...255).map { UInt8($0) }
        let head = Array("*2\r\n$4\r\nECHO\r\n$256\r\n".utf8)
        #expect(try encoded(["ECHO", RedisArgument(bytes)]) == head + bytes + [13, 10])
    }

    @Test func scriptsSayHowManyKeysTheyHave() throws {
        let command = RedisScripts.run("return 1", keys: ["k1", "k2"], ["a"])
        #expect(
            command.map { String(decoding: $0.bytes, as: UTF8.self) } == ["EVAL", "return 1", "2", "k1", "k2", "a"])
    }

    @Test func replies() throws {
        let reader = reader("+OK\r\n:-7\r\n$5\r\nhello\r\n$0\r\n\r\n$-1\r\n*-1\r\n-ERR no\r\n*0\r\n")
        #expect(try reader.next() == .bytes(Array("OK".utf8)))
        #expect(try reader.next() == .integer(-7))
        #expect(try reader.next() == .bytes(Array("hello".utf8)))
        #expect(try reader.next() == .bytes([]))
        #expect(try reader.next() == .null)
        #expect(try reader.next() == .null)
        #expect(try reader.next() == .error("ERR no"))
        #expect(try reader.next() == .array([]))
        #expect(try reader.next() == nil)
    }

    @Test func nestedReplies() throws {
        let reader = reader("*4\r\n$2\r\nid\r\n:2\r\n$-1\r\n*2\r\n:1\r\n+x\r\n")
        #expect(
            try reader.next()
                == .array([.bytes(Array("id".utf8)), .integer(2), .null, .array([.integer(1), .bytes([0x78])])]))
    }

    @Test func repliesOfAnyBytesInAnyPieces() throws {
        let body = (0..<1_000).map { UInt8($0 % 256) }
        let wire = Array("*2\r\n$\(body.count)\r\n".utf8) + body + Array("\r\n:12\r\n".utf8) + Array("+NEXT\r\n".utf8)
        for size in [1, 2, 3, 7, 100, 1_021, 5_000] {
            let reader = RESPReader()
            var replies: [RedisValue] = []
            var rest = wire[...]
            while !rest.isEmpty {
                reader.feed(ByteBuffer(bytes: rest.prefix(size)))
                rest = rest.dropFirst(size)
                while let reply = try reader.next() { replies.append(reply) }
            }
            #expect(
                replies == [.array([.bytes(body), .integer(12)]), .bytes(Array("NEXT".utf8))], "pieces of \(size)")
        }
    }

    @Test func halfAReplyIsNone() throws {
        let reader = reader("$10\r\nhalf")
        #expect(try reader.next() == nil)
        #expect(try reader.next() == nil)
        reader.feed(ByteBuffer(string: "-whole\r\n"))
        #expect(try reader.next() == .bytes(Array("half-whole".utf8)))
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n", "\u{16}\u{3}\u{1}", "!x\r\n"])
    func whatIsNotRedisIsAnError(text: String) {
        let reader = reader(text)
        let failure = #expect(throws: RedisFailure.self) { try reader.next() }
        #expect(failure?.reason.hasPrefix("not a reply of Redis: ") == true)
    }

    @Test func numbersAndTexts() {
        #expect(RedisValue.integer(7).integer == 7)
        #expect(RedisValue.bytes(Array("12".utf8)).integer == 12)
        #expect(RedisValue.bytes(Array("x".utf8)).integer == nil)
        #expect(RedisValue.null.integer == nil)
        #expect(RedisValue.bytes(Array("ü".utf8)).text == "ü")
        #expect(RedisValue.integer(1).text == nil)
        #expect(RedisValue.array([.null]).elements == [.null])
        #expect(RedisValue.null.elements == nil)
    }
}

extension RedisValue: Equatable {
    static func == (one: RedisValue, other: RedisValue) -> Bool {
        switch (one, other) {
        case (.null, .null): true
        case (.integer(let one), .integer(let other)): one == other
        case (.bytes(let one), .bytes(let other)): one == other
        case (.array(let one), .array(let other)): one == other
        case (.error(let one), .error(let other)): one == other
        default: false
        }
    }
}
