public import Logging
public import NIOCore
public import Semel

/// Sends messages in batches: several at a time, since a round trip takes longer than SQS needs for a batch, but to a FIFO
/// queue one after the other, since it keeps the order in which they come. Any other has none.
public actor SQSProducer: MessageProducer {
    private let address: SQSAddress
    private let client: SQSClient
    private let declaring: Bool
    private var url: String?

    /// SQS' own limits of a batch. The size was 256 KiB for long, and compatible servers still have it.
    private static let messagesPerBatch = 10
    private static let bytesPerBatch = 256 << 10
    /// Each has a connection of its own.
    private static let batchesAtATime = 8
    /// For how long SQS is asked again while it does not answer or is busy.
    private static let patience = Duration.seconds(30)

    /// - Parameter declaring: Makes the queue when there is none.
    public init(_ address: SQSAddress, on group: any EventLoopGroup, declaring: Bool = false, log: Logger) {
        self.address = address
        self.declaring = declaring
        client = SQSClient(address, on: group, log: log)
    }

    public func enqueue(_ messages: [OutgoingMessage]) async throws(QueueFailure) {
        var outgoing: ArraySlice<SQSOutgoing> = []
        for message in messages { outgoing.append(try SQSOutgoing(message, to: address)) }
        do throws(SQSFailure) {
            try await send(outgoing, to: try await queueURL())
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    public func close() async {
        await client.close()
    }

    private func queueURL() async throws(SQSFailure) -> String {
        if let url { return url }
        let found = try await client.existingURL(declaring: declaring, until: .now + Self.patience)
        url = found
        return found
    }

    private static func nextBatch(_ rest: inout ArraySlice<SQSOutgoing>) -> [SQSOutgoing] {
        var batch: [SQSOutgoing] = []
        var bytes = 0
        // The first one always goes, however large.
        while let next = rest.first, batch.count < messagesPerBatch, batch.isEmpty || bytes + next.size <= bytesPerBatch
        {
            batch.append(next)
            bytes += next.size
            rest.removeFirst()
        }
        return batch
    }

    /// The first failure ends it; what is on its way then may or may not arrive.
    private func send(_ messages: ArraySlice<SQSOutgoing>, to url: String) async throws(SQSFailure) {
        let (client, most) = (client, address.isFIFO ? 1 : Self.batchesAtATime)
        let result = await withTaskGroup(of: Result<Void, SQSFailure>.self) { group in
            var (rest, underway) = (messages, 0)
            while true {
                while underway < most, !rest.isEmpty {
                    let batch = Self.nextBatch(&rest)
                    group.addTask {
                        do throws(SQSFailure) {
                            return .success(try await client.send(batch, to: url, within: Self.patience))
                        } catch {
                            return .failure(error)
                        }
                    }
                    underway += 1
                }
                guard let ended = await group.next() else { return Result<Void, SQSFailure>.success(()) }
                underway -= 1
                if case .failure = ended {
                    group.cancelAll()
                    return ended
                }
            }
        }
        try result.get()
    }
}

extension SQSClient {
    /// What SQS could not take of a batch through no fault of ours is sent again, before anything else.
    fileprivate func send(_ batch: [SQSOutgoing], to url: String, within limit: Duration) async throws(SQSFailure) {
        let end = ContinuousClock.now + limit
        var backoff = Backoff()
        var left = batch
        while true {
            let entries = left.enumerated().map { $1.entry(id: "\($0)") }
            let answer: SQSWire.SentBatch = try await insist(
                "SendMessageBatch", SQSWire.SendMessageBatch(queueUrl: url, entries: entries), until: end)
            let failed = answer.failed ?? []
            guard let first = failed.first else { return }
            let failure = SQSFailure.rejected(code: first.code, message: first.message ?? "")
            guard !failed.contains(where: { $0.senderFault ?? true }), ContinuousClock.now < end else { throw failure }
            left = failed.compactMap { failure in Int(failure.id).map { left[$0] } }
            try? await Life.sleep(for: backoff.next())
        }
    }
}

/// A message as it is sent.
struct SQSOutgoing: Sendable {
    let text: String
    let attributes: [String: SQSWire.Attribute]
    let group: String?
    let deduplication: String?

    var size: Int { SQSContent.size(text, attributes) }

    /// Messages to a FIFO queue are in one group unless they name another, so that they stay in order, and are told apart
    /// by their ids.
    private static let standardGroup = "semel"

    init(_ message: OutgoingMessage, to address: SQSAddress, adding: [String: SQSWire.Attribute] = [:])
        throws(QueueFailure)
    {
        let (text, encoding) = SQSContent.text(of: message.body)
        var attributes = encoding.merging(adding) { $1 }
        var parameters: [String: String] = [:]
        for (name, value) in message.headers {
            guard !value.isEmpty else {
                throw .misconfigured("\(address.source): SQS has no empty attributes; header ‘\(name)’ has no value")
            }
            if SQSContent.Parameter.all.contains(name) {
                parameters[name] = value
            } else {
                try Self.check(name, address)
                attributes[name] = .text(value)
            }
        }
        if let type = message.contentType { attributes[SQSContent.Name.contentType] = .text(type) }
        if let id = message.id { attributes[SQSContent.Name.id] = .text(id) }
        guard attributes.count <= SQSContent.mostAttributes else {
            throw .misconfigured(
                "\(address.source): an SQS message has 10 attributes at the most; headers, id, content type and encoding "
                    + "of this one make \(attributes.count)")
        }
        group = parameters[SQSContent.Parameter.group] ?? (address.isFIFO ? Self.standardGroup : nil)
        deduplication =
            parameters[SQSContent.Parameter.deduplication]
            ?? (address.isFIFO ? Self.token(message.id ?? MessageID.random()) : nil)
        self.text = text
        self.attributes = attributes
        guard size <= SQSContent.mostBytes else {
            let encoded = self.attributes[SQSContent.Name.encoding] == nil ? "" : " (in Base64)"
            throw .misconfigured(
                "\(address.source): a message of \(size) bytes\(encoded) is over SQS' limit of 1 MiB; put its body somewhere "
                    + "else, and its address into the queue")
        }
    }

    /// Source: Amazon SQS Developer Guide, “Message metadata”.
    private static func check(_ name: String, _ address: SQSAddress) throws(QueueFailure) {
        let isAllowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        let start = name.lowercased()
        guard isAllowed, name.utf8.count <= 256, !name.isEmpty, !start.hasPrefix("aws."), !start.hasPrefix("amazon.")
        else {
            throw .misconfigured(
                "\(address.source): ‘\(name)’ cannot be an SQS attribute: letters, digits, hyphens, underscores and dots, "
                    + "not beginning with AWS. or Amazon.")
        }
    }

    /// What SQS takes to tell messages apart has up to 128 characters of ASCII, without blanks.
    private static func token(_ id: String) -> String {
        let isPlain = id.utf8.count <= 128 && id.utf8.allSatisfy { (33...126).contains($0) }
        return isPlain && !id.isEmpty ? id : MessageID.random()
    }

    func entry(id: String) -> SQSWire.SendMessageBatch.Entry {
        SQSWire.SendMessageBatch.Entry(
            id: id, messageBody: text, messageAttributes: attributes, messageGroupId: group,
            messageDeduplicationId: deduplication)
    }
}

extension SQSClient {
    /// The URL of the address's own queue, which is there for certain; made, where that is wanted and it was not.
    func existingURL(declaring: Bool, until end: ContinuousClock.Instant) async throws(SQSFailure) -> String {
        do throws(SQSFailure) {
            let url = try await queueURL()
            let _: SQSWire.QueueAttributes = try await insist(
                "GetQueueAttributes", SQSWire.GetQueueAttributes(queueUrl: url, attributeNames: ["QueueArn"]),
                until: end)
            return url
        } catch .noSuchQueue where declaring {
            let attributes = address.isFIFO ? ["FifoQueue": "true"] : [:]
            let made: SQSWire.QueueUrl = try await insist(
                "CreateQueue", SQSWire.CreateQueue(queueName: address.queueName, attributes: attributes), until: end)
            return made.queueUrl
        } catch {
            throw error
        }
    }
}
