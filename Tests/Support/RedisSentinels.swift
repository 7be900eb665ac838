/// A master, its replica, and three sentinels that make the replica master when the master is gone.
public final class RedisSentinels: Sendable {
    public static let master = "themaster"
    public let first: RedisServer
    public let second: RedisServer
    public let sentinels: [RedisServer]

    private init(_ first: RedisServer, _ second: RedisServer, _ sentinels: [RedisServer]) {
        self.first = first
        self.second = second
        self.sentinels = sentinels
    }

    /// - Parameter password: of the sentinels themselves.
    public static func start(password: String? = nil) async throws -> RedisSentinels {
        let quick = ["repl-diskless-sync-delay 0"]
        let first = try await RedisServer.start(configuration: quick)
        let second = try await RedisServer.start(configuration: quick + ["replicaof 127.0.0.1 \(first.port)"])
        try await eventually(timeout: .seconds(60), "the replica follows") {
            try await second.command("ROLE").array?.contains(.bulk(Array("connected".utf8))) ?? false
        }
        var sentinels: [RedisServer] = []
        for _ in 1...3 {
            var lines = [
                "sentinel monitor \(master) 127.0.0.1 \(first.port) 2",
                "sentinel down-after-milliseconds \(master) 1000",
                "sentinel failover-timeout \(master) 5000",
            ]
            if let password { lines.append("sentinel sentinel-pass \(password)") }
            sentinels.append(try await .start(password: password, configuration: lines, isSentinel: true))
        }
        for sentinel in sentinels {
            try await eventually(timeout: .seconds(60), "the sentinels know of each other and of the replica") {
                let facts =
                    try await sentinel.command("SENTINEL", "MASTER", "\(master)").array?.compactMap(\.text) ?? []
                func fact(_ name: String) -> String? { facts.firstIndex(of: name).map { facts[$0 + 1] } }
                return fact("num-slaves") == "1" && fact("num-other-sentinels") == "2"
            }
        }
        return RedisSentinels(first, second, sentinels)
    }

    /// - Parameter options: `&sentinelPasswordFile=…`
    public func url(list: String, master: String = master, options: String = "") -> String {
        let hosts = sentinels.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        return "redis+sentinel://\(hosts)/0?master=\(master)&list=\(list)\(options)"
    }
}
