import Foundation
import TestSupport

/// One queue's soak from the first message to the last: enqueue, work under faults, drain without them, look.
struct QueueSoak {
    let queue: any SoakQueue
    let directory: String
    let settings: SoakSettings
    /// In the environment of all that is started.
    let mark: String

    private var ledgerFile: String { directory + "/ledger" }
    private var calmFile: String { directory + "/calm" }

    /// Of the time for a queue; the rest is for draining it.
    private static let shareForFaults = 0.85
    /// More messages are queued when fewer than this are left.
    private static let backlog = 400
    private static let batch = 100
    /// No queue takes longer than this to drain unless something is stuck.
    private static let patience = Duration.seconds(180)

    func run() async throws -> SoakEvidence {
        try Data().write(to: URL(fileURLWithPath: ledgerFile))
        defer { try? Data(queue.serverLog.utf8).write(to: URL(fileURLWithPath: directory + "/server.log")) }
        var random = SeededRandom(settings.seed)
        var messages = (1...settings.messages).map { SoakMessage($0, &random, largest: queue.largestBody) }
        for start in stride(from: 0, to: messages.count, by: Self.batch) {
            try await queue.enqueue(Array(messages[start..<min(start + Self.batch, messages.count)]))
        }

        let crew = try WorkerCrew(queue: queue, directory: directory, environment: environment)
        let injector = FaultInjector(queue: queue, crew: crew, seed: settings.seed &+ 1)
        let working = Task { await crew.work(settings.workers) }
        let share = settings.duration / Double(settings.queues.count) * Self.shareForFaults
        var remaining = messages.count
        do {
            try await injector.run(
                until: .now + share, restarts: max(2, Int(share / .seconds(28))),
                meanwhile: {
                    remaining = try await queue.remaining()
                    guard remaining < Self.backlog else { return }
                    let more = (1...Self.batch).map {
                        SoakMessage(messages.count + $0, &random, largest: queue.largestBody)
                    }
                    try await queue.enqueue(more)
                    messages += more
                })
            try Data().write(to: URL(fileURLWithPath: calmFile))
            try await drain(crew)
        } catch {
            await crew.stopHiring()
            await working.value
            throw error
        }
        await crew.stopHiring()
        await working.value
        return try await evidence(messages, crew, injector)
    }

    private var environment: [String: String] {
        RunningProcess.environment(adding: [
            SoakTask.Variable.ledger: ledgerFile, SoakTask.Variable.calm: calmFile,
            SoakTask.Variable.seed: String(settings.seed % 1_000_000), LeftBehind.variable: mark,
        ])
    }

    /// Until the queue has nothing left: neither ready nor claimed nor delayed.
    private func drain(_ crew: WorkerCrew) async throws {
        var least = Int.max
        var lastProgress = ContinuousClock.now
        while true {
            let remaining = try await queue.remaining()
            if remaining == 0 { return }
            if remaining < least {
                least = remaining
                lastProgress = .now
            }
            // What is left then is told as such, message by message.
            if .now - lastProgress > Self.patience { return }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private func evidence(_ messages: [SoakMessage], _ crew: WorkerCrew, _ injector: FaultInjector) async throws
        -> SoakEvidence
    {
        let ledger = try SoakLedger(reading: ledgerFile)
        let own = ledger.faults.map { FaultInjector.WorkerFault(kind: $0.kind, worker: $0.worker, time: $0.time) }
        let workerFaults = await injector.workerFaults + own
        let killed = Set(workerFaults.filter { $0.kind.killsWorker }.map(\.worker))
        // A killed worker can leave something of its task behind, any other one must not.
        let leftBehind = LeftBehind.processes(mark).compactMap(\.worker).filter { !killed.contains($0) }
        LeftBehind.end(mark)
        return SoakEvidence(
            queue: queue.kind, messages: messages, ledger: ledger, records: await crew.records,
            workerFaults: workerFaults, outages: await injector.outages, content: try await queue.content(),
            leftBehind: leftBehind)
    }
}
