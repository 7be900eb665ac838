public import Semel

/// Counts what is in a RabbitMQ queue and in the queues that semel keeps beside it. AMQP does not tell how many
/// messages are claimed, nor how old one is.
public actor RabbitMQInspector: QueueInspector {
    private nonisolated let thread: ThreadExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let address: RabbitMQAddress
    private var probe: QueueProbe?
    /// Queues that were not there when they were last asked for.
    private var absent: [String: ContinuousClock.Instant] = [:]

    /// A queue that is not there is not asked for again before this: the broker logs every such question as an error.
    private static let pauseAfterAbsence = Duration.seconds(10)

    public init(_ address: RabbitMQAddress) throws(SystemError) {
        self.address = address
        thread = try ThreadExecutor("semel-rabbitmq")
    }

    public func counts() async throws(QueueFailure) -> QueueCounts {
        do throws(AMQPFailure) {
            return try look()
        } catch {
            disconnect()
            throw error.asQueueFailure(address)
        }
    }

    /// What is ready in the queue itself. The queues beside it, which others than semel do not have, are not asked for: the
    /// broker logs an error for each one that is not there.
    public func ready() async throws(QueueFailure) -> Int {
        do throws(AMQPFailure) {
            switch try connected().ask([address.queue]).first {
            case .messages(let count): return count
            case .refused(let code, let text): throw .closed(code: code, text: text)
            case nil: throw .broken("the broker did not answer")
            }
        } catch {
            disconnect()
            throw error.asQueueFailure(address)
        }
    }

    public func close() async {
        disconnect()
        thread.stop()
    }

    private func look() throws(AMQPFailure) -> QueueCounts {
        let dead = address.deadQueue
        let delayed = RetryTier.ladder.map { address.retryQueue($0) }
        let now = ContinuousClock.now
        absent = absent.filter { now - $0.value < Self.pauseAfterAbsence }
        let asked = ([address.queue, dead] + delayed).filter { absent[$0] == nil }
        let answers = Dictionary(zip(asked, try connected().ask(asked)), uniquingKeysWith: { first, _ in first })
        let ready =
            switch answers[address.queue] {
            case .messages(let count): count
            case .refused(let code, let text): throw .closed(code: code, text: text)
            case nil: throw .broken("the broker did not answer")
            }
        for (queue, answer) in answers {
            if case .refused(404, _) = answer { absent[queue] = now }
        }
        return QueueCounts(ready: ready, delayed: sum(of: delayed, answers), dead: sum(of: [dead], answers))
    }

    /// `nil` when one of them may not be looked at. A queue that is not there holds nothing.
    private func sum(of queues: [String], _ answers: [String: QueueProbe.Answer]) -> Int? {
        var sum = 0
        for queue in queues {
            switch answers[queue] {
            case .messages(let count): sum += count
            case .refused(404, _), nil: break
            case .refused: return nil
            }
        }
        return sum
    }

    // MARK: Connection

    private func connected() throws(AMQPFailure) -> QueueProbe {
        if let probe { return probe }
        let opened = QueueProbe(try AMQPConnection.open(address))
        probe = opened
        // Between looks: heartbeats both ways, and the broker's end.
        thread.watch(
            ThreadExecutor.Watch(descriptor: opened.connection.descriptor, atLeastEvery: address.heartbeat / 3) {
                self.assumeIsolated { $0.serve() }
            })
        return opened
    }

    private func serve() {
        do throws(AMQPFailure) {
            try probe?.serve()
        } catch {
            // The next look opens another connection, and says what is wrong if that does not work either.
            disconnect()
        }
    }

    private func disconnect() {
        thread.watch(nil)
        probe?.connection.close()
        probe = nil
    }
}
