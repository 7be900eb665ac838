import NIOCore
import NIOPosix
import Semel
import SemelKEDA

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
    private let key: String
    private let host: String
    private let port: Int
    /// Sent together; the last one's answer is the number.
    private let commands: [[String]]

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
        self.key = key
        guard endpoint.topology == .single else {
            throw TriggerReader.unreadable(trigger, "Redis \(endpoint.topology.rawValue) cannot be read yet")
        }
        if endpoint.isTLSEnabled { throw TriggerReader.unreadable(trigger, "Redis cannot be read with TLS yet") }
        let address = try TriggerReader.known(endpoint.addresses, "address", trigger)
        guard let server = RedisEndpoint.server(in: address) else {
            throw TriggerReader.unreadable(trigger, "the address is not of the form host:port")
        }
        (host, port) = server
        var commands: [[String]] = []
        if let password = endpoint.password {
            let user = try endpoint.username.map { text throws(CommandFailure) in
                [try TriggerReader.known(text, "username", trigger)]
            }
            commands.append(["AUTH"] + (user ?? []) + [try TriggerReader.known(password, "password", trigger)])
        }
        if endpoint.databaseIndex != 0 { commands.append(["SELECT", "\(endpoint.databaseIndex)"]) }
        self.commands = commands + [["EVAL", script, "1", key] + arguments]
    }

    func read() async throws(CommandFailure) -> Int64 {
        let answers: [String]
        do {
            answers = try await withThrowingTaskGroup(of: [String]?.self) { group in
                group.addTask { try await converse() }
                group.addTask {
                    try await Task.sleep(for: Self.patience)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let answers = first else {
                    throw failure("no answer within 10 s", .unreachable)
                }
                return answers
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw failure(Self.words(of: error), .unreachable)
        }
        return try number(answers)
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

    private func number(_ answers: [String]) throws(CommandFailure) -> Int64 {
        if let error = answers.first(where: { $0.hasPrefix("-") }).map({ String($0.dropFirst()) }) {
            if let problem = keyProblem(error) { throw failure("\(problem); KEDA fails at it, too", .misconfigured) }
            let isRefusal = ["NOAUTH", "WRONGPASS", "NOPERM", "AUTH", "invalid password"].contains {
                error.contains($0)
            }
            // The rest may repeat what was sent: a password among it.
            let code = error.prefix { $0.isASCII && $0.isUppercase }
            throw failure(
                "\(isRefusal ? "refused" : "answered with an error"): \(code)\(Self.words(of: error).map { ", \($0)" } ?? "")",
                isRefusal ? .refused : .misconfigured)
        }
        guard let last = answers.last, last.hasPrefix(":"), let number = Int64(last.dropFirst()) else {
            throw failure("answered out of turn", .unreachable)
        }
        return number
    }

    /// Sends everything, and collects a line for each command: none of them is answered with more.
    private func converse() async throws -> [String] {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(10))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: commands.map { Self.encoded($0) }.joined()))
            var received = ""
            for try await piece in inbound {
                received += String(buffer: piece)
                let lines = received.split(separator: "\r\n", omittingEmptySubsequences: false).dropLast()
                if lines.count >= commands.count || lines.contains(where: { $0.hasPrefix("-") }) {
                    return lines.map(String.init)
                }
            }
            throw failure("hung up", .unreachable)
        }
    }

    private static func encoded(_ words: [String]) -> String {
        "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    }

    private func failure(_ reason: String, _ outcome: Outcome) -> CommandFailure {
        TriggerReader.unreachable(trigger, "Redis at \(host):\(port): \(reason)", outcome)
    }

    /// What is known of the server's errors, in words of our own.
    private static func words(of error: String) -> String? {
        if error.contains("without any password configured") { return "it has no password for this user" }
        if error.contains("invalid password") || error.hasPrefix("WRONGPASS") { return "wrong username or password" }
        if error.hasPrefix("NOAUTH") { return "it wants a password" }
        if error.hasPrefix("NOPERM") { return "the user may not run EVAL, TYPE or the key's command" }
        if error.contains("DB index is out of range") { return "there is no database of that databaseIndex" }
        if error.contains("unknown command") { return "it does not know EVAL, AUTH or SELECT" }
        return nil
    }

    private static func words(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first { return words(of: failure.error) }
            return error.dnsAError == nil && error.dnsAAAAError == nil ? "no connection" : "unknown host"
        case let error as IOError: return SystemError(doing: "connect", code: error.errnoCode).description
        default: return "no connection"
        }
    }
}
