import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOFoundationEssentialsCompat
import NIOHTTP1
import NIOPosix
import Semel
import Synchronization

/// Asks workers how they are: many at once, each for a short time only.
final class WorkerReader: Sendable {
    /// Made for the first who asks.
    private let client = Mutex<HTTPClient?>(nil)

    private static let atOnce = 64
    private static let patience = TimeAmount.seconds(2)
    /// A worker keeps 16 KiB of its task's output.
    private static let mostBytes = 512 << 10

    func close() async {
        let client = client.withLock { client in
            defer { client = nil }
            return client
        }
        try? await client?.shutdown()
    }

    private var connected: HTTPClient {
        client.withLock { client in
            if let client { return client }
            // A pod must not send the console anywhere else.
            let made = HTTPClient(
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                configuration: .init(redirectConfiguration: .disallow))
            client = made
            return made
        }
    }

    /// In the same order; those without an address stay as they are.
    func ask(_ workers: [WorkerDocument]) async -> [WorkerDocument] {
        var workers = workers
        await withTaskGroup(of: (Int, WorkerDocument).self) { group in
            var waiting = workers.indices.makeIterator()
            func addNext() {
                guard let index = waiting.next() else { return }
                let worker = workers[index]
                group.addTask { (index, await self.answered(worker)) }
            }
            for _ in 0..<Self.atOnce { addNext() }
            for await (index, worker) in group {
                workers[index] = worker
                addNext()
            }
        }
        return workers
    }

    private func answered(_ worker: WorkerDocument) async -> WorkerDocument {
        guard let address = worker.address else { return worker }
        var worker = worker
        do {
            var request = HTTPClientRequest(url: "http://\(address)/status")
            request.headers.add(name: "accept", value: "application/json")
            let response = try await connected.execute(request, timeout: Self.patience)
            let body = try await response.body.collect(upTo: Self.mostBytes)
            worker.take(try JSONDecoder().decode(WorkerAnswer.self, from: body))
        } catch is DecodingError {
            (worker.state, worker.problem) = ("SILENT", "what answers there is no worker")
        } catch {
            (worker.state, worker.problem) = ("SILENT", "does not answer at \(address)")
        }
        return worker
    }
}
