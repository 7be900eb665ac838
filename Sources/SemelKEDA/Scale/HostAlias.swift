/// An address that is used in place of one that only a cluster knows: `rabbitmq.default.svc=127.0.0.1:5672`.
public struct HostAlias: Sendable, Hashable {
    public let name: String
    /// Only where this port is meant; `nil` for any.
    public let port: String?
    public let address: String
    /// `nil` leaves the port as it is.
    public let addressPort: String?

    /// Reads `NAME[:PORT]=ADDRESS[:PORT]`; `nil` for anything else.
    public init?(_ text: String) {
        let sides = text.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, let from = Self.parts(sides[0]), let to = Self.parts(sides[1]) else { return nil }
        (name, port) = from
        (address, addressPort) = to
    }

    private static func parts(_ text: Substring) -> (String, String?)? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty, host.allSatisfy({ isPartOfName($0) }) else { return nil }
        if parts.count == 1 { return (String(host), nil) }
        guard parts.count == 2, let port = Int(parts[1]), (1...65_535).contains(port) else { return nil }
        return (String(host), String(parts[1]))
    }

    private static func isPartOfName(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "-._".contains(character))
    }

    /// Text in which the name is the host of a URL (`amqp://user@NAME/`), or has a port (`NAME:6379`), or is everything
    /// and `isHost` says that it is meant as a host: with the address instead.
    func applied(to text: String, isHost: Bool) -> String {
        if isHost, text == name { return port == nil ? address : text }
        var result = ""
        var rest = text[...]
        while let found = rest.firstRange(of: name) {
            result += rest[..<found.lowerBound]
            let behind = rest[found.upperBound...]
            let written = Self.port(at: behind)
            let isWhole =
                !(result.last.map { Self.isPartOfName($0) } ?? false)
                && !(behind.first.map { Self.isPartOfName($0) } ?? false)
            let isAddress = written != nil || result.hasSuffix("://") || result.hasSuffix("@")
            // A user of the same name, in front of the host.
            let isUser = behind.prefix { !"/?#, ".contains($0) }.contains("@")
            if isWhole, isAddress, !isUser, port == nil || port == written {
                result += address + ((addressPort ?? written).map { ":\($0)" } ?? "")
                rest = behind.dropFirst(written.map { $0.count + 1 } ?? 0)
            } else {
                result += rest[found]
                rest = behind
            }
        }
        return result + rest
    }

    private static func port(at text: Substring) -> String? {
        guard text.first == ":" else { return nil }
        let digits = text.dropFirst().prefix { "0"..."9" ~= $0 }
        return digits.isEmpty ? nil : String(digits)
    }

    /// Names and their texts that stand beside each other: `MQ_HOST` with `MQ_PORT`, `host` with `port`.
    func applied(to entries: [(name: String, text: String)]) -> [String] {
        var texts = entries.map { applied(to: $0.text, isHost: Self.meansHost($0.name)) }
        for (index, entry) in entries.enumerated() where entry.text == name && Self.meansHost(entry.name) {
            let partner = entries.firstIndex {
                $0.name.lowercased() == "\(entry.name.dropLast(4))port".lowercased()
            }
            let beside = partner.map { entries[$0].text }
            guard port == nil || port == beside else { continue }
            texts[index] = address
            if let partner, let addressPort { texts[partner] = addressPort }
        }
        return texts
    }

    private static func meansHost(_ name: String) -> Bool {
        name.lowercased().hasSuffix("host")
    }
}
