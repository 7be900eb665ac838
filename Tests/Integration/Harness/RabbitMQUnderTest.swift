import Foundation
import TestSupport

/// A queue on the shared broker, worked on by a user who is nobody's administrator.
final class RabbitMQUnderTest: QueueUnderTest {
    let server: RabbitMQServer
    let queue: String

    var secrets: [String] { Credentials.secrets }
    var url: String { server.url(queue: queue, user: Credentials.user, password: Credentials.password) }

    init(_ name: String, _ type: RabbitMQServer.QueueType) async throws {
        server = try await Credentials.rabbitMQ()
        queue = name
        try await server.declareQueue(name, type: type)
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

    /// In Erlang: the queue under test and those that semel has made beside it.
    private static func ours(_ queue: String) -> String {
        """
        [Q || Q <- rabbit_amqqueue:list(), {resource, _, queue, Name} <- [amqqueue:get_name(Q)],
            lists:prefix("\(queue).", binary_to_list(Name) ++ ".")]
        """
    }

    func put(_ bodies: [[UInt8]]) async throws {
        try await server.publish(bodies: bodies, to: queue)
    }

    func put(_ text: String, _ properties: MessageProperties) async throws {
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

    func left() async throws -> Left {
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

    func readyBodies() async throws -> [[UInt8]] {
        try await server.messages(in: queue).map(\.body)
    }

    func deadLetters() async throws -> [DeadLetterSeen] {
        try await server.messages(in: "\(queue).dead").map { message in
            DeadLetterSeen(
                body: message.body, reason: message.headers["x-semel-reason"]?.text,
                attempts: message.headers["x-semel-attempts"]?.integer,
                exit: message.headers["x-semel-exit"]?.integer, output: message.headers["x-semel-output"]?.text)
        }
    }

    func isAwaited(by worker: Worker) async throws -> Bool {
        let bytes = queue.utf8.map(String.init).joined(separator: ",")
        let count = try await server.evaluate(
            """
            {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<\(bytes)>>)),
            length(rabbit_amqqueue:consumers(Q))
            """)
        return count == "1"
    }

    /// Results go to the queue that the message names.
    func result(of id: String) async throws -> [UInt8]? { nil }
}
