import AsyncHTTPClient
import Hummingbird
import Logging
import Semel
import SemelKubernetes
import Synchronization

/// All that the console knows. Read while somebody looks; nothing of it outlives the process.
final class Board: Sendable {
    let queues: [WatchedQueue]
    let source: WorkerSource
    let workers: LiveReading<WorkersReading>
    let decisions: (any DecisionSource)?
    private let reader: WorkerReader

    init(_ queues: [ConsoleQueue], _ source: WorkerSource, _ decisions: (any DecisionSource)?, log: Logger) {
        self.queues = queues.map { WatchedQueue($0, log: log) }
        (self.source, self.decisions) = (source, decisions)
        let reader = WorkerReader()
        self.reader = reader
        let last = Mutex(WorkersReading())
        workers = LiveReading(.init(watched: .seconds(2), attention: .seconds(20), unwatched: nil)) { _ in
            do throws(KubernetesError) {
                let reading = try await source.read(reader)
                last.withLock { $0 = reading }
                return reading
            } catch {
                // What was seen before is better than nothing.
                return last.withLock { last in
                    last.problem = error.description
                    return last
                }
            }
        }
    }

    /// Until it is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for queue in queues { group.addTask { await queue.run() } }
            group.addTask { await self.workers.run() }
        }
        await reader.close()
    }

    /// What is known of every queue. One that does not answer keeps nobody from the others.
    func readings() async -> [(queue: ConsoleQueue, reading: QueueReading?, history: [QueueSample])] {
        let readings = await withTaskGroup(of: (Int, QueueReading?).self) { group in
            for (index, queue) in queues.enumerated() {
                group.addTask { (index, await queue.counts.latest()) }
            }
            return await group.reduce(into: [Int: QueueReading]()) { $0[$1.0] = $1.1 }
        }
        var all: [(ConsoleQueue, QueueReading?, [QueueSample])] = []
        for (index, queue) in queues.enumerated() { all.append((queue.queue, readings[index], await queue.history)) }
        return all
    }

    /// The queue of a request, which need not be named where there is only one.
    func queue(_ slug: String?) throws -> WatchedQueue {
        guard let slug else {
            guard queues.count == 1, let only = queues.first else {
                throw HTTPError(
                    .badRequest,
                    message: "queue: which one? There are \(queues.map(\.queue.slug).joined(separator: ", "))")
            }
            return only
        }
        guard let queue = queues.first(where: { $0.queue.slug == slug }) else {
            throw HTTPError(.notFound, message: "there is no queue ‘\(slug)’ here")
        }
        return queue
    }

    /// `nil` where there are none, or before they have been asked.
    func knownWorkers() async -> WorkersReading? {
        if case .none = source { return nil }
        return await workers.latest()
    }

    /// For the decision: `nil` when nobody knows.
    func unfinishedJobs() async -> [String: (running: Int, pending: Int)]? {
        guard let reading = await knownWorkers(), reading.problem == nil else { return nil }
        return reading.jobs?.mapValues { ($0.unfinished, $0.pending) }
    }
}
