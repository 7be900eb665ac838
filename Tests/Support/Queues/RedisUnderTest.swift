public import Glibc

extension QueueTraits {
    static let redis = QueueTraits(
        server: "Redis", hasLease: true, orphansComeFirst: true, carriesHeaders: false, sparesLargeBodies: true)
}

/// A list on a server, worked on by a user who may touch this list and the keys in its slot, and no others.
public final class RedisUnderTest: QueueUnderTest {
    public let kind = QueueKind.redis
    public let server: RedisServer
    public let list: String
    public let user: String
    public let secrets = Credentials.secrets

    public var port: Int? { server.port }

    /// On the server that all tests use.
    public init(_ name: String = QueueKind.freshName()) async throws {
        server = try await RedisServer.shared()
        list = name
        user = name
        try await server.command(
            "ACL", "SETUSER", "\(user)", "on", ">\(Credentials.password)", "~\(list)", "~{\(list)}:*", "+@all")
    }

    /// On a server whose configuration has ``configuredUser``.
    public init(withConfiguredUserOn server: RedisServer) {
        self.server = server
        list = QueueKind.freshName()
        user = Self.configuredName
    }

    public static let configuredName = "worker"
    /// For the configuration of a server, so that a restart does not forget the user.
    public static let configuredUser = #"user \#(configuredName) on ">\#(Credentials.password)" ~* +@all"#

    public func url(at port: Int?) -> String {
        server.url(list: list, user: user, password: Credentials.password, at: port)
    }

    /// A list without messages is not there.
    public var urlOfMissingQueue: String? { nil }
    public var urlWithWrongCredentials: String? { server.url(list: list, user: user, password: Credentials.wrong) }

    public func key(_ kind: String) -> RedisArgument { "{\(list)}:\(kind)" }

    public func put(_ bodies: [[UInt8]]) async throws {
        let replies = try await server.pipeline(bodies.map { ["RPUSH", "\(list)", RedisArgument($0)] })
        for case .error(let message) in replies { throw RedisError(description: message) }
    }

    public func left() async throws -> Left {
        // In one step: workers go on meanwhile.
        let script = """
            return {redis.call('LLEN', KEYS[1]), redis.call('ZCARD', KEYS[2]), redis.call('SCARD', KEYS[3]),
                redis.call('XLEN', KEYS[4]), redis.call('HLEN', KEYS[5]), redis.call('HLEN', KEYS[6])}
            """
        let counts =
            try await server.command(
                "EVAL", "\(script)", "6", "\(list)", key("leases"), key("delayed"), key("dead"), key("payloads"),
                key("attempts")
            ).array?.compactMap(\.integer) ?? []
        guard counts.count == 6, counts[1] == counts[4], counts[1] == counts[5] else {
            throw SupportError("leases, payloads and attempts of \(list) disagree: \(counts)")
        }
        return Left(ready: counts[0], claimed: counts[1] - counts[2], delayed: counts[2], dead: counts[3])
    }

    public func readyBodies() async throws -> [[UInt8]] {
        try await server.command("LRANGE", "\(list)", "0", "-1").array?.compactMap(\.bytes) ?? []
    }

    public func deadLetters() async throws -> [DeadLetterSeen] {
        let entries = try await server.command("XRANGE", key("dead"), "-", "+").array ?? []
        return entries.map { entry in
            let words = entry.array?[1].array ?? []
            var fields: [String: [UInt8]] = [:]
            for index in stride(from: 0, to: words.count - 1, by: 2) {
                fields[words[index].text ?? ""] = words[index + 1].bytes
            }
            let texts = fields.mapValues { String(decoding: $0, as: UTF8.self) }
            return DeadLetterSeen(
                body: fields["body"] ?? [], reason: texts["reason"], attempts: texts["attempts"].flatMap { Int($0) },
                exit: texts["exit"].flatMap { Int($0) }, output: texts["output"])
        }
    }

    /// The server does not know of processes, but the user is this queue's only one.
    public func isAwaited(by process: pid_t) async throws -> Bool {
        let clients = try await server.command("CLIENT", "LIST").text ?? ""
        return clients.split(separator: "\n").contains { line in
            line.contains(" user=\(user) ") && line.contains(" cmd=blmove ") && line.contains(" flags=b ")
        }
    }

    public func result(of id: String) async throws -> [UInt8]? {
        try await server.command("GET", key("result:\(id)")).bytes
    }

    /// The keys that are there besides the list, without what makes a settlement repeatable for a while.
    public func otherKeys() async throws -> [String] {
        let keys = try await server.command("KEYS", "{\(list)}:*").array?.compactMap(\.text) ?? []
        return keys.filter { !$0.hasPrefix("{\(list)}:settled:") }.sorted()
    }
}
