import TestSupport

struct RabbitMQSoak: SoakQueue {
    let kind = QueueKind.rabbitmq
    let flags: [String] = []
    let proxy: TCPProxy?
    let url: String
    private let server: RabbitMQServer
    private static let queue = "soak"

    init() async throws {
        server = try await RabbitMQServer.start()
        let proxy = try TCPProxy(to: server.port)
        self.proxy = proxy
        url = "amqp://guest:guest@127.0.0.1:\(proxy.port)/%2F?queue=\(Self.queue)&heartbeat=2s"
        // The workers would declare the others as they need them, and wait until they are written down. But a queue in
        // whose making the broker was killed is there and cannot be used or counted any more (3.10). That is tried on
        // its own: `RabbitMQServerTests.killedRightAfterTheSettlement`.
        try await server.declareQueue(Self.queue, type: .quorum)
        try await server.declareQueue(Self.queue + ".dead", type: .quorum)
        for (tier, milliseconds) in [("100ms", 100), ("200ms", 200), ("500ms", 500), ("1s", 1_000)] {
            try await server.declareQueue(
                "\(Self.queue).retry.\(tier)", type: .quorum,
                arguments: [
                    "x-message-ttl": .integer(Int64(milliseconds)), "x-dead-letter-exchange": "",
                    "x-dead-letter-routing-key": .string(Self.queue), "x-dead-letter-strategy": "at-least-once",
                    "x-overflow": "reject-publish",
                ])
        }
    }

    func enqueue(_ messages: [SoakMessage]) async throws {
        try await server.publish(bodies: messages.map(\.body), to: Self.queue)
    }

    /// Kills it as a power cut would.
    func inflict(_ fault: FaultKind, for span: Duration) async throws {
        try await server.kill()
        try await Task.sleep(for: span)
        try await server.restart()
    }

    var serverLog: String { server.log }

    func remaining() async throws -> Int {
        try await total(besides: Self.queue + ".dead")
    }

    /// In all queues but one; those on their way from a retry queue back to the main one included, which neither
    /// `messages_ready` nor `messages_unacknowledged` counts.
    private func total(besides exception: String) async throws -> Int {
        let bytes = exception.utf8.map(String.init).joined(separator: ",")
        let answer = try await server.evaluate(
            """
            lists:sum([begin
                {ok, {_, Total}, _} = ra:leader_query(amqqueue:get_pid(Q), fun rabbit_fifo:query_messages_total/1),
                Total
            end || Q <- rabbit_amqqueue:list(<<"/">>), element(4, amqqueue:get_name(Q)) =/= <<\(bytes)>>])
            """)
        guard let total = Int(answer) else { throw SoakFailure("not a number of messages: \(answer)") }
        return total
    }

    func content() async throws -> SoakContent {
        let queued = try await server.messages(in: Self.queue)
        let dead = try await server.messages(in: Self.queue + ".dead")
        let rest = try await total(besides: Self.queue + ".dead") - queued.count
        return SoakContent(
            queued: queued.compactMap { SoakMessage.number(of: $0.body) },
            dead: dead.compactMap { SoakMessage.number(of: $0.body) },
            leftovers: rest == 0 ? [] : ["\(rest) messages in the retry queues"])
    }
}
