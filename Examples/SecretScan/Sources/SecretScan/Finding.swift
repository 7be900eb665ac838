/// A secret found, without the secret.
struct Finding: Sendable, Equatable {
    /// Position of the rule in `Rule.all`.
    let ruleIndex: Int
    let path: RelativePath
    /// From 1.
    let line: Int
    /// From 1, in Unicode code points.
    let column: Int
    /// The column after the last one.
    let endColumn: Int
    /// As much of the secret as may be shown.
    let preview: String
    /// The same in every run as long as the finding stays in its file, wherever its line moves.
    let fingerprint: String
}

/// The part of a secret that a report may show.
enum Redaction {
    /// The first four characters and an ellipsis; fewer of a short secret, so that two thirds of it always stay hidden.
    static func preview(of secret: ArraySlice<UInt8>) -> String {
        let text = String(decoding: secret, as: UTF8.self)
        return text.prefix(min(4, text.count / 3)) + "…"
    }
}

/// Identities for findings.
enum Fingerprint {
    /// Made only of what the report shows anyway. A hash of the secret itself would let anybody who has the report
    /// try passwords against it.
    /// - Parameter occurrence: tells findings apart that look the same, from 1.
    static func make(rule: String, path: RelativePath, preview: String, length: Int, occurrence: Int) -> String {
        let text = Array("\(rule)\0".utf8) + path.bytes + Array("\0\(preview)\0\(length)".utf8)
        let digits = String(fnv1a(text), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + ":\(occurrence)"
    }

    /// Fowler, Noll and Vo's hash (FNV-1a, 64 bits): Swift's own `Hasher` differs from run to run.
    private static func fnv1a(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
    }
}
