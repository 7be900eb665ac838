import CRabbitMQ
public import Logging
public import Semel

/// The queue `NAME.dead` beside a queue. AMQP has no way of looking without taking: each letter is fetched, and those
/// that are kept go back when the channel is closed, marked as redelivered.
public actor RabbitMQDeadLetters: DeadLetterStore {
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let address: RabbitMQAddress
    private let log: Logger

    public init(_ address: RabbitMQAddress, log: Logger) throws(SystemError) {
        self.address = address
        self.log = log
        thread = try ThreadExecutor("semel-rabbitmq")
    }

    public func visit(_ decide: @escaping @Sendable (StoredDeadLetter) -> DeadLetterAction) async throws(QueueFailure) {
        do throws(AMQPFailure) {
            try visitAll(decide)
        } catch .closed(404, _) {
            // Nothing has died yet.
            return
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    public func close() async {
        thread.stop()
    }

    private func visitAll(_ decide: (StoredDeadLetter) -> DeadLetterAction) throws(AMQPFailure) {
        let channel = AMQPChannel(try AMQPConnection.open(address))
        try channel.open()
        defer { channel.connection.close() }
        var publisher: RabbitMQPublisher?
        var retried: Set<String> = []
        let began = Timestamp.now.rfc3339
        // What is kept stays unacknowledged until the end, so that no letter is met twice.
        while let delivery = try channel.get(from: address.deadQueue) {
            let letter = try Self.letter(delivery)
            // One that was retried and is back already: behind it are only others like it. (Counts would tell how many
            // there were, but those of a quorum queue are some seconds old.)
            if retried.contains(letter.messageID), letter.letter.time >= began { break }
            switch decide(letter) {
            case .keep: continue
            case .stop: return try channel.close()
            case .retry:
                if publisher == nil { publisher = try RabbitMQPublisher(address, log: log) }
                try publisher?.revive(delivery, id: letter.messageID)
                try acknowledge(delivery, on: channel)
                retried.insert(letter.messageID)
            case .drop: try acknowledge(delivery, on: channel)
            }
        }
        try channel.close()
    }

    private func acknowledge(_ delivery: AMQPChannel.Delivery, on channel: AMQPChannel) throws(AMQPFailure) {
        try channel.connection.send(semel_basic_ack, amqp_basic_ack_t(delivery_tag: delivery.tag, multiple: 0))
    }

    private static func letter(_ delivery: AMQPChannel.Delivery) throws(AMQPFailure) -> StoredDeadLetter {
        let headers = delivery.properties.headers
        func text(_ name: String) -> String {
            if case .string(let text) = headers[name] { text } else { "" }
        }
        typealias Header = AMQPProperties.Header
        let letter = DeadLetter(
            reason: text(Header.reason), attempts: headers[Header.attempts]?.whole ?? 0,
            exit: headers[Header.exit]?.whole.flatMap { Int32(exactly: $0) },
            output: DeadLetter.lines(of: text(Header.output)), worker: text(Header.worker),
            time: text(Header.time))
        let body: [UInt8]
        do throws(SystemError) { body = try delivery.body.bytes() } catch { throw .broken(error.description) }
        return StoredDeadLetter(
            messageID: delivery.properties.messageID ?? "", letter: letter.reason.isEmpty ? .unknown() : letter,
            body: body, contentType: delivery.properties.contentType,
            headers: headers.filter { !Header.replaced.contains($0.key) && !Header.brokers.contains($0.key) })
    }
}
