public import Logging
public import NIOCore
public import Semel

/// Sends a message that names a queue for the answer, made for this one message, and waits there.
public actor SQSRequester: MessageRequester {
    private let address: SQSAddress
    private let client: SQSClient
    private let declaring: Bool
    private var answers: String?

    private static let patience = Duration.seconds(30)

    /// - Parameter declaring: Makes the queue when there is none.
    public init(_ address: SQSAddress, on group: any EventLoopGroup, declaring: Bool = false, log: Logger) {
        self.address = address
        self.declaring = declaring
        client = SQSClient(address, on: group, log: log)
    }

    public func enqueue(_ message: OutgoingMessage) async throws(QueueFailure) {
        // Looked at before anything is made.
        _ = try SQSOutgoing(message, to: address, adding: Self.attributes(answersTo: ""))
        let end = ContinuousClock.now + Self.patience
        let own: String
        let answers: String
        do throws(SQSFailure) {
            own = try await client.existingURL(declaring: declaring, until: end)
            let made: SQSWire.QueueUrl = try await client.insist(
                "CreateQueue",
                SQSWire.CreateQueue(
                    queueName: "semel-answer-\(MessageID.random())", attributes: ["MessageRetentionPeriod": "86400"]),
                until: end)
            answers = made.queueUrl
        } catch {
            throw error.asQueueFailure(address)
        }
        self.answers = answers
        let outgoing = try SQSOutgoing(message, to: address, adding: Self.attributes(answersTo: answers))
        do throws(SQSFailure) {
            let _: SQSWire.Nothing = try await client.insist(
                "SendMessage",
                SQSWire.SendMessage(
                    queueUrl: own, messageBody: outgoing.text, messageAttributes: outgoing.attributes,
                    messageGroupId: outgoing.group, messageDeduplicationId: outgoing.deduplication),
                until: end)
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    private static func attributes(answersTo url: String) -> [String: SQSWire.Attribute] {
        [SQSContent.Name.replyTo: .text(url), SQSContent.Name.awaited: .text("true")]
    }

    public func end() async throws(QueueFailure) -> RequestEnd? {
        guard let answers else { return nil }
        while !Task.isCancelled {
            do throws(SQSFailure) {
                let received: SQSWire.Received = try await client.insist(
                    "ReceiveMessage",
                    SQSWire.ReceiveMessage(queueUrl: answers, waitTimeSeconds: 20, visibilityTimeout: 30),
                    patience: .seconds(30), until: .now + Self.patience)
                if let answer = received.messages?.first { return Self.end(answer) }
            } catch {
                if Task.isCancelled { return nil }
                throw error.asQueueFailure(address)
            }
        }
        return nil
    }

    private static func end(_ answer: SQSWire.Message) -> RequestEnd {
        let attributes = answer.messageAttributes ?? [:]
        switch attributes[SQSContent.Name.outcome]?.stringValue.flatMap({ Outcome(rawValue: $0) }) {
        case .completed: return .completed(result: nil)
        case .deadLettered: return .deadLettered(reason: attributes[SQSContent.Name.reason]?.stringValue ?? "")
        default: return .completed(result: SQSContent.body(of: answer))
        }
    }

    /// The queue for the answer goes with whoever waited.
    public func close() async {
        if let answers {
            // What is left behind when this fails is empty, or an answer that nobody will fetch.
            let deleting = Task { [client] in
                let _: SQSWire.Nothing? = try? await client.call("DeleteQueue", SQSWire.QueueUrl(queueUrl: answers))
            }
            await deleting.value
        }
        answers = nil
        await client.close()
    }
}
