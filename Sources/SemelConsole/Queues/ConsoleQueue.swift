public import SemelQueues

/// A queue that the console shows.
public struct ConsoleQueue: Sendable {
    /// In addresses and headings: `usertask`. No two have the same.
    public let slug: String
    public let address: QueueAddress

    /// The URL without credentials.
    public var name: String { address.name }

    /// - Parameter addresses: Of one queue each.
    public static func all(_ addresses: [QueueAddress]) -> [ConsoleQueue] {
        var taken: Set<String> = []
        return addresses.map { address in
            let wanted = slug(address.name)
            var slug = wanted
            var number = 2
            while !taken.insert(slug).inserted {
                slug = "\(wanted)-\(number)"
                number += 1
            }
            return ConsoleQueue(slug: slug, address: address)
        }
    }

    /// What the queue is called at its broker, of letters that need no escape in an address.
    private static func slug(_ name: String) -> String {
        let parts = name.split(separator: "?", maxSplits: 1)
        let options = parts.count == 2 ? parts[1].split(separator: "&") : []
        let named: [Substring] = ["queue=", "list=", "stream="].compactMap { key in
            options.first { $0.hasPrefix(key) }?.dropFirst(key.count)
        }
        let word: Substring = named.first ?? parts.first?.split(separator: "/").last ?? ""
        let safe: [Character] = word.unicodeScalars.map { scalar in
            let isLetter = scalar.isASCII && scalar.properties.isAlphabetic
            let isOther = ("0"..."9").contains(scalar) || "._-".unicodeScalars.contains(scalar)
            return isLetter || isOther ? Character(scalar) : "-"
        }
        let text = String(safe).drop { $0 == "." || $0 == "-" }
        return text.isEmpty ? "queue" : String(text)
    }
}
