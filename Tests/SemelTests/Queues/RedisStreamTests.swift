import Semel
import Testing

@testable import SemelRedis

@Suite struct RedisStreamEntryTests {
    private func entry(_ fields: [(String, String)], field: String = "body") -> RedisStreamEntry {
        RedisStreamEntry(
            fields.flatMap { [.bytes(Array($0.0.utf8)), .bytes(Array($0.1.utf8))] }, field: field)
    }

    private func text(_ entry: RedisStreamEntry) -> String { String(decoding: entry.body, as: UTF8.self) }

    @Test func theBodyHasAField() {
        let entry = entry([
            ("traceparent", "00-1-2-01"), ("body", "hello"), ("id", "m-1"), ("content-type", "text/plain"), ("x", "1"),
        ])
        #expect(text(entry) == "hello")
        #expect(entry.size == 5)
        #expect(entry.bodyField == "body")
        #expect(entry.id == "m-1")
        #expect(entry.contentType == "text/plain")
        #expect(entry.headers == ["traceparent": .string("00-1-2-01"), "x": .string("1")])
    }

    @Test func theFieldMayHaveAnotherName() {
        let entry = entry([("body", "a header"), ("data", "hello")], field: "data")
        #expect(text(entry) == "hello")
        #expect(entry.bodyField == "data")
        #expect(entry.headers == ["body": .string("a header")])
    }

    @Test func theOnlyFieldIsTheBody() {
        let entry = entry([("payload", "hello"), ("id", "m-1"), ("traceparent", "00-1-2-01")])
        #expect(text(entry) == "hello")
        #expect(entry.bodyField == "payload")
        #expect(entry.headers == ["traceparent": .string("00-1-2-01")])
    }

    @Test func severalFieldsAreAnObject() {
        let entry = entry([("user", "1"), ("path", "/a \"b\""), ("id", "m-1"), ("tracestate", "x=1")])
        #expect(text(entry) == #"{"path":"/a \"b\"","user":"1"}"#)
        #expect(entry.size == entry.body.count)
        #expect(entry.bodyField == nil)
        #expect(entry.contentType == "application/json")
        #expect(entry.headers == ["tracestate": .string("x=1")])
    }

    @Test func aBodyMayBeEmptyOrMissing() {
        #expect(entry([("body", "")]).bodyField == "body")
        #expect(entry([("id", "m-1")]).bodyField == nil)
        #expect(entry([("id", "m-1")]).body.isEmpty)
        #expect(entry([("id", ""), ("body", "x")]).id == nil)
    }

    /// The server says the sizes of values that are too large.
    @Test func valuesThatWereKeptBack() {
        let one = RedisStreamEntry([.bytes(Array("body".utf8)), .integer(1_000)], field: "body")
        #expect(one.body.isEmpty)
        #expect(one.size == 1_000)
        #expect(one.bodyField == "body")
        let two = RedisStreamEntry(
            [.bytes(Array("a".utf8)), .integer(1_000), .bytes(Array("b".utf8)), .bytes([1, 2])], field: "body")
        #expect(two.body.isEmpty)
        #expect(two.size == 1_002)
        #expect(two.bodyField == nil)
    }

    @Test func keysStandInTheSlotOfTheStream() {
        let keys = RedisStreamKeys(stream: "jobs")
        #expect([keys.delayed, keys.taken, keys.dead] == ["{jobs}:delayed", "{jobs}:taken", "{jobs}:dead"])
        #expect(keys.result("m-1") == "{jobs}:result:m-1")
        #expect(RedisStreamKeys(stream: "{shop}:jobs").delayed == "{shop}:jobs:delayed")
    }
}
