import FoundationEssentials
import Semel

/// Where the dead letters of a queue go: to the queue that the address names, else to the target of the queue's redrive
/// policy, else to the queue `NAME-dead`.
struct SQSDeadLetterTarget: Sendable {
    let client: SQSClient

    private var address: SQSAddress { client.address }

    /// Whether semel itself may make the queue when there is none.
    enum Missing {
        case create
        case leave
    }

    /// `nil` when there is none and none was to be made.
    func url(_ missing: Missing, until end: ContinuousClock.Instant) async throws(SQSFailure) -> String? {
        if address.deadQueueName == nil, let target = try await redriveTarget(until: end) { return target }
        let name = address.deadQueueName ?? standardName
        do throws(SQSFailure) {
            return try await client.url(of: name, within: max(.milliseconds(100), min(SQSClient.patience, end - .now)))
        } catch .noSuchQueue {
            guard missing == .create else { return nil }
            return try await create(name, until: end)
        } catch {
            throw error
        }
    }

    private var standardName: String {
        address.isFIFO ? "\(address.queueName.dropLast(5))-dead.fifo" : "\(address.queueName)-dead"
    }

    private struct RedrivePolicy: Decodable {
        var deadLetterTargetArn: String
    }

    private func redriveTarget(until end: ContinuousClock.Instant) async throws(SQSFailure) -> String? {
        let attributes: SQSWire.QueueAttributes
        do throws(SQSFailure) {
            attributes = try await client.insist(
                "GetQueueAttributes",
                SQSWire.GetQueueAttributes(queueUrl: try await client.queueURL(), attributeNames: ["RedrivePolicy"]),
                until: end)
        } catch .refused {
            // Without the right to look, there is still the queue with the standard name.
            return nil
        } catch {
            throw error
        }
        guard let text = attributes.attributes?["RedrivePolicy"],
            let policy = try? JSONDecoder().decode(RedrivePolicy.self, from: Data(text.utf8))
        else { return nil }
        // arn:aws:sqs:REGION:ACCOUNT:NAME
        let parts = policy.deadLetterTargetArn.split(separator: ":").map(String.init)
        guard parts.count == 6 else { return nil }
        return try await client.url(of: parts[5], account: parts[4])
    }

    /// Keeps its letters for as long as SQS can: 14 days.
    private func create(_ name: String, until end: ContinuousClock.Instant) async throws(SQSFailure) -> String {
        var attributes = ["MessageRetentionPeriod": "1209600"]
        if address.isFIFO { attributes["FifoQueue"] = "true" }
        let answer: SQSWire.QueueUrl = try await client.insist(
            "CreateQueue", SQSWire.CreateQueue(queueName: name, attributes: attributes), until: end)
        return answer.queueUrl
    }
}
