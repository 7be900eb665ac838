import SemelKubernetes
import Testing

@Suite("JSON as the API server writes it")
struct JSONTests {
    @Test("what is read and written again is the same, whatever is in it")
    func roundTrip() throws {
        let text = #"{"a":[1,-2,9223372036854775807,0.5,1e+30,true,false,null,"x"],"b":{},"c":[],"ä\"\\\n\u0001":"€😀"}"#
        let value = try JSONValue(parsing: text)
        #expect(try JSONValue(parsing: value.text) == value)
        #expect(value["a"]?.array?[2] == .integer(.max))
        #expect(value["a"]?.array?[3] == .number(0.5))
        #expect(value["ä\"\\\n\u{1}"]?.string == "€😀")
    }

    @Test(
        "escapes",
        arguments: [
            (#""\ud83d\ude00""#, "😀"), (#""\u00e4\/\b\f\r\t""#, "ä/\u{8}\u{c}\r\t"), (#""\ud83d""#, "\u{FFFD}"),
            (#""\ude00x""#, "\u{FFFD}x"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
        ])
    func escapes(_ json: String, _ text: String) throws {
        #expect(try JSONValue(parsing: json) == .string(text))
    }

    @Test(
        "what is no JSON",
        arguments: [
            "", "{", "[1,]", "{\"a\":}", "{\"a\" 1}", "tru", "01x", "\"a", "\"\\x\"", "\"\\u12g4\"", "1 2", "nan", "+1",
            ".5",
            "--1", "\"\u{1}\"", "{a:1}", "[1 2]", String(repeating: "[", count: 100_000),
        ])
    func refused(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test("bytes that are no UTF-8")
    func notUTF8() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test("fields are found, set and taken away by their path")
    func paths() {
        var value: JSONValue = ["spec": ["a": 1, "gone": nil]]
        #expect(value["spec", "gone"] == nil)
        value["spec", "b", "c"] = "x"
        value["spec", "a"] = nil
        value["nothing", "here"] = nil
        #expect(value == ["spec": ["b": ["c": "x"], "gone": nil]])
    }
}
