import Foundation
import Semel

enum DeadLetterText {
    /// `2026-11-21T14:20:08.675Z  ID  attempts 5  the task exited with 2`
    static func row(_ stored: StoredDeadLetter) -> String {
        let letter = stored.letter
        let time = letter.time.isEmpty ? "-" : letter.time
        let id = stored.messageID.isEmpty ? "-" : shown(stored.messageID)
        return "\(time)  \(id)  attempts \(letter.attempts)  \(shown(letter.reason))\n"
    }

    static func page(_ stored: StoredDeadLetter) -> String {
        let letter = stored.letter
        var lines = [
            "id        \(shown(stored.messageID))", "reason    \(shown(letter.reason))", "attempts  \(letter.attempts)",
        ]
        if let exit = letter.exit { lines.append("exit      \(exit)") }
        if !letter.worker.isEmpty { lines.append("worker    \(shown(letter.worker))") }
        if !letter.time.isEmpty { lines.append("time      \(letter.time)") }
        if let type = stored.contentType { lines.append("type      \(shown(type))") }
        for (name, value) in stored.headers.sorted(by: { $0.key < $1.key }) {
            lines.append("header    \(shown(name)): \(shown(JSONText.of(value)))")
        }
        if !letter.output.isEmpty { lines += ["", "last output:"] + letter.output.map { "  " + shown($0) } }
        lines += ["", "body (\(HumanText.bytes(stored.body.count))):"]
        let text = String(validating: stored.body, as: UTF8.self)
        lines.append(text ?? "not text; --body prints it as it is")
        return lines.joined(separator: "\n") + "\n"
    }

    /// What somebody else wrote must not move the cursor or change colours.
    private static func shown(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "�" : $0 }))
    }
}

enum JSONText {
    static func of(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}
