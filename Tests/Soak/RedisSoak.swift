import TestSupport

struct RedisSoak: SoakQueue {
    let kind = QueueKind.redis
    let flags = ["--lease", "2s"]
    let proxy: TCPProxy?
    let url: String
    private let server: RedisServer

    init() async throws {
        server = try await RedisServer.start(keepsData: true)
        let proxy = try TCPProxy(to: server.port)
        self.proxy = proxy
        url = "redis://127.0.0.1:\(proxy.port)/0?list=soak"
    }

    func enqueue(_ messages: [SoakMessage]) async throws {
        let replies = try await server.pipeline(messages.map { ["RPUSH", "soak", RedisArgument($0.body)] })
        for case .error(let text) in replies { throw SoakFailure("Redis did not take a message: \(text)") }
    }

    func restartServer(after pause: Duration) async throws {
        try await server.kill()
        try await Task.sleep(for: pause)
        try await server.restart()
    }

    var serverLog: String { server.log }

    func remaining() async throws -> Int {
        // What is delayed has its due time among the leases.
        try await server.pipeline([["LLEN", "soak"], ["ZCARD", "{soak}:leases"]]).reduce(0) { $0 + ($1.integer ?? 0) }
    }

    func content() async throws -> SoakContent {
        var content = SoakContent()
        let replies = try await server.pipeline([
            ["LRANGE", "soak", "0", "-1"], ["HVALS", "{soak}:payloads"], ["XRANGE", "{soak}:dead", "-", "+"],
            ["KEYS", "{soak}:*"],
        ])
        let ready = replies[0].array ?? []
        let leased = replies[1].array ?? []
        content.queued = (ready + leased).compactMap { $0.bytes.flatMap(SoakMessage.number) }
        for entry in replies[2].array ?? [] {
            let fields = entry.array?.last?.array ?? []
            guard let name = fields.firstIndex(where: { $0.text == "body" }) else { continue }
            content.dead += fields[name + 1].bytes.flatMap(SoakMessage.number).map { [$0] } ?? []
        }
        if content.queued.isEmpty {
            // What is kept about settled claims goes by itself, after a minute.
            content.leftovers = (replies[3].array ?? []).compactMap(\.text)
                .filter { $0 != "{soak}:dead" && !$0.hasPrefix("{soak}:settled:") }.map { "the key \($0)" }
        }
        return content
    }
}
