public import Glibc

extension QueueTraits {
    static let classic = rabbitMQ(countsLostAttempts: false, crowd: 500)
    static let quorum = rabbitMQ(countsLostAttempts: true, crowd: 2000)

    /// AMQP has no word for how many messages are with consumers, and a broker gives no ids.
    private static func rabbitMQ(countsLostAttempts: Bool, crowd: Int) -> QueueTraits {
        QueueTraits(
            server: "RabbitMQ", countsLostAttempts: countsLostAttempts, givesIDs: false, tellsClaimed: false,
            crowd: crowd)
    }
}

/// A queue on a broker, worked on by a user of its own who is nobody's administrator.
public final class RabbitMQUnderTest: QueueUnderTest {
    public let kind: QueueKind
    public let server: RabbitMQServer
    public let queue: String
    public let secrets = Credentials.secrets
    private let options: [String: String]
    private let tls: RabbitMQOverTLS?

    public var port: Int? { tls?.port ?? server.port }
    public var user: String { queue }

    /// - Parameters:
    ///   - server: the one that all tests use, unless there is another.
    ///   - tls: the broker to use over TLS, instead of `server`.
    ///   - heartbeat: semel's default without one.
    public init(
        _ type: RabbitMQServer.QueueType, named name: String = QueueKind.freshName(), on server: RabbitMQServer? = nil,
        over tls: RabbitMQOverTLS? = nil, heartbeat: String? = nil
    ) async throws {
        self.tls = tls
        kind = type == .quorum ? .quorum : .classic
        if let server = tls?.server ?? server {
            self.server = server
        } else {
            self.server = try await .shared()
        }
        queue = name
        options = heartbeat.map { ["heartbeat": $0] } ?? [:]
        try await self.server.declareQueue(queue, type: type)
        try await self.server.createUser(queue, password: Credentials.password)
        try await self.server.setPermissions(user: queue)
    }

    /// Quorum queues keep the broker busy for as long as they are there.
    deinit {
        Task { [server, queue] in
            try? await server.evaluate(
                """
                [catch rabbit_amqqueue:delete(Q, false, false, <<"tests">>) || Q <- \(Self.ours(queue))], ok
                """)
        }
    }

    public func url(at port: Int?) -> String {
        if let tls {
            let user = "\(percentEncoded(user)):\(percentEncoded(Credentials.password))"
            return tls.url(queue: queue, user: user, at: port.map { "127.0.0.1:\($0)" }, options: options)
        }
        return server.url(queue: queue, user: user, password: Credentials.password, options: options, at: port)
    }

    public var urlOfMissingQueue: String? {
        server.url(queue: "\(queue)-missing", user: user, password: Credentials.password)
    }
    public var urlWithWrongCredentials: String? {
        server.url(queue: queue, user: user, password: Credentials.wrong)
    }

    /// In Erlang: the queue under test and those that semel has made beside it.
    private static func ours(_ queue: String) -> String {
        """
        [Q || Q <- rabbit_amqqueue:list(), {resource, _, queue, Name} <- [amqqueue:get_name(Q)],
            lists:prefix("\(queue).", binary_to_list(Name) ++ ".")]
        """
    }

    public func put(_ bodies: [[UInt8]]) async throws {
        try await server.publish(bodies: bodies, to: queue)
    }

    public func put(_ text: String, _ properties: MessageProperties) async throws {
        try await server.publish(text, to: queue, properties: properties)
    }

    /// The queues that semel has made beside this one.
    ///
    /// A quorum queue counts a settlement when it is written to its log, not when it has it: a command that does nothing
    /// goes into each log behind whatever came before, and its answer says that all of that is counted.
    private func companions() async throws -> [String] {
        // As an atom, since Erlang breaks long strings into lines.
        let answer = try await server.evaluate(
            """
            Ours = \(Self.ours(queue)),
            Nothing = rabbit_fifo:make_purge_nodes([]),
            [{ok, _, _} = ra:process_command(amqqueue:get_pid(Q), Nothing, 60000)
                || Q <- Ours, amqqueue:get_type(Q) =:= rabbit_quorum_queue],
            list_to_atom(lists:flatten(
                lists:join(" ", [binary_to_list(element(4, amqqueue:get_name(Q))) || Q <- Ours])))
            """)
        return answer.split { !($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") }.map(String.init)
            .filter { $0 != queue }
    }

    public func left() async throws -> Left {
        let companions = try await companions()
        let own = try await server.depth(of: queue)
        var left = Left(ready: own.ready, claimed: own.unacknowledged)
        for companion in companions {
            let depth = try await server.depth(of: companion)
            if companion.hasPrefix("\(queue).retry.") {
                left.delayed += depth.ready + depth.unacknowledged
            } else if companion == "\(queue).dead" {
                left.dead += depth.ready + depth.unacknowledged
            } else {
                throw SupportError("a queue that nobody asked for: \(companion)")
            }
        }
        return left
    }

    public func readyBodies() async throws -> [[UInt8]] {
        try await server.messages(in: queue).map(\.body)
    }

    public func deadLetters() async throws -> [DeadLetterSeen] {
        try await server.messages(in: "\(queue).dead").map { message in
            DeadLetterSeen(
                body: message.body, reason: message.headers["x-semel-reason"]?.text,
                attempts: message.headers["x-semel-attempts"]?.integer,
                exit: message.headers["x-semel-exit"]?.integer, output: message.headers["x-semel-output"]?.text)
        }
    }

    /// The broker does not know of processes: whoever consumes.
    public func isAwaited(by process: pid_t) async throws -> Bool {
        let bytes = queue.utf8.map(String.init).joined(separator: ",")
        let count = try await server.evaluate(
            """
            {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<\(bytes)>>)),
            length(rabbit_amqqueue:consumers(Q))
            """)
        return count != "0"
    }

    /// Results go to the queue that the message names.
    public func result(of id: String) async throws -> [UInt8]? { nil }
}
