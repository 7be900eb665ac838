import Testing

@testable import SemelConsole

struct BodyPreviewTests {
    @Test func isSetOutAsJSONAndNothingElseOfItChanges() {
        let preview = BodyPreview(
            Array(#"{"b":12345678901234567890.50,"a":["x, \"y\": {",{}, [ ] ],"c":null}"#.utf8), nil)
        #expect(preview.view == .json)
        #expect(
            preview.text == """
                {
                  "b": 12345678901234567890.50,
                  "a": [
                    "x, \\"y\\": {",
                    {},
                    []
                  ],
                  "c": null
                }
                """)
    }

    @Test(arguments: ["plain", "42", "{\"a\":", "[1,]", "{\"a\":1} x", ""])
    func whatIsNoJSONIsText(_ body: String) {
        let preview = BodyPreview(Array(body.utf8), nil)
        #expect(preview.view == .text)
        #expect(preview.text == body)
        let asked = BodyPreview(Array(body.utf8), .json)
        #expect(asked.view == .json)
        #expect(asked.text.isEmpty)
    }

    /// Its levels would end the stack, and their indentation the memory.
    @Test func deepJSON() {
        let body = Array(String(repeating: "[", count: 30_000).utf8) + Array(String(repeating: "]", count: 30_000).utf8)
        #expect(BodyPreview(body, .json).text.isEmpty)
    }

    @Test func bytesAreHexadecimal() {
        let preview = BodyPreview([0xFF, 0x00, 0x41] + [UInt8](repeating: 0x20, count: 14), nil)
        #expect(preview.view == .hex)
        let lines = preview.text.split(separator: "\n").map(String.init)
        let first = "00000000  ff 00 41 20 20 20 20 20 20 20 20 20 20 20 20 20  ..A"
        // The letters are below each other, whatever is missing of the row.
        #expect(lines == [first + spaces(13), "00000010  20" + spaces(15 * 3 + 2 + 1)])
    }

    private func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }

    @Test func aLargeBodyIsCut() {
        let text = BodyPreview([UInt8](repeating: 0x61, count: 1 << 20), nil)
        #expect(text.view == .text)
        #expect(text.text.utf8.count == BodyPreview.mostBytes)
        #expect(text.note == "The first 65.5 kB of 1.0 MB; the download has all of it.")
        let hex = BodyPreview([UInt8](repeating: 0xFF, count: 1 << 20), nil)
        #expect(hex.text.split(separator: "\n").count == BodyPreview.mostHexBytes / 16)
    }

    @Test func controlCharactersAreSeen() {
        #expect(BodyPreview(Array("a\u{1B}[2Jb\tc\n".utf8), .text).text == "a␛[2Jb\tc\n")
    }
}
