public import Logging
public import NIOCore
public import Semel

/// Counts what is in a queue, as SQS tells it: approximately, and some seconds late. What rests before its next attempt
/// is hidden, as what a worker holds is: SQS does not tell them apart.
public actor SQSInspector: QueueInspector {
    private let address: SQSAddress
    private let client: SQSClient

    private static let ready = "ApproximateNumberOfMessages"
    private static let hidden = "ApproximateNumberOfMessagesNotVisible"
    private static let delayed = "ApproximateNumberOfMessagesDelayed"

    public init(_ address: SQSAddress, on group: any EventLoopGroup, log: Logger) {
        self.address = address
        client = SQSClient(address, on: group, log: log)
    }

    public func counts() async throws(QueueFailure) -> QueueCounts {
        do throws(SQSFailure) {
            var counts = try await queueCounts()
            let end = ContinuousClock.now + SQSClient.patience
            do throws(SQSFailure) {
                let dead = try await SQSDeadLetterTarget(client: client).url(.leave, until: end)
                counts.dead = if let dead { try await numbers(of: dead)[Self.ready] ?? 0 } else { 0 }
            } catch .refused {
                // Without the right to look into that queue nothing is known of it.
                counts.dead = nil
            } catch {
                throw error
            }
            return counts
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    /// The queue's own counts, which are what KEDA asks for.
    public func ownCounts() async throws(QueueFailure) -> QueueCounts {
        do throws(SQSFailure) { return try await queueCounts() } catch { throw error.asQueueFailure(address) }
    }

    public func close() async {
        await client.close()
    }

    private func queueCounts() async throws(SQSFailure) -> QueueCounts {
        let numbers = try await numbers(of: client.queueURL())
        return QueueCounts(
            ready: numbers[Self.ready] ?? 0, claimed: numbers[Self.hidden] ?? 0, delayed: numbers[Self.delayed] ?? 0)
    }

    private func numbers(of url: String) async throws(SQSFailure) -> [String: Int] {
        let answer: SQSWire.QueueAttributes = try await client.insist(
            "GetQueueAttributes",
            SQSWire.GetQueueAttributes(queueUrl: url, attributeNames: [Self.ready, Self.hidden, Self.delayed]),
            until: .now + SQSClient.patience)
        return (answer.attributes ?? [:]).compactMapValues { Int($0) }
    }
}
