import Semel
import SemelKEDA
import SemelKubernetes

public enum GroupText {
    /// `2026-11-28T00:00:00Z`, of seconds since 1970.
    public static func moment(_ seconds: Int64) -> String {
        Timestamp(milliseconds: seconds * 1_000).rfc3339.replacing(".000Z", with: "Z")
    }

    /// Seconds since 1970 of what Kubernetes writes for a moment.
    static func seconds(_ text: String) -> Int64? {
        Timestamp(rfc3339: text).map { $0.milliseconds / 1_000 }
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
        return (["text": .string(plain)] as JSONValue).text
    }
}
