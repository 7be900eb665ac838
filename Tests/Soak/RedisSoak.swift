import TestSupport

struct RedisSoak: SoakQueue {
    var kind: QueueKind { form == .list ? .redis : .stream }
    let flags = ["--lease", "2s"]
    let proxy: TCPProxy?
    let url: String
    private let server: RedisServer
    private let form: RedisForm

    init(_ form: RedisForm) async throws {
        self.form = form
        server = try await RedisServer.start(keepsData: true)
        let proxy = try TCPProxy(to: server.port)
        self.proxy = proxy
        url = "redis://127.0.0.1:\(proxy.port)/0?\(form)=soak"
    }

    func enqueue(_ messages: [SoakMessage]) async throws {
        let replies = try await server.pipeline(
            messages.map { message in
                switch form {
                case .list: ["RPUSH", "soak", RedisArgument(message.body)]
                case .stream: ["XADD", "soak", "*", "body", RedisArgument(message.body)]
                }
            })
        for case .error(let text) in replies { throw SoakFailure("Redis did not take a message: \(text)") }
    }

    /// Kills it as a power cut would.
    func inflict(_ fault: FaultKind, for span: Duration) async throws {
        try await server.kill()
        try await Task.sleep(for: span)
        try await server.restart()
    }

    var serverLog: String { server.log }

    func remaining() async throws -> Int {
        // What is claimed or delayed is in the stream; a list has it among the leases.
        let counts: [[RedisArgument]] =
            switch form {
            case .list: [["LLEN", "soak"], ["ZCARD", "{soak}:leases"]]
            case .stream: [["XLEN", "soak"]]
            }
        return try await server.pipeline(counts).reduce(0) { $0 + ($1.integer ?? 0) }
    }

    func content() async throws -> SoakContent {
        var content = SoakContent()
        let queued: [[RedisArgument]] =
            switch form {
            case .list: [["LRANGE", "soak", "0", "-1"], ["HVALS", "{soak}:payloads"]]
            case .stream: [["XRANGE", "soak", "-", "+"]]
            }
        let others: [[RedisArgument]] = [["XRANGE", "{soak}:dead", "-", "+"], ["KEYS", "{soak}:*"]]
        let replies = try await server.pipeline(queued + others)
        for value in replies.dropLast(others.count).flatMap({ $0.array ?? [] }) {
            content.queued += Self.body(value).flatMap(SoakMessage.number).map { [$0] } ?? []
        }
        for entry in replies[queued.count].array ?? [] {
            content.dead += Self.body(entry).flatMap(SoakMessage.number).map { [$0] } ?? []
        }
        guard content.queued.isEmpty else { return content }
        // What is kept about settled claims goes by itself, after a minute.
        content.leftovers = (replies[queued.count + 1].array ?? []).compactMap(\.text)
            .filter { $0 != "{soak}:dead" && !$0.hasPrefix("{soak}:settled:") }.map { "the key \($0)" }
        if form == .stream {
            // Nobody waits or works any more. One that was killed while it waited is forgotten after a minute.
            let pending = try await server.command("XPENDING", "soak", "semel").array?.first?.integer
            if pending != 0 { content.leftovers.append("\(pending ?? 0) pending entries") }
        }
        return content
    }

    /// Of a list's element, or of a stream's entry.
    private static func body(_ value: RedisValue) -> [UInt8]? {
        guard let fields = value.array?.last?.array else { return value.bytes }
        return fields.firstIndex { $0.text == "body" }.flatMap { fields[$0 + 1].bytes }
    }
}
