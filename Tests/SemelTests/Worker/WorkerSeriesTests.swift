import Synchronization
import Testing

@testable import Semel

/// What comes after each worker of a series, and what the process ends with.
@Suite struct WorkerSeriesTests {
    /// Hands out one queue after the other; waits for a stop when there is none left.
    private final class Course: Sendable {
        let board: StatusBoard
        let stop = StopRequest()
        let reports = Mutex<[Report]>([])
        private let queues: Mutex<[MemoryQueue]>

        init(_ queues: [MemoryQueue], readiness: StatusBoard.Readiness = .connected) {
            self.queues = Mutex(queues.reversed())
            board = StatusBoard(queue: "memory:test", readiness: readiness)
        }

        var recorded: [Outcome] { reports.withLock { $0.map(\.outcome) } }

        func run(
            _ length: SeriesLength, _ policy: WorkerPolicy = WorkerPolicy(request: ClaimRequest(wait: .upTo(.zero))),
            returning result: @escaping @Sendable (Message) -> TaskResult = { _ in .succeeded(result: nil) }
        ) async -> Outcome {
            let task = ClosureTask { message, _ in result(message) }
            let series = WorkerSeries(
                length, task: task, policy: policy, board: board, stop: stop, log: .silent,
                queue: { (_) throws(SystemError) in
                    guard let queue = self.queues.withLock({ $0.popLast() }) else {
                        self.stop.receive(.terminate)
                        return MemoryQueue()
                    }
                    return queue
                }, record: { report in self.reports.withLock { $0.append(report) } })
            return await series.run()
        }
    }

    private func queue(_ id: String = "m", failingToSettle failure: SettlementFailure? = nil) throws -> MemoryQueue {
        MemoryQueue([Message(id: id, body: try MessageBody("body".utf8), attempt: 1)], failingToSettle: failure)
    }

    @Test func endsWithTheLastMessageThatWasNotCompleted() async throws {
        let course = Course([try queue("a"), try queue("bad"), try queue("c"), try queue("never")])
        let outcome = await course.run(.messages(3)) { message in
            message.id == "bad" ? .rejected(TaskFailure(reason: "no good")) : .succeeded(result: nil)
        }
        #expect(outcome == .deadLettered)
        #expect(course.recorded == [.completed, .deadLettered, .completed])
        #expect(course.board.snapshot.messages == [.completed: 2, .deadLettered: 1])
    }

    @Test func endsWhenNothingComes() async throws {
        let course = Course([try queue("a"), MemoryQueue(), try queue("never")])
        #expect(await course.run(.messages(5)) == .completed)
        #expect(course.recorded == [.completed])
        // The last message is shown, not the wait for another.
        #expect(course.board.snapshot.worker.state == .completed)
    }

    @Test func nothingAtAllIsIdle() async {
        let course = Course([MemoryQueue()])
        #expect(await course.run(.messages(5)) == .idle)
        #expect(course.recorded == [.idle])
        #expect(course.board.snapshot.worker.state == .idle)
    }

    @Test(arguments: [
        (QueueFailure.unreachable("gone"), Outcome.unreachable), (.refused("no"), .refused),
        (.misconfigured("no such queue"), .misconfigured),
    ])
    func aBatchEndsWithTheQueue(_ failure: QueueFailure, _ outcome: Outcome) async throws {
        let course = Course([try queue("a"), MemoryQueue(failing: failure), try queue("never")])
        #expect(await course.run(.messages(5)) == outcome)
        #expect(course.recorded == [.completed, outcome])
        #expect(course.board.snapshot.worker.state == .failed)
    }

    @Test(arguments: [QueueFailure.refused("no"), .misconfigured("no such queue")])
    func aLongLivedWorkerEndsWhereItIsNotWanted(_ failure: QueueFailure) async throws {
        let course = Course([try queue("a"), MemoryQueue(failing: failure), try queue("never")])
        #expect(await course.run(.endless) == failure.outcome)
        #expect(course.recorded == [.completed, failure.outcome])
    }

    @Test func aLongLivedWorkerWaitsForTheQueue() async throws {
        let course = Course([MemoryQueue(failing: .unreachable("gone")), MemoryQueue(), try queue("a")])
        let began = ContinuousClock.now
        #expect(await course.run(.endless) == .completed)
        #expect(course.recorded == [.completed])
        // Not at once.
        #expect(ContinuousClock.now - began >= .seconds(1))
    }

    @Test(arguments: [SettlementFailure.lost(ClaimLoss("taken")), .handedBack("no rights"), .unconfirmed("silence")])
    func whatIsThereAgainIsNotTakenAtOnce(_ failure: SettlementFailure) async throws {
        let course = Course([try queue("a", failingToSettle: failure), try queue("b")])
        let began = ContinuousClock.now
        #expect(await course.run(.messages(2)) != .completed)
        #expect(course.recorded.last == .completed)
        #expect(ContinuousClock.now - began >= .seconds(1))
    }

    @Test func aLongLivedWorkerIsDrainedWhateverCame() async throws {
        let course = Course([try queue("a"), try queue("b")])
        let outcome = await course.run(.endless) { _ in .failed(TaskFailure(reason: "no", exit: 1)) }
        #expect(outcome == .completed)
        #expect(course.recorded == [.retry, .retry])
    }

    @Test func queuesAreClosed() async throws {
        let queues = [try queue("a"), try queue("b"), MemoryQueue()]
        _ = await Course(queues).run(.messages(3))
        #expect(queues.map(\.isClosed) == [true, true, true])
    }
}
