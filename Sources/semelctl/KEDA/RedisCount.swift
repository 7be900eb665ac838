import NIOCore
import NIOPosix
import Semel
import SemelKEDA
import SemelRedis
import SemelTLS

/// A number that KEDA's scalers read from Redis, asked for by the script that their rule amounts to.
struct RedisCount {
    private static let patience = Duration.seconds(10)

    /// A stream has no length here, as in KEDA; a key that is not there has that of an empty list.
    private static let length = """
        local commands = {list = 'LLEN', none = 'LLEN', zset = 'ZCARD', set = 'SCARD', hash = 'HLEN'}
        local kind = redis.call('TYPE', KEYS[1])['ok']
        if not commands[kind] then return redis.error_reply('WRONGTYPE a ' .. kind) end
        return redis.call(commands[kind], KEYS[1])
        """
    private static let entries = "return redis.call('XLEN', KEYS[1])"
    private static let pendingEntries = "return redis.call('XPENDING', KEYS[1], ARGV[1])[1]"
    /// A lag that Redis does not know is -1, as for KEDA; a group that is not there has all entries before it.
    private static let lag = """
        if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
        for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
            local facts = {}
            for index = 1, #group, 2 do facts[group[index]] = group[index + 1] end
            if facts.name == ARGV[1] then
                if facts.lag == nil then return redis.error_reply('NOLAG') end
                return facts.lag or -1
            end
        end
        return redis.call('XLEN', KEYS[1])
        """

    private let trigger: ResolvedTrigger
    private let servers: RedisServers
    private let script: String
    private let key: String
    private let arguments: [String]

    init(_ redis: RedisListTrigger, _ trigger: ResolvedTrigger) throws(CommandFailure) {
        try self.init(redis.endpoint, Self.length, redis.listName, [], trigger)
    }

    init(_ redis: RedisStreamTrigger, _ trigger: ResolvedTrigger) throws(CommandFailure) {
        let script =
            switch redis.mode {
            case .length: Self.entries
            case .lag: Self.lag
            case .pending: Self.pendingEntries
            }
        try self.init(redis.endpoint, script, redis.stream, redis.consumerGroup.map { [$0] } ?? [], trigger)
    }

    private init(
        _ endpoint: RedisEndpoint, _ script: String, _ key: String, _ arguments: [String], _ trigger: ResolvedTrigger
    ) throws(CommandFailure) {
        self.trigger = trigger
        self.script = script
        self.key = key
        self.arguments = arguments
        servers = try RedisServers(endpoint, trigger)
    }

    func read() async throws(CommandFailure) -> Int64 {
        do throws(RedisFailure) {
            return try await servers.evaluate(
                script, key: key, arguments, on: .singletonMultiThreadedEventLoopGroup, within: Self.patience)
        } catch {
            switch error {
            case .answered(let text): throw answered(text)
            case .refused: throw failure("refused: \(error.reason)", .refused)
            case .misconfigured, .mismatch: throw failure(error.reason, .misconfigured)
            case .broken: throw failure(error.reason, .unreachable)
            }
        }
    }

    /// What is wrong with the key, where it is that.
    private func keyProblem(_ error: String) -> String? {
        let isStream = if case .redisStream = trigger.kind { true } else { false }
        if error.contains("WRONGTYPE") {
            return isStream ? "‘\(key)’ is no stream" : "‘\(key)’ is neither list, sorted set, set nor hash"
        }
        if error.contains("NOGROUP") { return "‘\(key)’ has no such consumer group" }
        return error.contains("NOLAG") ? "lagCount needs Redis 7" : nil
    }

    private func answered(_ error: String) -> CommandFailure {
        if let problem = keyProblem(error) { return failure("\(problem); KEDA fails at it, too", .misconfigured) }
        let isRefusal = RedisFailure.isRefusal(error)
        // The rest may repeat what was sent: a password among it.
        let code = error.prefix { $0.isASCII && $0.isUppercase }
        return failure(
            "\(isRefusal ? "refused" : "answered with an error"): \(code)\(Self.words(of: error).map { ", \($0)" } ?? "")",
            isRefusal ? .refused : .misconfigured)
    }

