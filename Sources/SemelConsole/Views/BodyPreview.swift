import Semel
import SemelKubernetes

/// The beginning of a body, for people.
struct BodyPreview {
    static let mostBytes = 64 << 10
    /// A line of hexadecimal takes more room than what it shows.
    static let mostHexBytes = 8 << 10

    let view: MessageView.BodyView
    let text: String
    let note: String

    /// - Parameter wanted: JSON, text or hexadecimal by what the body is, when nobody wants anything.
    init(_ body: [UInt8], _ wanted: MessageView.BodyView?) {
        let isText = String(validating: body, as: UTF8.self) != nil
        let json = body.count <= Self.mostBytes && wanted != .text && wanted != .hex ? Self.indented(body) : nil
        view = wanted ?? (json != nil ? .json : isText ? .text : .hex)
        let size = HumanText.bytes(body.count)
        guard !body.isEmpty else {
            (text, note) = ("", "The body is empty.")
            return
        }
        switch view {
        case .json:
            text = json ?? ""
            note =
                json != nil
                ? "\(size), set out in lines; the download is as it was queued."
                : body.count > Self.mostBytes ? "\(size): too large to be shown as JSON." : "\(size), which is no JSON."
        case .text:
            let shown = body.prefix(Self.mostBytes)
            text = Self.visible(String(decoding: shown, as: UTF8.self))
            note = Self.note(size, shown.count, body.count) + (isText ? "" : " It is not UTF-8: � is what is none.")
        case .hex:
            let shown = body.prefix(Self.mostHexBytes)
            text = Self.hex(Array(shown))
            note = Self.note(size, shown.count, body.count)
        }
    }

    private static func note(_ size: String, _ shown: Int, _ all: Int) -> String {
        shown == all ? "\(size)." : "The first \(HumanText.bytes(shown)) of \(size); the download has all of it."
    }

    /// `nil` for what is no JSON, or a single word of it.
    private static func indented(_ body: [UInt8]) -> String? {
        guard let first = body.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }),
            [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(first), (try? JSONValue(parsing: body)) != nil
        else { return nil }
        return JSONIndentation.of(body)
    }

    /// Control characters would not be seen, or would change what is seen.
    private static func visible(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let isControl = scalar.value < 32 && scalar != "\n" && scalar != "\t"
                    return isControl ? Unicode.Scalar(0x2400 + scalar.value) ?? "�" : scalar
                }))
    }

    /// `00000010  7b 22 61 …  {"a`
    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let row = bytes[start..<min(start + 16, bytes.count)]
            let offset = (0..<8).map { digits[(start >> (28 - 4 * $0)) & 15] }
            let cells = row.map { String(decoding: [digits[Int($0 >> 4)], digits[Int($0 & 15)]], as: UTF8.self) }
            let letters = row.map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: ".") }
            let padding = String(repeating: "   ", count: 16 - row.count)
            lines.append(
                "\(String(decoding: offset, as: UTF8.self))  \(cells.joined(separator: " "))\(padding)  "
                    + String(decoding: letters, as: UTF8.self))
        }
        return lines.joined(separator: "\n")
    }
}
