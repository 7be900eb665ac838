import Semel
import SemelKEDA

public enum GroupText {
    /// `2026-11-28T00:00:00Z`, of seconds since 1970.
    public static func moment(_ seconds: Int64) -> String {
        Timestamp(milliseconds: seconds * 1_000).rfc3339.replacing(".000Z", with: "Z")
    }

    /// Seconds since 1970 of `2026-11-28T00:00:00Z` or `2026-11-28T01:00:00.5+01:00`; `nil` for anything else.
    public static func seconds(_ text: String) -> Int64? {
        guard
            let match = text.wholeMatch(of: #/(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)/#),
            let year = Int64(match.1), let month = Int64(match.2), let day = Int64(match.3), let hour = Int64(match.4),
            let minute = Int64(match.5), let second = Int64(match.6), (1...12).contains(month)
        else { return nil }
        // Days since 1 March of the year 0, in years that begin then.
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        return days * 86_400 + hour * 3_600 + minute * 60 + second - offset(match.7)
    }

    /// In seconds, of `Z` or `+01:30`.
    private static func offset(_ text: Substring) -> Int64 {
        let parts = text.dropFirst().split(separator: ":").compactMap { Int64($0) }
        guard parts.count == 2 else { return 0 }
        return (text.hasPrefix("-") ? -60 : 60) * (parts[0] * 60 + parts[1])
    }

    /// For an alarm's readers: `nightly, group 3: Job nightly-3-29301120 failed: BackoffLimitExceeded, …`
    public static func line(_ alarm: Alarm, groups: String) -> String {
        "\(groups), group \(alarm.group): \(alarm.message)".onOneLine
    }

    /// What Slack's incoming webhooks take, and what takes the same: `{"text": "…"}`, with a line for each alarm.
    public static func webhook(_ alarms: [Alarm], groups: String) -> String {
        let lines = alarms.map { line($0, groups: groups) }.joined(separator: "\n")
        // Slack's own three; a link or a mention in a message would otherwise be one.
        let plain = lines.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        var json = ""
        for scalar in plain.unicodeScalars {
            switch scalar {
            case "\"": json += "\\\""
            case "\\": json += "\\\\"
            case "\n": json += "\\n"
            default: json.unicodeScalars.append(scalar)
            }
        }
        return "{\"text\": \"\(json)\"}"
    }
}
