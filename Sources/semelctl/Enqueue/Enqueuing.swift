import Semel

/// One run: reads the next window while the queue takes the one before.
struct Enqueuing: Sendable {
    private let reader: any WindowReader
    private let producer: any MessageProducer
    private let tally: Tally

    init(reader: any WindowReader, producer: any MessageProducer, totalBytes: Int?) {
        self.reader = reader
        self.producer = producer
        tally = Tally(totalBytes: totalBytes)
    }

    func run() async throws(CommandFailure) {
        let reader = reader
        Interruption.await { reader.stop() }
        let progress = ProgressLine(tally)
        do throws(CommandFailure) {
            try await moveAll()
        } catch {
            await progress.remove()
            reader.stop()
            await reader.close()
            throw error
        }
        await progress.remove()
        await reader.close()
        await producer.close()
        StandardError.write(tally.summary + "\n")
    }

    private func moveAll() async throws(CommandFailure) {
        var upcoming = read()
        do throws(QueueFailure) { try await producer.enqueue([]) } catch { throw CommandFailure(error) }
        while let window = try await certain(upcoming.value) {
            upcoming = read()
            do throws(QueueFailure) {
                try await producer.enqueue(window.messages)
            } catch {
                throw lost(window, error)
            }
            tally.add(window)
        }
        if let (outcome, signal) = Interruption.outcome {
            throw CommandFailure("stopped by \(signal); \(tally.certainty)", outcome)
        }
    }

    private func read() -> Task<Result<Window?, CommandFailure>, Never> {
        let reader = reader
        return Task { await reader.next() }
    }

    /// Input that cannot be read on must not let anybody believe that the queue has nothing, or everything.
    private func certain(_ window: Result<Window?, CommandFailure>) throws(CommandFailure) -> Window? {
        do throws(CommandFailure) {
            return try window.get()
        } catch {
            throw CommandFailure("\(error.description); \(tally.certainty)", error.outcome)
        }
    }

    private func lost(_ window: Window, _ failure: QueueFailure) -> CommandFailure {
        let failure = CommandFailure(failure)
        // What a queue cannot hold is not even tried.
        if failure.outcome != .unreachable && tally.messages == 0 { return failure }
        let count = window.messages.count
        let more = "\(count == 1 ? "one" : "up to \(count)")\(tally.messages == 0 ? "" : " more") may be"
        return CommandFailure("\(failure.description); \(tally.certainty), \(more)", failure.outcome)
    }
}
