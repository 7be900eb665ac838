import Semel

/// What a node of a cluster says instead of an answer. The command was not carried out.
enum RedisRedirection: Sendable, Hashable {
    /// The node that has the slot from now on.
    case moved(QueueURL.Host)
    /// The node that has the keys of this one command, while the slot is on its way there.
    case ask(QueueURL.Host)
    /// Nobody can say at the moment.
    case later

    /// - Parameter host: Who said so: it leaves its own name out where it does not know it.
    init?(_ text: String, by host: QueueURL.Host) {
        let words = text.split(separator: " ")
        switch words.first {
        case "MOVED", "ASK":
            guard words.count >= 3, let colon = words[2].lastIndex(of: ":"),
                let port = Int(words[2][words[2].index(after: colon)...])
            else { return nil }
            let name = words[2][..<colon]
            let node = QueueURL.Host(name: name.isEmpty || name == "?" ? host.name : String(name), port: port)
            self = words[0] == "MOVED" ? .moved(node) : .ask(node)
        case "TRYAGAIN", "CLUSTERDOWN", "LOADING": self = .later
        default: return nil
        }
    }
}
