import Logging
import NIOPosix
import Semel
import SemelQueues
import Synchronization
import TestSupport
import Testing

@testable import SemelSQS

/// SQS takes a message away after 12 hours, however often its claim is extended. Here they are some seconds, for the
/// server as for the adapter; nothing else about it is another.
@Suite(.gated, .timeLimit(.minutes(5)))
struct LongestClaimTests {
    @Test func theLengthsOutsideOfTests() {
        let ceiling = SQSCeiling.ofSQS
        #expect(ceiling.span == .seconds(12 * 60 * 60) && SQSQueue.longestClaim == ceiling.span)
        #expect(ceiling.warning == .seconds(60 * 60))
        #expect(ceiling.reserve == .seconds(60))
        #expect(
            ceiling.forecast
                == "SQS takes the message away after 12h; in 1h the task is stopped; set --timeout below that")
        #expect(ceiling.loss.reason.hasPrefix("SQS holds a message for 12h at the most"))
    }

    /// It is said beforehand, and the task is stopped while the message is still hidden from others.
    @Test func theTaskIsStoppedBeforeItStrikes() async throws {
        let queue = try await SQSUnderTest(.sqs)
        try await queue.limitClaims(to: .seconds(12))
        try await queue.put("long")
        let log = LogRecorder()
        let address = try sqs(queue)
        let adapter = SQSQueue(
            address, on: MultiThreadedEventLoopGroup.singleton, status: nil, log: log.logger,
            ceiling: SQSCeiling(span: .seconds(12), reserve: .seconds(6), warning: .seconds(3)))
        let task = UntilStopped(queue: queue)
        let policy = WorkerPolicy(request: .soon.lease(.seconds(9)))
        let report = await SingleShotWorker(
            queue: adapter, task: task, policy: policy, status: WorkerStatus(queue: queue.name), stop: StopRequest(),
            log: .silent
        ).run()
        await adapter.close()
        #expect(report.outcome == .lost && report.outcome.exitCode == 76)
        let reason = report.reason ?? ""
        #expect(reason.contains("SQS holds a message for 12s at the most"), "\(reason)")
        #expect(reason.contains("set --timeout below that"), "\(reason)")
        #expect(
            log.lines == [
                "warning SQS takes the message away after 12s; in 3s the task is stopped; set --timeout below that"
            ]
        )
        let left = try #require(task.left.withLock { $0 })
        #expect(left.all == 1 && left.ready == 0, "\(left)")
        try await queue.waitUntilLeft(.oneReady)
        let next = try await queue.mustClaim()
        #expect(next.message.attempt == 2)
        try await next.settle(.complete(result: nil))
    }

    /// A lease that would go beyond is cut, since SQS would refuse all of it.
    @Test func aLeaseAsLongAsTheCeiling() async throws {
        let queue = try await SQSUnderTest(.sqs)
        try await queue.limitClaims(to: .seconds(60))
        try await queue.put("a")
        let adapter = SQSQueue(
            try sqs(queue), on: MultiThreadedEventLoopGroup.singleton, status: nil, log: .silent,
            ceiling: SQSCeiling(span: .seconds(60), reserve: .seconds(10), warning: .seconds(10)))
        let claim = try #require(try await adapter.claim(.soon.lease(.seconds(600))))
        #expect(try await queue.left() == .oneClaimed)
        try await claim.settle(.retry(after: .seconds(600)))
        await adapter.close()
        // Due no later than the ceiling.
        #expect(try await queue.left().all == 1)
    }

    private func sqs(_ queue: SQSUnderTest) throws -> SQSAddress {
        guard case .sqs(let address) = try queue.address() else { throw SupportError("\(queue.name) is not SQS'") }
        return address
    }
}

/// Runs until it is asked to stop, and looks then where its message is.
private final class UntilStopped: SingleShotTask {
    let left = Mutex<Left?>(nil)
    private let queue: SQSUnderTest

    init(queue: SQSUnderTest) {
        self.queue = queue
    }

    func run(_ message: Message, context: TaskContext) async throws -> TaskResult {
        _ = await OneShot<Void>().wait()
        // Not cancelled with this one.
        let seen = await Task { [queue] in try? await queue.left() }.value
        left.withLock { $0 = seen }
        return .failed(TaskFailure(reason: "stopped"))
    }
}

/// Keeps what is logged.
private final class LogRecorder: Sendable {
    private let recorded = Mutex<[String]>([])

    var lines: [String] { recorded.withLock { $0 } }

    var logger: Logger {
        Logger(label: "recorder") { _ in Handler(recorder: self) }
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            recorder.recorded.withLock { $0.append("\(event.level) \(event.message)") }
        }
    }
}
