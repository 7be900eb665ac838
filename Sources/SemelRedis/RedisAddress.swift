public import Semel

/// `redis://user:password@host:6379/0?list=usertask`, or `…?stream=s&group=g`; with `rediss` over TLS;
/// `redis+sentinel://host:26379/0?master=m&…`
public struct RedisAddress: Sendable {
    public let servers: RedisServers
    let layout: any RedisLayout
    public let name: String
    public let source: String

    public init(_ url: QueueURL) throws(ConfigurationError) {
        let scheme = try RedisScheme(url, keys: "list=name", "stream=name")
        servers = try RedisServers(url, scheme, options: ["list", "stream", "group", "field"])
        layout = try Self.layout(url, scheme.example)
        name = url.redacted
        source = url.source
    }

    /// The list's or the stream's own key.
    public var key: String { layout.key }
    public var isStream: Bool { layout.type == RedisStream.type }

    private static func layout(_ url: QueueURL, _ example: String) throws(ConfigurationError) -> any RedisLayout {
        switch (url.options["list"], url.options["stream"]) {
        case (let list?, nil):
            for option in ["group", "field"] where url.options[option] != nil {
                throw ConfigurationError("\(url.source): option ‘\(option)’ is for a stream; a list has none")
            }
            return RedisList(keys: RedisKeys(list: list))
        case (nil, let stream?):
            return RedisStream(
                keys: RedisStreamKeys(stream: stream), group: url.options["group"] ?? RedisStream.usualGroup,
                field: url.options["field"] ?? RedisStream.usualField)
        case (nil, nil): throw ConfigurationError("\(url.source): names no list and no stream; write \(example)")
        case (_?, _?): throw ConfigurationError("\(url.source): names a list and a stream; write \(example)")
        }
    }
}

extension RedisServers {
    /// - Parameter options: Which ones the URL may have, besides those that are about the servers.
    init(_ url: QueueURL, _ scheme: RedisScheme, options: [String]) throws(ConfigurationError) {
        try url.allowOnly(options + ["passwordFile"] + scheme.options)
        guard !url.hosts.isEmpty else {
            throw ConfigurationError("\(url.source): names no host; write \(scheme.example)")
        }
        // A file that is not there is told before anything is connected.
        _ = try url.credentials.current()
        self.init(
            hosts: url.hosts.map { QueueURL.Host(name: $0.name, port: $0.port ?? scheme.port) },
            topology: try scheme.topology(url), credentials: url.credentials,
            database: try Self.database(url, scheme.example), tls: try scheme.tls(url))
    }

    private static func database(_ url: QueueURL, _ example: String) throws(ConfigurationError) -> Int {
        let path = url.path.drop { $0 == "/" }
        guard let database = path.isEmpty ? 0 : Int(path), database >= 0 else {
            throw ConfigurationError("\(url.source): database ‘\(path)’ is not a number; write \(example)")
        }
        return database
    }
}

/// What a URL's scheme says of the servers.
struct RedisScheme {
    private let name: String
    private let keys: [String]
    private let isEncrypted: Bool
    private let isOfSentinels: Bool

    /// - Parameter keys: The options of which the URL has one, for messages.
    init(_ url: QueueURL, keys: String...) throws(ConfigurationError) {
        name = url.scheme
        self.keys = keys
        (isEncrypted, isOfSentinels) =
            switch url.scheme {
            case "redis": (false, false)
            case "rediss": (true, false)
            case "redis+sentinel": (false, true)
            case "rediss+sentinel": (true, true)
            default: throw ConfigurationError("\(url.source): \(url.scheme):// is not Redis")
            }
        if !isEncrypted { try TLSSettings.refuse(in: url, use: isOfSentinels ? "rediss+sentinel" : "rediss") }
    }

    /// Besides those that all have.
    var options: [String] {
        (isEncrypted ? TLSSettings.options : [])
            + (isOfSentinels ? ["master", "sentinelUser", "sentinelPassword", "sentinelPasswordFile"] : [])
    }

    var port: Int { isOfSentinels ? 26379 : 6379 }

    var example: String {
        isOfSentinels
            ? "\(name)://sentinel1,sentinel2:26379/0?master=mymaster&\(keys.first ?? "")"
            : "\(name)://host:6379/0?\(keys.joined(separator: " or …?"))"
    }

    func tls(_ url: QueueURL) throws(ConfigurationError) -> RedisTLS? {
        isEncrypted ? RedisTLS(try TLSSettings(url), source: url.source) : nil
    }

    func topology(_ url: QueueURL) throws(ConfigurationError) -> RedisServers.Topology {
        guard isOfSentinels else { return .servers }
        guard url.options["sentinelPassword"] == nil else {
            throw ConfigurationError(
                "\(url.source): a sentinelPassword would be shown with the queue's name; put it into a file and name that "
                    + "with sentinelPasswordFile")
        }
        let credentials = try QueueCredentials(
            user: url.options["sentinelUser"], password: nil, passwordFile: url.options["sentinelPasswordFile"],
            source: url.source, names: ("sentinelPassword", "sentinelPasswordFile"))
        let sentinelUser = try credentials.current()
        guard sentinelUser.user == nil || sentinelUser.password != nil else {
            throw ConfigurationError(
                "\(url.source): names a sentinelUser without a password; add &sentinelPasswordFile=FILE")
        }
        return .sentinels(master: try url.require("master", example: example), credentials: credentials)
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
        prefix = Self.prefix(for: list)
        leases = "\(prefix):leases"
        payloads = "\(prefix):payloads"
        attempts = "\(prefix):attempts"
        owners = "\(prefix):owners"
        delayed = "\(prefix):delayed"
        dead = "\(prefix):dead"
        named = "\(prefix):named"
    }

    /// A name with a hash tag of its own keeps it; any other becomes the tag.
    static func prefix(for name: String) -> String {
        let hasTag = name.firstIndex(of: "{").map { open in
            name[name.index(after: open)...].firstIndex(of: "}").map { $0 > name.index(after: open) } ?? false
        }
        return hasTag ?? false ? name : "{\(name)}"
    }

    /// The result of a message's task.
    public func result(_ id: String) -> String { "\(prefix):result:\(id)" }

    /// For a while after a settlement: which claim it was, so that asking twice is answered alike.
    func settled(_ id: String) -> String { "\(prefix):settled:\(id)" }
}

/// The user's stream and what semel keeps beside it, all in one slot of a Redis Cluster.
struct RedisStreamKeys: Sendable, Hashable {
    /// One entry a message, until that is completed.
    let stream: String
    /// Sorted set of the entries that nobody holds, though the group has had them: `ENTRY~ATTEMPTS` → the time, in
    /// milliseconds since 1970 by Redis' clock, at which it may be claimed again.
    let delayed: String
    /// Set of the entries that are worked on at most once, with an id of the producer's: they are no longer in the stream.
    let taken: String
    /// Stream of dead letters.
    let dead: String
    private let prefix: String

    init(stream: String) {
        self.stream = stream
        prefix = RedisKeys.prefix(for: stream)
        delayed = "\(prefix):delayed"
        taken = "\(prefix):taken"
        dead = "\(prefix):dead"
    }

    /// The result of a message's task.
    func result(_ id: String) -> String { "\(prefix):result:\(id)" }

    /// For a while after a settlement: which claim of the entry it was, so that asking twice is answered alike.
    func settled(_ entry: String) -> String { "\(prefix):settled:\(entry)" }
}
