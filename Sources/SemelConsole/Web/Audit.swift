import Semel

/// A line of JSON for every change, and for everyone who was not let in. What is in the messages is not in it.
struct Audit: Sendable {
    struct Entry: Encodable {
        /// When it was through.
        fileprivate(set) var time = ""
        /// `retry`, `drop`, `enqueue`, `sign-in`, `refused`
        var audit: String
        var user: String
        var queue: String?
        /// The ids that were chosen; left out for all, or for those with a reason.
        var ids: [String]?
        var reason: String?
        /// How many messages were changed.
        var messages: Int?
        /// Why it, or the rest of it, came to nothing.
        var problem: String?
    }

    let write: @Sendable (String) -> Void

    func callAsFunction(_ entry: Entry) {
        var entry = entry
        entry.time = Timestamp.now.rfc3339
        guard let line = JSONLine.bytes(of: entry) else { return }
        write(String(decoding: line, as: UTF8.self) + "\n")
    }
}
