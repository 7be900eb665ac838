import TestSupport

/// A queue on a broker, worked on by a user of its own who is nobody's administrator.
final class RabbitMQFaultQueue: FaultQueue {
    let kind: Kind
    let server: RabbitMQServer
    let name: String
    let heartbeat: String
    let secrets = [password, "s3cret%26"]

    private static let password = "s3cret&"

    init(_ type: RabbitMQServer.QueueType, on server: RabbitMQServer, heartbeat: String = "30s") async throws {
        kind = type == .quorum ? .quorum : .classic
        self.server = server
        self.heartbeat = heartbeat
        name = Kind.freshName()
        try await server.declareQueue(name, type: type)
        try await server.createUser(name, password: Self.password)
        try await server.setPermissions(user: name)
    }

    func url(through proxy: TCPProxy?) -> String {
        let direct = server.url(
            queue: name, user: name, password: Self.password, options: ["heartbeat": heartbeat])
        return proxy.map { direct.replacing("127.0.0.1:\(server.port)", with: "127.0.0.1:\($0.port)") } ?? direct
    }

    func proxy() throws -> TCPProxy { try TCPProxy(to: server.port) }

    func put(_ bodies: [String]) async throws {
        try await server.publish(bodies: bodies.map { Array($0.utf8) }, to: name)
    }

    /// The queues that semel has made beside this one.
    private func companions() async throws -> [String] {
        // As an atom, since Erlang breaks long strings into lines.
        let answer = try await server.evaluate(
            """
            Names = [binary_to_list(element(4, amqqueue:get_name(Q))) || Q <- rabbit_amqqueue:list()],
            list_to_atom(lists:flatten(lists:join(" ", [N || N <- Names, lists:prefix("\(name).", N)])))
            """)
        return answer.split { !($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") }.map(String.init)
    }

    func left() async throws -> Left {
        let own = try await server.depth(of: name)
        var left = Left(ready: own.ready, claimed: own.unacknowledged)
        for companion in try await companions() {
            let depth = try await server.depth(of: companion)
            if companion.hasPrefix("\(name).retry.") {
                left.delayed += depth.ready + depth.unacknowledged
            } else {
                left.dead += depth.ready + depth.unacknowledged
            }
        }
        return left
    }

    func ready() async throws -> [String] {
        try await server.messages(in: name).map(\.text)
    }

    func deadLetters() async throws -> [DeadLetterSeen] {
        try await server.messages(in: "\(name).dead").map { message in
            DeadLetterSeen(
                body: message.text, reason: message.headers["x-semel-reason"]?.text ?? "",
                attempts: message.headers["x-semel-attempts"]?.integer ?? 0)
        }
    }

    func isAwaited(by worker: Worker) async throws -> Bool {
        let bytes = name.utf8.map(String.init).joined(separator: ",")
        let count = try await server.evaluate(
            """
            {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<\(bytes)>>)),
            length(rabbit_amqqueue:consumers(Q))
            """)
        return count != "0"
    }
}
