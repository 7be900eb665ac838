import Semel

/// What tells a queue from others of the same name. What is not known, or does not matter, is `nil`.
struct QueuePlace: Sendable, Hashable {
    /// Of SQS.
    var region: String?
    /// Of RabbitMQ.
    var virtualHost: String?
    /// Of Redis.
    var database: String?
    /// Of a stream's consumers.
    var group: String?
    /// `host:port`, where it is a single one.
    var server: String?
    /// Whether TLS is spoken.
    var isEncrypted: Bool?

    /// In which way this is another place than that, in words for both; `nil` where they may be the same.
    ///
    /// Servers are not compared: one has many names, and ports for both kinds of connections.
    func difference(from other: QueuePlace) -> (own: String, other: String)? {
        let named: [(what: String, own: String?, other: String?)] = [
            ("region", region, other.region), ("virtual host", virtualHost, other.virtualHost),
            ("database", database, other.database), ("consumer group", group, other.group),
        ]
        for (what, own, other) in named {
            if let own, let other, own != other { return ("\(what) ‘\(own)’", "\(what) ‘\(other)’") }
        }
        guard let server, server == other.server, let isEncrypted, let isOther = other.isEncrypted,
            isEncrypted != isOther
        else { return nil }
        func words(_ isEncrypted: Bool) -> String { "\(server) \(isEncrypted ? "over" : "without") TLS" }
        return (words(isEncrypted), words(isOther))
    }

    static func server(_ host: String, _ port: Int) -> String { "\(host.lowercased()):\(port)" }

    /// `https://sqs.eu-central-1.amazonaws.com/123456789012/scans` is in eu-central-1.
    static func region(in url: String) -> String? {
        guard let start = url.firstRange(of: "://")?.upperBound else { return nil }
        let parts = url[start...].prefix { $0 != "/" && $0 != ":" }.split(separator: ".")
        guard parts.count >= 4, ["sqs", "sqs-fips"].contains(parts[0]), parts[2] == "amazonaws" else { return nil }
        return String(parts[1])
    }
}

extension QueuePlace {
    init(amqp url: QueueURL) {
        virtualHost = Self.virtualHost(url.path.dropFirst())
        isEncrypted = url.scheme == "amqps"
        server = Self.only(url.hosts.map { Self.server($0.name, $0.port ?? (url.scheme == "amqps" ? 5671 : 5672)) })
    }

    init(redis url: QueueURL) {
        let path = url.path.drop { $0 == "/" }
        database = path.isEmpty ? "0" : Int(path).map { "\($0)" }
        guard !url.scheme.hasSuffix("sentinel") else { return }
        isEncrypted = url.scheme == "rediss"
        server = Self.only(url.hosts.map { Self.server($0.name, $0.port ?? 6379) })
    }

    /// Where a trigger counts.
    init(_ trigger: ResolvedTrigger) {
        self.init()
        switch trigger.kind {
        case .rabbitMQ(let rabbit): self = Self(rabbit)
        case .redisList(let list): self = Self(list.endpoint)
        case .redisStream(let stream):
            self = Self(stream.endpoint)
            group = stream.consumerGroup
        case .sqs(let queue): region = queue.awsRegion.text?.revealed
        case .cron: break
        }
    }

    private init(_ trigger: RabbitMQTrigger) {
        self.init()
        if case .known(let text) = trigger.host, let url = try? QueueURL(text.revealed, source: "host") {
            if trigger.protocol == .amqp { self = Self(amqp: url) }
            // Before it there may be the path of the management API.
            let parts = url.path.split(separator: "/")
            if trigger.protocol == .http, parts.count < 2 { virtualHost = Self.virtualHost(parts.first ?? "") }
        }
        if let name = trigger.vhostName { virtualHost = Self.virtualHost(name[...]) }
        if trigger.unknownParameters["vhostName"] != nil { virtualHost = nil }
    }

    private init(_ endpoint: RedisEndpoint) {
        database = endpoint.topology == .cluster ? "0" : "\(endpoint.databaseIndex)"
        guard endpoint.topology == .single else { return }
        isEncrypted = endpoint.isTLSEnabled
        server = endpoint.addresses.text.flatMap { endpoint.servers(in: $0.revealed)?.first }
            .map { Self.server($0.host, $0.port) }
    }

    private static func virtualHost(_ path: Substring) -> String { path.isEmpty ? "/" : String(path) }

    private static func only(_ servers: [String]) -> String? { servers.count == 1 ? servers.first : nil }
}
