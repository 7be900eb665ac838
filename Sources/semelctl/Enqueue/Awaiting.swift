import Semel

/// One request: puts one message into the queue, waits for what becomes of it, and prints its result.
struct Awaiting: Sendable {
    private let reader: BodyReader
    private let requester: any MessageRequester
    private let limit: Duration

    init(reader: BodyReader, requester: any MessageRequester, limit: Duration) {
        self.reader = reader
        self.requester = requester
        self.limit = limit
    }

    func run() async throws(CommandFailure) {
        let reader = reader
        Interruption.await { reader.stop() }
        guard let message = try await reader.next().get()?.messages.first else {
            throw stopped("no message is in the queue for certain")
        }
        do throws(QueueFailure) {
            try await requester.enqueue(message)
        } catch {
            let failure = CommandFailure(error)
            // What a queue cannot hold is not even tried.
            guard failure.outcome == .unreachable else { throw failure }
            throw CommandFailure("\(failure.description); the message may be in the queue", failure.outcome)
        }
        let end = try await end()
        await requester.close()
        try report(end)
    }

    /// `nil` when it was too long in coming, or somebody wants it no more.
    private func end() async throws(CommandFailure) -> RequestEnd? {
        let requester = requester
        let waiting = Task { () async -> Result<RequestEnd?, QueueFailure> in
            do throws(QueueFailure) { return .success(try await requester.end()) } catch { return .failure(error) }
        }
        let timer = Task { [limit] in
            if (try? await Task.sleep(for: limit)) != nil { waiting.cancel() }
        }
        Interruption.await { waiting.cancel() }
        let result = await waiting.value
        timer.cancel()
        do throws(QueueFailure) {
            return try result.get()
        } catch {
            let failure = CommandFailure(error)
            throw CommandFailure("\(failure.description); the message stays where it is", failure.outcome)
        }
    }

    private func report(_ end: RequestEnd?) throws(CommandFailure) {
        switch end {
        case .completed(let result?): try StandardOutput.write(bytes: result)
        case .completed(result: nil): StandardError.write("completed, without a result\n")
        case .deadLettered(let reason):
            throw CommandFailure("dead-lettered: \(reason.isEmpty ? "no reason is known" : reason)", .deadLettered)
        case .vanished:
            throw CommandFailure("the message is no longer in the queue, and no worker has said why", .lost)
        case nil where Interruption.outcome != nil: throw stopped("the message stays where it is")
        // EX_TEMPFAIL: who asks again later may get more.
        case nil:
            throw CommandFailure("no end within \(Units.text(limit)); the message stays where it is", .retry)
        }
    }

    private func stopped(_ certainty: String) -> CommandFailure {
        let (outcome, signal) = Interruption.outcome ?? (.internalError, "an empty input")
        return CommandFailure("stopped by \(signal); \(certainty)", outcome)
    }
}
