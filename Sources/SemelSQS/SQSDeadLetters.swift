public import Logging
public import NIOCore
public import Semel

/// The dead letter queue of a queue. SQS has no way of looking without taking: each letter is received, and those that
/// are kept are handed back in the end.
public actor SQSDeadLetters: DeadLetterStore {
    private let address: SQSAddress
    private let client: SQSClient

    /// For how long a letter is hidden while the others are looked at.
    private static let looking = Duration.seconds(900)
    private static let patience = Duration.seconds(30)
    private static let page = 10

    public init(_ address: SQSAddress, on group: any EventLoopGroup, log: Logger) {
        self.address = address
        client = SQSClient(address, on: group, log: log)
    }

    public func visit(_ decide: @escaping @Sendable (StoredDeadLetter) -> DeadLetterAction) async throws(QueueFailure) {
        do throws(SQSFailure) {
            let end = ContinuousClock.now + Self.patience
            let own = try await client.queueURL()
            guard let dead = try await SQSDeadLetterTarget(client: client).url(.leave, until: end) else { return }
            try await visit(dead, of: own, decide)
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    public func close() async {
        await client.close()
    }

    private func visit(_ dead: String, of own: String, _ decide: (StoredDeadLetter) -> DeadLetterAction)
        async throws(SQSFailure)
    {
        var kept: [SQSWire.Message] = []
        let result: Result<Void, SQSFailure>
        do throws(SQSFailure) {
            result = .success(try await visitAll(dead, of: own, keeping: &kept, decide))
        } catch {
            result = .failure(error)
        }
        // Also when nobody waits for the look any more: whatever is not handed back is hidden for a quarter of an hour.
        let receipts = kept.map(\.receiptHandle)
        let failure = await Task { await handBack(receipts, to: dead) }.value
        try result.get()
        if let failure { throw failure }
    }

    private func visitAll(
        _ dead: String, of own: String, keeping kept: inout [SQSWire.Message],
        _ decide: (StoredDeadLetter) -> DeadLetterAction
    ) async throws(SQSFailure) {
        let began = Timestamp.now.rfc3339
        var retried: Set<String> = []
        var hasStopped = false
        while !hasStopped {
            // An answer that nobody waits for any more would hide its letters: it is not given up, they are.
            let page = try await Task { await received(from: dead) }.value.get()
            guard !Task.isCancelled else {
                kept += page
                throw .unanswered("the look was given up")
            }
            if page.isEmpty { return }
            for message in page {
                let letter = Self.letter(message)
                // One that was retried and is back already: SQS keeps no order, so others may be behind it.
                let isBack = retried.contains(letter.messageID) && letter.letter.time >= began
                let action = hasStopped || isBack ? .keep : decide(letter)
                switch action {
                case .keep: kept.append(message)
                case .stop:
                    kept.append(message)
                    hasStopped = true
                case .retry:
                    try await retry(message, to: own)
                    try await delete(message, from: dead)
                    retried.insert(letter.messageID)
                case .drop: try await delete(message, from: dead)
                }
            }
        }
    }

    private func received(from dead: String) async -> Result<[SQSWire.Message], SQSFailure> {
        do throws(SQSFailure) {
            let answer: SQSWire.Received = try await client.insist(
                "ReceiveMessage",
                SQSWire.ReceiveMessage(
                    queueUrl: dead, maxNumberOfMessages: Self.page, waitTimeSeconds: 1,
                    visibilityTimeout: Self.looking.wholeSeconds),
                until: .now + Self.patience)
            return .success(answer.messages ?? [])
        } catch {
            return .failure(error)
        }
    }

    /// Those that are gone meanwhile are nobody's loss.
    private func handBack(_ receipts: [String], to dead: String) async -> SQSFailure? {
        do throws(SQSFailure) {
            for start in stride(from: 0, to: receipts.count, by: Self.page) {
                let page = receipts[start..<min(start + Self.page, receipts.count)]
                let _: SQSWire.Nothing = try await client.insist(
                    "ChangeMessageVisibilityBatch",
                    SQSWire.ChangeMessageVisibilityBatch(
                        queueUrl: dead,
                        entries: page.enumerated().map { index, receipt in
                            .init(id: "\(index)", receiptHandle: receipt, visibilityTimeout: 0)
                        }),
                    until: .now + Self.patience)
            }
            return nil
        } catch {
            return error
        }
    }

    private func delete(_ message: SQSWire.Message, from dead: String) async throws(SQSFailure) {
        let _: SQSWire.Nothing = try await client.insist(
            "DeleteMessage", SQSWire.DeleteMessage(queueUrl: dead, receiptHandle: message.receiptHandle),
            until: .now + Self.patience)
    }

    private func retry(_ message: SQSWire.Message, to own: String) async throws(SQSFailure) {
        let stored = SQSStoredLetter(message.messageAttributes ?? [:])
        var attributes = Self.attributes(message)
        if attributes.count < SQSContent.mostAttributes {
            attributes[SQSContent.Name.id] = .text(stored?.id ?? message.messageId)
        }
        let group = stored == nil ? message.attributes?[SQSContent.Parameter.group] : stored?.group
        let _: SQSWire.Nothing = try await client.insist(
            "SendMessage",
            SQSWire.SendMessage(
                queueUrl: own, messageBody: message.body, messageAttributes: attributes,
                messageGroupId: group ?? (address.isFIFO ? message.messageId : nil),
                messageDeduplicationId: address.isFIFO ? message.messageId : nil),
            until: .now + Self.patience)
    }

    /// Those that the message came with.
    private static func attributes(_ message: SQSWire.Message) -> [String: SQSWire.Attribute] {
        var attributes = message.messageAttributes ?? [:]
        let own = SQSStoredLetter(attributes)?.attributes
        attributes[SQSContent.Name.deadLetter] = nil
        return own ?? attributes
    }

    private static func letter(_ message: SQSWire.Message) -> StoredDeadLetter {
        var original = message
        original.messageAttributes = attributes(message)
        let stored = SQSStoredLetter(message.messageAttributes ?? [:])
        let id = stored?.id ?? original.messageAttributes?[SQSContent.Name.id]?.stringValue ?? message.messageId
        return StoredDeadLetter(
            messageID: id, letter: stored?.letter ?? .unknown("unknown: moved here by SQS, or by somebody else"),
            body: SQSContent.body(of: original),
            contentType: original.messageAttributes?[SQSContent.Name.contentType]?.stringValue,
            headers: SQSContent.headers(of: original.messageAttributes ?? [:]))
    }
}
