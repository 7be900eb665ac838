import Logging
import NIOPosix
import Semel
import SemelQueues
import Synchronization
import TestSupport
import Testing

/// semel's own ways to a queue under test, each as new as in another process.
extension QueueUnderTest {
    func address(_ url: String? = nil) throws -> QueueAddress {
        try QueueAddress(QueueURL(url ?? self.url, source: "--queue"), RunningProcess.environment())
    }

    /// For one worker.
    func adapter(through proxy: TCPProxy? = nil) throws -> any MessageQueue {
        try address(url(through: proxy)).adapter()
    }

    func producer() throws -> any MessageProducer { try address().producer(log: .silent) }

    func requester() throws -> any MessageRequester { try address().requester(log: .silent) }

    func enqueue(_ messages: OutgoingMessage...) async throws {
        let producer = try producer()
        try await producer.enqueue(messages)
        await producer.close()
    }

    func counts() async throws -> QueueCounts {
        let inspector = try address().inspector(log: .silent)
        let counts = try await inspector.counts()
        await inspector.close()
        return counts
    }

    /// Goes through the dead letters and answers with what was seen.
    func visit(
        _ decide: @escaping @Sendable (StoredDeadLetter) -> DeadLetterAction = { _ in .keep }
    ) async throws -> [StoredDeadLetter] {
        let seen = Mutex<[StoredDeadLetter]>([])
        let store = try address().deadLetters(log: .silent)
        do {
            try await store.visit { letter in
                seen.withLock { $0.append(letter) }
                return decide(letter)
            }
        } catch {
            await store.close()
            throw error
        }
        await store.close()
        return seen.withLock { $0 }
    }
}

extension QueueAddress {
    func adapter() throws -> any MessageQueue {
        try queue(on: MultiThreadedEventLoopGroup.singleton, log: .silent)
    }
}

extension Logger {
    static let silent = Logger(label: "conformance") { _ in SwiftLogNoOpLogHandler() }
}

extension ClaimRequest {
    /// What is there.
    static let now = ClaimRequest(wait: .upTo(.zero))
    /// Longer than anything here takes.
    static let soon = ClaimRequest(wait: .upTo(.seconds(30)))
    static let endless = ClaimRequest(wait: .forever)

    /// The same with another lease; without effect on a queue that has none.
    func lease(_ lease: Duration) -> ClaimRequest {
        var request = self
        request.lease = lease
        return request
    }

    func delivery(_ delivery: Delivery) -> ClaimRequest {
        var request = self
        request.delivery = delivery
        return request
    }
}

extension Message {
    var bytes: [UInt8] { get throws { try body.bytes() } }
    var text: String { get throws { String(decoding: try bytes, as: UTF8.self) } }
}
