import AsyncHTTPClient
import Hummingbird
import Logging
import NIOPosix
import Semel

/// All that the console knows. Read while somebody looks; nothing of it outlives the process.
final class Board: Sendable {
    let queues: [WatchedQueue]
    let source: WorkerSource
    let workers: LiveReading<WorkersReading>
    let decisions: (any DecisionSource)?
    private let client: HTTPClient

    init(_ queues: [ConsoleQueue], _ source: WorkerSource, _ decisions: (any DecisionSource)?, log: Logger) {
        self.queues = queues.map { WatchedQueue($0, log: log) }
        (self.source, self.decisions) = (source, decisions)
        client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let reader = WorkerReader(client: client)
        workers = LiveReading(.init(watched: .seconds(2), attention: .seconds(20), unwatched: nil)) { _ in
            await source.read(reader)
        }
    }

    /// Until it is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for queue in queues { group.addTask { await queue.run() } }
            group.addTask { await self.workers.run() }
        }
        try? await client.shutdown()
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

    /// For the decision: `nil` when nobody knows.
    func unfinishedJobs() async -> [String: (running: Int, pending: Int)]? {
        await workers.latest()?.jobs?.mapValues { ($0.unfinished, $0.pending) }
    }
}
