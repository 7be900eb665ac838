import Foundation
import Synchronization

extension RabbitMQServer {
    public enum QueueType: String, CaseIterable, Sendable {
        case classic, quorum
    }

    /// How many messages a queue has.
    public struct Depth: Hashable, Sendable {
        public let ready: Int
        public let unacknowledged: Int

        public init(ready: Int, unacknowledged: Int) {
            self.ready = ready
            self.unacknowledged = unacknowledged
        }
    }

    /// Declares a durable queue.
    public func declareQueue(
        _ name: String, type: QueueType = .classic, arguments: [String: AMQPValue] = [:]
    ) async throws {
        let arguments = arguments.merging(["x-queue-type": .string(type.rawValue)]) { given, _ in given }
        // On a busy machine the broker may not wait long enough for a quorum queue's first leader.
        let internalError = 541
        try await eventually(timeout: .seconds(60), "the broker declares \(name)") {
            do {
                try await connected { _ = try $0.declareQueue(name, arguments: arguments) }
                return true
            } catch let error as AMQPError where error.code == internalError {
                return false
            }
        }
        if type == .quorum {
            try await rememberQuorumQueues()
        }
    }

    /// Makes the broker write down which quorum queues there are.
    ///
    /// By itself it does so after three seconds, and a queue that it has not written down has lost its messages and
    /// finds no leader when the broker is killed. Needed before `kill()` for queues that the tests did not declare.
    public func rememberQuorumQueues() async throws {
        try await evaluate("[dets:sync(T) || T <- dets:all()], ok")
    }

    public func deleteQueue(_ name: String) async throws {
        try await connected { try $0.deleteQueue(name) }
    }

    public func purge(_ name: String) async throws {
        try await connected { try $0.purge(name) }
    }

    /// Declares a durable exchange: `direct`, `fanout`, `topic` or `headers`.
    public func declareExchange(_ name: String, type: String = "direct") async throws {
        try await connected { try $0.declareExchange(name, type: type) }
    }

    public func bind(_ queue: String, exchange: String, key: String = "") async throws {
        try await connected { try $0.bind(queue, exchange: exchange, key: key) }
    }

    /// Publishes a persistent message to a queue and waits until the broker has it; of any size.
    public func publish(
        body: [UInt8], to queue: String, properties: MessageProperties = MessageProperties()
    ) async throws {
        try await publish(bodies: [body], to: queue, properties: properties)
    }

    /// Publishes a text.
    public func publish(
        _ text: String, to queue: String, properties: MessageProperties = MessageProperties()
    ) async throws {
        try await publish(bodies: [Array(text.utf8)], to: queue, properties: properties)
    }

    /// Publishes many messages on one connection.
    public func publish(
        bodies: [[UInt8]], to queue: String, exchange: String = "",
        properties: MessageProperties = MessageProperties(), timeout: Duration = .seconds(120)
    ) async throws {
        try await connected(timeout: timeout) { connection in
            try connection.publish(
                bodies.map { Data($0) }, exchange: exchange, routingKey: queue, properties: properties)
        }
    }

    /// Takes up to so many messages off a queue for good.
    public func take(_ count: Int = 1, from queue: String) async throws -> [StoredMessage] {
        try await connected { connection in
            var messages: [StoredMessage] = []
            while messages.count < count, let next = try connection.get(from: queue, settled: true) {
                messages.append(next.message)
            }
            return messages
        }
    }

    /// All messages that are ready, put back in their places.
    ///
    /// Looking leaves a trace: they come back as redelivered, and a quorum queue has counted one more delivery.
    public func messages(in queue: String) async throws -> [StoredMessage] {
        let messages = try await connected { connection in
            var messages: [StoredMessage] = []
            var lastTag: UInt64?
            while let next = try connection.get(from: queue, settled: false) {
                messages.append(next.message)
                lastTag = next.tag
            }
            if let lastTag {
                try connection.refuse(lastTag, upTo: true, requeue: true)
            }
            return messages
        }
        // A quorum queue has read the return by now, but may not have done it yet.
        _ = try await holds(within: .seconds(2)) { try await depth(of: queue).ready >= messages.count }
        return messages
    }

    /// Takes one message and keeps it unacknowledged.
    public func hold(from queue: String) async throws -> HeldMessage? {
        try await onThread("amqp \(port)") { [port] in
            let connection = try AMQPConnection(port: port)
            guard let delivery = try connection.get(from: queue, settled: false) else { return nil }
            return HeldMessage(delivery, connection)
        }
    }

    /// The exact number of messages at this moment, asked from the queue itself and not from statistics.
    public func depth(of queue: String) async throws -> Depth {
        let bytes = queue.utf8.map(String.init).joined(separator: ",")
        let answer = try await evaluate(
            """
            {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<\(bytes)>>)),
            Count = fun(F) -> {ok, {_, V}, _} = ra:leader_query(amqqueue:get_pid(Q), F), V end,
            Counts = case amqqueue:get_type(Q) of
                rabbit_quorum_queue ->
                    [Count(fun rabbit_fifo:query_messages_ready/1),
                     Count(fun rabbit_fifo:query_messages_checked_out/1)];
                _ -> [V || {_, V} <- rabbit_amqqueue:info(Q, [messages_ready, messages_unacknowledged])]
            end,
            % A list of small numbers would be printed as a text: 8 and 10 as "\\b\\n".
            list_to_tuple(Counts)
            """)
        let numbers = answer.split { !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count == 2 else {
            throw SupportError("not the depth of \(queue): \(answer)")
        }
        return Depth(ready: numbers[0], unacknowledged: numbers[1])
    }
}

/// A message that this test holds; it goes back to its queue with the last reference, as if a worker had died.
public final class HeldMessage: Sendable {
    public let message: StoredMessage
    private let tag: UInt64
    private let connection: Mutex<AMQPConnection?>

    init(_ delivery: AMQPConnection.Delivery, _ connection: sending AMQPConnection) {
        message = delivery.message
        tag = delivery.tag
        self.connection = Mutex(connection)
    }

    public func acknowledge() async throws {
        try await settle { [tag] in try $0.acknowledge(tag) }
    }

    /// Hands it back, or with `requeue` false to the dead-letter exchange.
    public func refuse(requeue: Bool = true) async throws {
        try await settle { [tag] in try $0.refuse(tag, requeue: requeue) }
    }

    /// Drops the connection without settling.
    public func abandon() {
        connection.withLock { $0 = nil }
    }

    private func settle(_ body: @escaping @Sendable (AMQPConnection) throws -> Void) async throws {
        try await onThread("amqp settle") { [self] in
            try connection.withLock { connection in
                guard let open = connection else {
                    throw SupportError("already settled")
                }
                connection = nil
                open.extend(by: .seconds(10))
                try body(open)
            }
        }
    }
}
