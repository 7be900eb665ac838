public import Semel

/// `redis://user:password@host:6379/0?list=usertask`
public struct RedisAddress: Sendable {
    public let host: String
    public let port: Int
    public let credentials: QueueCredentials
    public let database: Int
    public let keys: RedisKeys
    public let name: String
    public let source: String

    public init(_ url: QueueURL) throws(ConfigurationError) {
        guard url.scheme == "redis" else {
            throw ConfigurationError(
                "\(url.source): \(url.scheme):// is not supported yet; use redis:// inside the cluster")
        }
        try url.allowOnly(["list", "passwordFile"])
        guard let host = url.hosts.first else {
            throw ConfigurationError("\(url.source): names no host; write redis://:password@host:6379/0?list=name")
        }
        self.host = host.name
        port = host.port ?? 6379
        credentials = url.credentials
        // A file that is not there is told before anything is connected.
        _ = try credentials.current()
        let path = url.path.drop { $0 == "/" }
        guard let database = path.isEmpty ? 0 : Int(path), database >= 0 else {
            throw ConfigurationError(
                "\(url.source): database ‘\(path)’ is not a number; write redis://host:6379/0?list=name")
        }
        self.database = database
        keys = RedisKeys(list: try url.require("list", example: "redis://host:6379/0?list=name"))
        name = url.redacted
        source = url.source
    }
}

/// The user's list and what semel keeps beside it, all in one slot of a Redis Cluster.
public struct RedisKeys: Sendable, Hashable {
    /// A plain list of raw bodies; its head is next.
    public let list: String
    /// Sorted set: claim id → the time, in milliseconds since 1970 by Redis' clock, at which it may be claimed again.
    public let leases: String
    /// Hash: claim id → body.
    public let payloads: String
    /// Hash: claim id → attempts used, the present one included.
    public let attempts: String
    /// Hash: claim id → token of the claim that somebody holds, by which a stale one is told.
    public let owners: String
    /// Set of the claim ids in `leases` that nobody holds: they wait for their next attempt.
    public let delayed: String
    /// Stream of dead letters: the body, and why.
    public let dead: String
    /// Sorted set of the ids that producers gave to bodies in the list, which has no room for them itself.
    public let named: String
    private let prefix: String

    public init(list: String) {
        self.list = list
        // A name with a hash tag of its own keeps it; any other becomes the tag.
        let hasTag = list.firstIndex(of: "{").map { open in
            list[list.index(after: open)...].firstIndex(of: "}").map { $0 > list.index(after: open) } ?? false
        }
        prefix = hasTag ?? false ? list : "{\(list)}"
        leases = "\(prefix):leases"
        payloads = "\(prefix):payloads"
        attempts = "\(prefix):attempts"
        owners = "\(prefix):owners"
        delayed = "\(prefix):delayed"
        dead = "\(prefix):dead"
        named = "\(prefix):named"
    }

    /// The result of a message's task.
    public func result(_ id: String) -> String { "\(prefix):result:\(id)" }

    /// For a while after a settlement: which claim it was, so that asking twice is answered alike.
    func settled(_ id: String) -> String { "\(prefix):settled:\(id)" }
}
