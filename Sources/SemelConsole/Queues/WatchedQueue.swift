import Logging
import Semel
import SemelQueues
import Synchronization

/// A queue, and what is known of it.
final class WatchedQueue: Sendable {
    let queue: ConsoleQueue
    let counts: LiveReading<QueueReading>
    let letters: DeadLetterDesk
    private let counter: QueueCounter
    private let log: Logger

    init(_ queue: ConsoleQueue, log: Logger) {
        (self.queue, self.log) = (queue, log)
        let counter = QueueCounter(queue, log: log)
        self.counter = counter
        letters = DeadLetterDesk(queue, log: log)
        counts = LiveReading(.init(watched: .seconds(2), attention: .seconds(20), unwatched: QueueHistory.step)) { _ in
            await counter.read()
        }
    }

    var history: [QueueSample] {
        get async { await counter.history.samples }
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.counts.run() }
            group.addTask { await self.letters.run() }
        }
        await counter.close()
    }

    func enqueue(_ message: OutgoingMessage) async throws(QueueFailure) {
        let producer: any MessageProducer
        do throws(SystemError) {
            producer = try queue.address.producer(log: log)
        } catch {
            throw .unreachable(error.description)
        }
        do throws(QueueFailure) {
            try await producer.enqueue([message])
        } catch {
            await producer.close()
            throw error
        }
        await producer.close()
        await counts.refresh()
    }
}

/// Reads one queue's counts, over a connection that is kept for as long as it works.
private actor QueueCounter {
    private let queue: ConsoleQueue
    private let log: Logger
    private var inspector: (any QueueInspector)?
    private var last = QueueReading()
    private(set) var history = QueueHistory()
    /// An inspector serves one caller.
    private let turns = OneAtATime()

    init(_ queue: ConsoleQueue, log: Logger) {
        (self.queue, self.log) = (queue, log)
    }

    func read() async -> QueueReading {
        await turns.run { await look() }
    }

    func close() async {
        await inspector?.close()
        inspector = nil
    }

    private func look() async -> QueueReading {
        do {
            let inspector = try self.inspector ?? queue.address.inspector(log: log)
            self.inspector = inspector
            let counts = try await inspector.counts()
            let now = Timestamp.now
            history.add(counts, at: now)
            last = QueueReading(counts: counts, time: now)
        } catch {
            await close()
            last.problem = (error as? QueueFailure)?.reason ?? "\(error)"
        }
        return last
    }
}
