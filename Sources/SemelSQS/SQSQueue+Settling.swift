import Logging
import Semel

extension SQSQueue {
    /// For how long a settlement that SQS refuses is tried again before the message is handed back (rights may be
    /// withdrawn for a moment), and for how long it then rests.
    private static let insistence = Duration.seconds(10)

    private enum EndFailure: Error {
        /// SQS knows the claim no more.
        case lost(ClaimLoss)
        case failed(SQSFailure)
    }

    func settle(_ claim: SQSClaim, _ settlement: Settlement) async throws(SettlementFailure) {
        keeping?.cancel()
        await keeping?.value
        if let loss = claim.loss.value { throw .lost(loss) }
        if isSettled { throw .lost(ClaimLoss("the claim was settled before")) }
        // Nobody else can have what is off the queue; so long an outage is ridden out for its result or its dead letter.
        if claim.atMostOnce { leaseEnds = .now + lease }
        let insistUntil = ContinuousClock.now + min(lease / 2, Self.insistence)
        // What is refused is handed back: to rest for a while, or else at once.
        var wishes = [settlement] + (claim.atMostOnce ? [] : [.retry(after: Self.insistence), .release])
        var refusal: SQSFailure?
        var backoff = Backoff(within: lease)
        while true {
            guard ContinuousClock.now < leaseEnds else { throw .lost(tooLate(claim, refusal?.reason ?? trouble)) }
            switch await attempt(wishes[0], on: claim) {
            case .success:
                isSettled = true
                if let refusal { throw .handedBack("SQS refused the settlement: \(refusal.reason)") }
                return
            case .failure(.lost(let loss)): throw .lost(loss)
            case .failure(.failed(let failure)):
                guard !Task.isCancelled else { throw .unconfirmed(failure.reason) }
                if !failure.isPassing, wishes.count > 1, refusal != nil || .now >= insistUntil {
                    refusal = refusal ?? failure
                    wishes.removeFirst()
                }
                tell("could not settle, trying again", failure)
                try? await Life.sleep(for: backoff.next())
            }
        }
    }

    private func tooLate(_ claim: SQSClaim, _ reason: String?) -> ClaimLoss {
        let what = claim.atMostOnce ? "at most once: the message is off the queue and" : "the lease ended and"
        return ClaimLoss("\(what) SQS could not be told of the end: \(reason ?? "this process was kept from running")")
    }

    private func attempt(_ settlement: Settlement, on claim: SQSClaim) async -> Result<Void, EndFailure> {
        do throws(EndFailure) {
            return .success(try await end(claim, settlement))
        } catch {
            return .failure(error)
        }
    }

    private func end(_ claim: SQSClaim, _ settlement: Settlement) async throws(EndFailure) {
        switch settlement {
        case .complete(let result):
            try await once { () throws(SQSFailure) in try await deliver(result, of: claim) }
            try await remove(claim)
        case .retry(let delay): try await handBack(claim, after: delay)
        case .release: try await handBack(claim, after: .zero)
        case .deadLetter(let letter):
            if !isSaved { try await save(letter, of: claim) }
            try await remove(claim)
        }
    }

    /// What is tried again is not sent again.
    private func once(_ send: () async throws(SQSFailure) -> Void) async throws(EndFailure) {
        guard !isSaved else { return }
        do throws(SQSFailure) { try await send() } catch { throw failure(error) }
        isSaved = true
    }

    /// Of a request to another queue, whose answer says nothing of the claim.
    private func failure(_ error: SQSFailure) -> EndFailure { error == .tooLate ? .lost(loss(error)) : .failed(error) }

    /// A letter that is sent for a claim that is gone is a second message: just before, SQS has to know the claim still.
    private func save(_ letter: DeadLetter, of claim: SQSClaim) async throws(EndFailure) {
        let url: String?
        do throws(SQSFailure) { url = try await deadLetters.url(.create, until: leaseEnds) } catch {
            throw failure(error)
        }
        guard let url else { throw .failed(.noSuchQueue) }
        if !claim.atMostOnce { try await ofClaim { () throws(SQSFailure) in try await extend(claim) } }
        try await once { () throws(SQSFailure) in try await send(letter, of: claim, to: url) }
        await tell(of: .deadLettered, reason: letter.reason, claim)
    }

