import TestSupport

/// A list on a server, and a user who may touch this list and the keys in its slot, and no others.
final class RedisFaultQueue: FaultQueue {
    let kind = Kind.redis
    let server: RedisServer
    let list: String
    let secrets = [password, "s3cret%26"]

    private let user: String

    private static let password = "s3cret&"
    static let configuredName = "worker"
    /// For the server's configuration.
    static let configuredUser = "\(configuredName) on >\(password) ~* +@all"

    /// On a server that other tests use as well: with a user who may touch nothing of theirs.
    init(on server: RedisServer) async throws {
        self.server = server
        list = Kind.freshName()
        user = list
        try await server.command(
            "ACL", "SETUSER", "\(list)", "on", ">\(Self.password)", "~\(list)", "~{\(list)}:*", "+@all")
    }

    /// On a server whose configuration has ``configuredUser``.
    init(withConfiguredUserOn server: RedisServer) {
        self.server = server
        list = Kind.freshName()
        user = Self.configuredName
    }

    func url(through proxy: TCPProxy?) -> String {
        let direct = server.url(list: list, user: user, password: Self.password)
        return proxy.map { direct.replacing("127.0.0.1:\(server.port)", with: "127.0.0.1:\($0.port)") } ?? direct
    }

    func proxy() throws -> TCPProxy { try TCPProxy(to: server.port) }

    func key(_ kind: String) -> RedisArgument { "{\(list)}:\(kind)" }

    func put(_ bodies: [String]) async throws {
        try await server.command(["RPUSH", "\(list)"] + bodies.map { RedisArgument($0) })
    }

    func left() async throws -> Left {
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

    func ready() async throws -> [String] {
        try await server.command("LRANGE", "\(list)", "0", "-1").array?.compactMap(\.text) ?? []
    }

    func deadLetters() async throws -> [DeadLetterSeen] {
        try await (server.command("XRANGE", key("dead"), "-", "+").array ?? []).map { entry in
            let words = (entry.array?[1].array ?? []).map { $0.text ?? "" }
            func field(_ name: String) -> String { words.firstIndex(of: name).map { words[$0 + 1] } ?? "" }
            return DeadLetterSeen(
                body: field("body"), reason: field("reason"), attempts: Int(field("attempts")) ?? 0)
        }
    }

    func isAwaited(by worker: Worker) async throws -> Bool {
        let clients = try await server.command("CLIENT", "LIST").text ?? ""
        return clients.split(separator: "\n").contains { line in
            line.contains(" user=\(user) ") && line.contains(" cmd=blmove ") && line.contains(" flags=b ")
        }
    }

    /// What is there besides the list and its dead letters, without what makes a settlement repeatable for a while.
    func otherKeys() async throws -> [String] {
        let keys = try await server.command("KEYS", "{\(list)}:*").array?.compactMap(\.text) ?? []
        return keys.filter { !$0.hasPrefix("{\(list)}:settled:") && $0 != "{\(list)}:dead" }.sorted()
    }
}

extension RedisFaultQueue {
    /// Whether the earliest lease has ended by the server's own clock.
    func leaseIsOver() async throws -> Bool {
        let replies = try await server.pipeline([["TIME"], ["ZRANGE", key("leases"), "0", "0", "WITHSCORES"]])
        guard let now = replies[0].array?.first?.integer, let end = replies[1].array?.last?.integer else {
            return false
        }
        return end / 1_000 < now
    }
}
