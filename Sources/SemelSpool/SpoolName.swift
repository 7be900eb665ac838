import Semel

/// How the spool's files are called. A name carries what would be lost if it stood anywhere else: the attempts that
/// were used and the time before which nobody may claim the message.
///
///     ready/NAME              never claimed
///     ready/BATCH/NAME        the same, queued together
///     delayed/DUE~NAME~2      two attempts used; DUE in milliseconds since 1970, 13 digits
///     claimed/NAME~3          the third attempt
///     done/NAME  dead/NAME
struct SpoolName: Hashable {
    /// Unique among all messages of the spool that are not done: the message's id unless the producer gave one.
    var base: String
    var attemptsUsed: Int
    var due: Timestamp?

    static let separator: Character = "~"

    init(base: String, attemptsUsed: Int = 0, due: Timestamp? = nil) {
        self.base = base
        self.attemptsUsed = attemptsUsed
        self.due = due
    }

    /// Reads a name in `claimed/` or `delayed/`. A name without a number of attempts, put there by hand, counts as none.
    init(reading text: String, delayed: Bool) {
        var rest = Substring(text)
        if delayed, let end = rest.firstIndex(of: Self.separator), let due = Int64(rest[..<end]) {
            self.due = Timestamp(milliseconds: due)
            rest = rest[rest.index(after: end)...]
        } else {
            due = nil
        }
        if let end = rest.lastIndex(of: Self.separator), let attempts = Int(rest[rest.index(after: end)...]) {
            // Anybody can write any number into a name.
            attemptsUsed = min(max(0, attempts), Int(Int32.max))
            rest = rest[..<end]
        } else {
            attemptsUsed = 0
        }
        base = String(rest)
    }

    var text: String {
        let tail = attemptsUsed > 0 || due != nil ? "\(Self.separator)\(attemptsUsed)" : ""
        guard let due else { return base + tail }
        let digits = String(max(0, due.milliseconds))
        return String(repeating: "0", count: max(0, 13 - digits.count)) + digits + "\(Self.separator)" + base + tail
    }

    /// A new one that sorts behind all that were made before it, on this machine and by this clock.
    static func fresh(_ count: Int = 0) -> String {
        let digits = String(count)
        let padded = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
        return "\(Timestamp.now.milliseconds)-\(padded)-\(suffix())"
    }

    static func suffix() -> String {
        String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }
}
