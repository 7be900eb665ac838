import Dispatch
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

    /// Whoever reads the lines may stand still for as long as they like: nobody but this queue waits for longer.
    private static let patience = Duration.seconds(1)
    /// For whoever tries one token after the other.
    private static let pauseAfterRefusal = Duration.seconds(1)

    private let write: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "semel-audit")

    init(write: @escaping @Sendable (String) -> Void) {
        self.write = write
    }

    func callAsFunction(_ entry: Entry) async {
        var entry = entry
        entry.time = Timestamp.now.rfc3339
        guard let line = JSONLine.bytes(of: entry) else { return }
        let written = OneShot<Bool>()
        queue.async {
            write(String(decoding: line, as: UTF8.self) + "\n")
            written.fulfil(true)
        }
        _ = await written.wait(atMost: Self.patience)
    }

    /// Somebody does not know the token.
    func refused() async {
        await self(Entry(audit: "refused", user: "", problem: "not the token"))
        try? await Task.sleep(for: Self.pauseAfterRefusal)
    }
}