    private func failure(_ reason: String, _ outcome: Outcome) -> CommandFailure {
        TriggerReader.unreachable(trigger, "\(servers.place): \(reason)", outcome)
    }

    /// What is known of the server's errors, in words of our own.
    private static func words(of error: String) -> String? {
        if error.contains("without any password configured") { return "it has no password for this user" }
        if error.contains("invalid password") || error.hasPrefix("WRONGPASS") { return "wrong username or password" }
        if error.hasPrefix("NOAUTH") { return "it wants a password" }
        if error.contains("NOPERM") || error.contains("The user executing the script") {
            return "the user may not run EVAL, TYPE or the key's command"
        }
        if error.contains("DB index is out of range") { return "there is no database of that databaseIndex" }
        if error.contains("unknown command") { return "it does not know EVAL, AUTH or SELECT" }
        return nil
    }
}

extension RedisServers {
    /// As KEDA's scaler finds them.
    init(_ endpoint: RedisEndpoint, _ trigger: ResolvedTrigger) throws(CommandFailure) {
        func known(_ text: ResolvedText?, _ name: String) throws(CommandFailure) -> String? {
            try text.map { text throws(CommandFailure) in try TriggerReader.known(text, name, trigger) }
        }
        func credentials(
            _ user: ResolvedText?, _ password: ResolvedText?, _ names: (String, String)
        ) throws(CommandFailure) -> QueueCredentials {
            guard let password = try known(password, names.1) else { return .none }
            do throws(ConfigurationError) {
                return try QueueCredentials(user: try? known(user, names.0), password: password, source: "")
            } catch {
                throw TriggerReader.unreadable(trigger, error.description)
            }
        }
        let addresses = try TriggerReader.known(endpoint.addresses, "address", trigger)
        guard let servers = endpoint.servers(in: addresses) else {
            throw TriggerReader.unreadable(trigger, "the address is not of the form host:port")
        }
        var topology = Topology.servers
        if endpoint.topology == .sentinel {
            topology = .sentinels(
                master: endpoint.sentinelMaster ?? "",
                credentials: try credentials(
                    endpoint.sentinelUsername, endpoint.sentinelPassword, ("sentinelUsername", "sentinelPassword")))
        }
        self.init(
            hosts: servers.map { QueueURL.Host(name: $0.host, port: $0.port) }, topology: topology,
            credentials: try credentials(endpoint.username, endpoint.password, ("username", "password")),
            // A cluster has no other, and KEDA does not ask for one.
            database: endpoint.topology == .cluster ? 0 : Int(endpoint.databaseIndex),
            tls: endpoint.isTLSEnabled ? try TLSClient(endpoint, trigger) : nil)
    }
}

extension TLSClient {
    /// With what stands in the Secrets of the trigger's authentication.
    fileprivate init(_ endpoint: RedisEndpoint, _ trigger: ResolvedTrigger) throws(CommandFailure) {
        func known(_ text: ResolvedText?, _ name: String) throws(CommandFailure) -> String? {
            try text.map { text throws(CommandFailure) in try TriggerReader.known(text, name, trigger) }
        }
        var authorities: PEM?
        if !endpoint.unsafeSSL {
            authorities =
                try known(endpoint.ca, "ca").map { .text($0) } ?? TLSSettings.systemAuthorities().map { .file($0) }
            guard authorities != nil else {
                throw TriggerReader.unreadable(
                    trigger, "there is no ca, and no certificate authorities are on this machine")
            }
        }
        var client: (chain: PEM, key: PEM)?
        if let chain = try known(endpoint.certificate, "cert"), let key = try known(endpoint.key, "key") {
            client = (.text(chain), .text(key))
        }
        self.init(
            authorities: authorities, client: client, passphrase: try known(endpoint.keyPassword, "keyPassword"),
            source: "of the authentication", plainScheme: "redis")
    }
}