    /// A request with the claim's receipt handle.
    private func ofClaim(_ request: () async throws(SQSFailure) -> Void) async throws(EndFailure) {
        do throws(SQSFailure) { try await request() } catch {
            throw error.isLoss ? .lost(loss(error)) : .failed(error)
        }
    }

    private func handBack(_ claim: SQSClaim, after delay: Duration) async throws(EndFailure) {
        if claim.atMostOnce { return }
        try await ofClaim { () throws(SQSFailure) in try await changeVisibility(of: claim, to: delay) }
    }

    private func remove(_ claim: SQSClaim) async throws(EndFailure) {
        if claim.atMostOnce { return }
        // SQS may delete with a handle whose time is over: there has to be enough of it left.
        if leaseEnds - .now < lease / 3 {
            try await ofClaim { () throws(SQSFailure) in try await extend(claim) }
        }
        try await ofClaim { () throws(SQSFailure) in try await delete(claim) }
    }

    // MARK: What outlives the message

    private func deliver(_ result: MessageBody?, of claim: SQSClaim) async throws(SQSFailure) {
        guard let result else { return await tell(of: .completed, claim) }
        guard let url = claim.attribute(SQSContent.Name.replyTo) else {
            log.notice("the message has no attribute reply-to: its result is not delivered")
            return
        }
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try result.bytes() } catch { throw .unusable(error.description) }
        let (text, attributes) = SQSContent.text(of: bytes)
        do throws(SQSFailure) {
            try await post(text, attributes, to: url, answering: claim)
        } catch .noSuchQueue {
            log.notice("nobody waits for the result any more: its queue is gone")
        } catch {
            throw error
        }
    }

    private func send(_ letter: DeadLetter, of claim: SQSClaim, to url: String) async throws(SQSFailure) {
        var attributes = claim.original.messageAttributes ?? [:]
        attributes[SQSContent.Name.deadLetter] = nil
        var stored = SQSStoredLetter(
            id: claim.message.id, queue: claim.queueURL,
            group: claim.original.attributes?[SQSContent.Parameter.group], letter: letter, attributes: nil)
        if attributes.count >= SQSContent.mostAttributes {
            (stored.attributes, attributes) = (attributes, [:])
        }
        let room = SQSContent.mostBytes - SQSContent.size(claim.original.body, attributes) - 64
        attributes[SQSContent.Name.deadLetter] = .text(stored.text(fitting: room))
        let isFIFO = url.hasSuffix(".fifo")
        // A group for each letter, so that one that is looked at does not hide those behind it.
        let _: SQSWire.Nothing = try await client.call(
            "SendMessage",
            SQSWire.SendMessage(
                queueUrl: url, messageBody: claim.original.body, messageAttributes: attributes,
                messageGroupId: isFIFO ? claim.original.messageId : nil,
                messageDeduplicationId: isFIFO ? claim.original.messageId : nil),
            within: try limit)
    }

    /// Tells whoever asked to be told. It is only news: without it the message's end is the same.
    private func tell(of outcome: Outcome, reason: String? = nil, _ claim: SQSClaim) async {
        guard claim.attribute(SQSContent.Name.awaited) != nil, let url = claim.attribute(SQSContent.Name.replyTo)
        else { return }
        let (text, encoding) = SQSContent.text(of: [])
        var attributes = encoding
        attributes[SQSContent.Name.outcome] = .text(outcome.rawValue)
        if let reason = reason?.onOneLine, !reason.isEmpty { attributes[SQSContent.Name.reason] = .text(reason) }
        do throws(SQSFailure) {
            try await post(text, attributes, to: url, answering: claim)
        } catch {
            log.warning("could not tell the requester", metadata: ["reason": "\(error.reason)"])
        }
    }

    private func post(
        _ text: String, _ attributes: [String: SQSWire.Attribute], to url: String, answering claim: SQSClaim
    ) async throws(SQSFailure) {
        var attributes = attributes
        attributes[SQSContent.Name.id] = .text(claim.message.id)
        let isFIFO = url.hasSuffix(".fifo")
        let _: SQSWire.Nothing = try await client.call(
            "SendMessage",
            SQSWire.SendMessage(
                queueUrl: url, messageBody: text, messageAttributes: attributes,
                messageGroupId: isFIFO ? claim.original.messageId : nil,
                messageDeduplicationId: isFIFO ? claim.original.messageId : nil),
            within: try limit)
    }
}
