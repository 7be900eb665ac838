import Foundation
public import Semel

extension Timestamp {
    /// Reads what Kubernetes writes: `2026-11-21T13:27:42Z`, with or without fractions of a second, in any time zone.
    public init?(rfc3339 text: String) {
        let date =
            (try? Date(text, strategy: Date.ISO8601FormatStyle()))
            ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        guard let date else { return nil }
        self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
    }
}
