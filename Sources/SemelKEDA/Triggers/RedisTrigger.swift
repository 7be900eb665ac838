/// How a trigger reaches Redis.
public struct RedisEndpoint: Sendable {
    public enum Topology: String, Sendable, Hashable {
        case single, cluster, sentinel
    }

    public let topology: Topology
    /// `host:port`, one or more; KEDA takes the first one of a single server.
    public let addresses: ResolvedText
    public let username: ResolvedText?
    public let password: ResolvedText?
    public let databaseIndex: Int64
    public let isTLSEnabled: Bool
    public let unsafeSSL: Bool
    /// PEM text, as it stands in a Secret.
    public let ca: ResolvedText?
    public let certificate: ResolvedText?
    public let key: ResolvedText?
    public let keyPassword: ResolvedText?
    public let sentinelMaster: String?
    public let sentinelUsername: ResolvedText?
    public let sentinelPassword: ResolvedText?

    init(_ parameters: TriggerParameters, _ topology: Topology) throws(TriggerError) {
        let anywhere: [TriggerParameters.Place] = [.metadata, .authentication, .environment]
        self.topology = topology
        addresses = try Self.addresses(parameters, topology)
        username = parameters.text("username", anywhere)
        password = parameters.text("password", [.authentication, .environment])
        databaseIndex = try parameters.integer("databaseIndex") ?? 0
        unsafeSSL = try parameters.flag("unsafeSsl") ?? false
        ca = parameters.text("ca", [.authentication])
        certificate = parameters.text("cert", [.authentication])
        key = parameters.text("key", [.authentication])
        keyPassword = parameters.text("keyPassword", [.authentication])
        sentinelMaster = parameters.text("sentinelMaster", anywhere)?.text?.revealed
        sentinelUsername = parameters.text("sentinelUsername", anywhere)
        sentinelPassword = parameters.text("sentinelPassword", [.authentication, .environment])
        isTLSEnabled = try Self.isTLSEnabled(parameters)
    }

    private static func addresses(
        _ parameters: TriggerParameters, _ topology: Topology
    ) throws(TriggerError) -> ResolvedText {
        let anywhere: [TriggerParameters.Place] = [.metadata, .authentication, .environment]
        let isSingle = topology == .single
        func find(_ name: String, _ plural: String) -> ResolvedText? {
            // The plural is for many servers; KEDA takes it for one as well.
            isSingle
                ? parameters.text(name, anywhere) ?? parameters.text(plural, anywhere)
                : parameters.text(plural, anywhere) ?? parameters.text(name, anywhere)
        }
        let hosts = find("host", "hosts")
        let ports = find("port", "ports")
        if case .known(let hosts) = hosts, case .known(let ports) = ports {
            let (names, numbers) = (hosts.revealed.commaSeparated, ports.revealed.commaSeparated)
            guard names.count == numbers.count else {
                throw parameters.error("there have to be as many ports as hosts")
            }
            return .known(SecretText(zip(names, numbers).map { "\($0):\($1)" }.joined(separator: ",")))
        }
        if let address = find("address", "addresses") { return address }
        if case .unknown = hosts, let hosts, ports != nil { return hosts }
        throw parameters.error(isSingle ? "address" : "addresses", "is missing; write host:port, or host and port")
    }

    /// The servers in ``addresses``, of which KEDA takes only the first one where there is a single server; `nil` when one
    /// is not of the form `host:port`. It may be a URL with a password by mistake, so it is not for messages then.
    public func servers(in addresses: String) -> [(host: String, port: Int)]? {
        let texts = addresses.commaSeparated
        let servers = (topology == .single ? Array(texts.prefix(1)) : texts).map { Self.server($0) }
        return servers.isEmpty || servers.contains { $0 == nil } ? nil : servers.compactMap { $0 }
    }

    static func server(_ address: String) -> (host: String, port: Int)? {
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = address[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        let isName = host.allSatisfy { $0.isLetter || $0.isNumber || "-_.:%".contains($0) }
        return isName && !host.isEmpty ? (String(host), port) : nil
    }

    private static func isTLSEnabled(_ parameters: TriggerParameters) throws(TriggerError) -> Bool {
        let metadata = parameters.metadata("enableTLS")
        let authentication = parameters.authentication["tls"]?.text?.revealed.trimmed
        if metadata != nil, let authentication, !authentication.isEmpty {
            throw parameters.error("enableTLS", "excludes tls in the authentication; keep one of them")
        }
        if let metadata {
            guard let isEnabled = GoNumbers.parseBool(metadata) else {
                throw parameters.error("enableTLS", "\(metadata.quoted)is neither true nor false")
            }
            return isEnabled
        }
        switch authentication ?? "" {
        case "enable": return true
        case "disable", "": return false
        default: throw parameters.error("tls in the authentication is neither ‘enable’ nor ‘disable’")
        }
    }
}

/// A trigger of type `redis`, `redis-cluster` or `redis-sentinel`: the length of a list, sorted set, set or hash.
public struct RedisListTrigger: Sendable {
    public let endpoint: RedisEndpoint
    public let listName: String
    /// The target: 5 when it is not written.
    public let listLength: Int64
    /// Whether `listLength` is written.
    public let isLengthWritten: Bool
    public let activationListLength: Int64

    init(_ parameters: TriggerParameters, _ topology: RedisEndpoint.Topology) throws(TriggerError) {
        endpoint = try RedisEndpoint(parameters, topology)
        listName = try parameters.requiredMetadata("listName")
        let length = try parameters.integer("listLength")
        listLength = length ?? 5
        isLengthWritten = length != nil
        activationListLength = try parameters.integer("activationListLength") ?? 0
    }
}

/// A trigger of type `redis-streams`, `redis-cluster-streams` or `redis-sentinel-streams`.
public struct RedisStreamTrigger: Sendable {
    public enum Mode: Sendable, Hashable {
        /// All entries: no consumer group is written.
        case length
        /// Entries that the group has not read: there is a lagCount.
        case lag
        /// Entries that the group has read and not acknowledged: it cannot start a Job from zero.
        case pending
    }

    public let endpoint: RedisEndpoint
    public let stream: String
    public let consumerGroup: String?
    public let mode: Mode
    /// The target: what is written for the mode, else 5.
    public let target: Int64
    /// Whether the mode's target is written.
    public let isTargetWritten: Bool
    /// Used in all modes.
    public let activationLagCount: Int64

    init(_ parameters: TriggerParameters, _ topology: RedisEndpoint.Topology) throws(TriggerError) {
        endpoint = try RedisEndpoint(parameters, topology)
        stream = try parameters.requiredMetadata("stream")
        consumerGroup = parameters.metadata("consumerGroup")
        let lag = try parameters.integer("lagCount") ?? 0
        let pending = try parameters.integer("pendingEntriesCount")
        let length = try parameters.integer("streamLength")
        activationLagCount = try parameters.integer("activationLagCount") ?? 0
        if consumerGroup == nil {
            (mode, target, isTargetWritten) = (.length, length ?? 5, length != nil)
        } else if lag != 0 {
            (mode, target, isTargetWritten) = (.lag, lag, true)
        } else {
            (mode, target, isTargetWritten) = (.pending, pending ?? 5, pending != nil)
        }
    }

    var what: String {
        switch mode {
        case .length: "entries"
        case .lag: "entries not read"
        case .pending: "entries not acknowledged"
        }
    }

    /// What the metric counts.
    public var counted: ResolvedTrigger.Counted {
        switch mode {
        case .length: .readyAndHeld
        case .lag: .ready
        case .pending: .held
        }
    }
}
