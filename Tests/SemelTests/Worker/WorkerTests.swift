import Semel
import Testing

@Suite(.timeLimit(.minutes(5))) struct WorkerTests {
    private static let failed = TaskResult.failed(TaskFailure(reason: "it failed", exit: 7))

    @Test func completed() async throws {
        let fixture = try WorkerFixture(attempt: 2)
        let report = await fixture.run { message, context in
            #expect(message.id == "m")
            #expect(message.attempt == 2)
            #expect(context.maxAttempts == 5)
            #expect(context.queueName == "memory:test")
            #expect(context.deadline == nil)
            #expect(context.status.snapshot.state == .running)
            context.progress(0.5, "half")
            return .succeeded(result: nil)
        }
        #expect(report.outcome == .completed)
        #expect(report.messageId == "m")
        #expect(report.attempt == 2)
        #expect(report.taskExit == 0)
        #expect(report.reason == nil)
        #expect(fixture.queue.settlements == [.completed(nil)])
        #expect(fixture.status.snapshot.state == .completed)
        #expect(fixture.status.snapshot.outcome == .completed)
        #expect(fixture.status.snapshot.note == "half")
    }

    @Test func completedWithAResult() async throws {
        let fixture = try WorkerFixture()
        let result = try MessageBody([1, 0, 255])
        #expect(await fixture.run(returning: .succeeded(result: result)).outcome == .completed)
        #expect(fixture.queue.settlements == [.completed([1, 0, 255])])
    }

    @Test func neverTouchesASecondMessage() async throws {
        let messages = try (1...3).map { Message(id: "m\($0)", body: try MessageBody([]), attempt: 1) }
        let fixture = WorkerFixture(queue: MemoryQueue(messages))
        #expect(await fixture.run(returning: .succeeded(result: nil)).messageId == "m1")
        #expect(fixture.queue.waitingMessages == 2)
        #expect(fixture.queue.requests.count == 1)
        #expect(fixture.runs.value == 1)
    }

    @Test func asksForWhatItWasTold() async throws {
        let request = ClaimRequest(wait: .upTo(.zero), delivery: .atMostOnce, lease: .seconds(7), maxMessageBytes: 99)
        let fixture = WorkerFixture(WorkerPolicy(request: request), queue: MemoryQueue())
        #expect(await fixture.run(returning: Self.failed).outcome == .idle)
        let asked = try #require(fixture.queue.requests.first)
        #expect(asked.wait == .upTo(.zero))
        #expect(asked.delivery == .atMostOnce)
        #expect(asked.lease == .seconds(7))
        #expect(asked.maxMessageBytes == 99)
    }

    @Test func emptyQueue() async throws {
        let policy = WorkerPolicy(request: ClaimRequest(wait: .upTo(.milliseconds(10))))
        let fixture = WorkerFixture(policy, queue: MemoryQueue())
        let report = await fixture.run(returning: Self.failed)
        #expect(report == Report(outcome: .idle))
        #expect(fixture.runs.value == 0)
        #expect(fixture.status.snapshot.state == .idle)
        #expect(fixture.status.snapshot.outcome == .idle)
    }

    @Test(arguments: [
        (QueueFailure.unreachable("no route"), Outcome.unreachable), (.refused("no route"), .refused),
        (.misconfigured("no route"), .misconfigured),
    ])
    func queueThatFails(failure: QueueFailure, outcome: Outcome) async throws {
        let fixture = WorkerFixture(queue: MemoryQueue(failing: failure))
        let report = await fixture.run(returning: Self.failed)
        #expect(report == Report(outcome: outcome, reason: "no route"))
        #expect(fixture.status.snapshot.state == .failed)
    }

    @Test func retried() async throws {
        let policy = WorkerPolicy(retry: RetryPolicy(maxAttempts: 3, delay: .seconds(10)...(.seconds(10))))
        let fixture = try WorkerFixture(policy, attempt: 2)
        let report = await fixture.run(returning: Self.failed)
        #expect(report.outcome == .retry)
        #expect(report.taskExit == 7)
        #expect(report.reason == "it failed")
        #expect(fixture.queue.settlements == [.retried(.seconds(10))])
        #expect(fixture.status.snapshot.state == .failed)
    }

    @Test func throwingIsAFailedAttempt() async throws {
        struct Mishap: Error, CustomStringConvertible { let description = "out of paper" }
        let fixture = try WorkerFixture(WorkerPolicy(retry: RetryPolicy(delay: .zero...(.zero))))
        let report = await fixture.run { _, _ in throw Mishap() }
        #expect(report.outcome == .retry)
        #expect(report.reason == "out of paper")
        #expect(report.taskExit == nil)
        #expect(fixture.queue.settlements == [.retried(.zero)])
    }

    @Test func lastAttempt() async throws {
        let before = Timestamp.now
        let fixture = try WorkerFixture(WorkerPolicy(retry: RetryPolicy(maxAttempts: 3)), attempt: 3)
        let report = await fixture.run { _, context in
            Array("one\ntwo\n".utf8).withUnsafeBytes { context.status.output($0) }
            return Self.failed
        }
        #expect(report.outcome == .deadLettered)
        #expect(report.reason == "it failed; attempt 3 of 3")
        let letter = try #require(fixture.deadLetter)
        #expect(letter.reason == "it failed; attempt 3 of 3")
        #expect(letter.attempts == 3)
        #expect(letter.exit == 7)
        #expect(letter.output == ["one", "two"])
        #expect(!letter.worker.isEmpty)
        #expect(letter.time >= before.rfc3339)
        #expect(letter.time <= Timestamp.now.rfc3339)
    }

    @Test func rejected() async throws {
        let fixture = try WorkerFixture()
        let report = await fixture.run(returning: .rejected(TaskFailure(reason: "not an invoice", exit: 65)))
        #expect(report.outcome == .deadLettered)
        #expect(report.taskExit == 65)
        #expect(report.reason == "not an invoice")
        #expect(fixture.deadLetter?.exit == 65)
        #expect(fixture.deadLetter?.attempts == 1)
    }

    @Test func unstartable() async throws {
        let fixture = try WorkerFixture()
        let report = await fixture.run(returning: .unstartable("no such file"))
        #expect(report.outcome == .misconfigured)
        #expect(report.reason == "no such file")
        #expect(fixture.queue.settlements == [.released])
    }

    @Test func tooLarge() async throws {
        let policy = WorkerPolicy(request: ClaimRequest(maxMessageBytes: 3))
        let fixture = try WorkerFixture(policy)
        let report = await fixture.run(returning: .succeeded(result: nil))
        #expect(report.outcome == .deadLettered)
        #expect(report.reason == "the message has 4 bytes, --max-message-bytes allows 3")
        #expect(report.taskExit == nil)
        #expect(fixture.runs.value == 0)
        #expect(fixture.deadLetter?.reason == report.reason)
        #expect(fixture.deadLetter?.exit == nil)
    }

    @Test func tooLargeToHaveBeenTransferred() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(request: ClaimRequest(maxMessageBytes: 1_000)), size: 1_001)
        #expect(await fixture.run(returning: .succeeded(result: nil)).outcome == .deadLettered)
        #expect(fixture.runs.value == 0)
        let within = try WorkerFixture(WorkerPolicy(request: ClaimRequest(maxMessageBytes: 4)))
        #expect(await within.run(returning: .succeeded(result: nil)).outcome == .completed)
    }

    @Test func attemptsOverTheLimitNeverRun() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(retry: RetryPolicy(maxAttempts: 3)), attempt: 4)
        let report = await fixture.run(returning: .succeeded(result: nil))
        #expect(report.outcome == .deadLettered)
        #expect(report.reason?.hasPrefix("3 attempts ended without a settlement: ") ?? false)
        #expect(fixture.runs.value == 0)
        #expect(fixture.deadLetter?.reason == report.reason)
    }

    @Test func atMostOnceRunsNothingThatMayHaveRun() async throws {
        let policy = WorkerPolicy(request: ClaimRequest(delivery: .atMostOnce))
        for (attempt, isUncounted) in [(2, false), (1, true)] {
            let fixture = try WorkerFixture(policy, attempt: attempt, attemptIsUncounted: isUncounted)
            #expect(await fixture.run(returning: .succeeded(result: nil)).outcome == .deadLettered)
            #expect(fixture.runs.value == 0)
        }
    }

    @Test func attemptsThatTheQueueDoesNotCountAreWrittenDownFirst() async throws {
        let policy = WorkerPolicy(retry: RetryPolicy(maxAttempts: 3, delay: .seconds(10)...(.seconds(10))))
        let fixture = try WorkerFixture(policy, attempt: 2, attemptIsUncounted: true)
        let report = await fixture.run(returning: .succeeded(result: nil))
        #expect(report.outcome == .retry)
        #expect(
            report.reason
                == "attempt 2 of 3 ended without a settlement; counted now, since the queue does not")
        #expect(fixture.runs.value == 0)
        #expect(fixture.queue.settlements == [.retried(.seconds(10))])
        let last = try WorkerFixture(policy, attempt: 3, attemptIsUncounted: true)
        #expect(await last.run(returning: .succeeded(result: nil)).outcome == .deadLettered)
        #expect(last.runs.value == 0)
    }

    @Test func atMostOnceNeverGoesBack() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(request: ClaimRequest(delivery: .atMostOnce)))
        let report = await fixture.run(returning: Self.failed)
        #expect(report.outcome == .deadLettered)
        #expect(fixture.deadLetter?.reason == "it failed")
    }

    @Test func settlementThatDoesNotCount() async throws {
        let fixture = try WorkerFixture(failingToSettle: .lost(ClaimLoss("the broker restarted")))
        let report = await fixture.run(returning: .succeeded(result: nil))
        #expect(report.outcome == .lost)
        #expect(report.reason == "the settlement did not count: the broker restarted")
        #expect(report.taskExit == 0)
        #expect(fixture.status.snapshot.claimLost == "the broker restarted")
        #expect(fixture.status.snapshot.state == .failed)
    }

    @Test func settlementThatCouldNotBeMade() async throws {
        let fixture = try WorkerFixture(failingToSettle: .handedBack("the broker blocks publishers"))
        let report = await fixture.run(returning: .rejected(TaskFailure(reason: "not an invoice", exit: 65)))
        #expect(report.outcome == .retry)
        #expect(report.reason == "not an invoice; handed back to the queue: the broker blocks publishers")
        let success = try WorkerFixture(failingToSettle: .handedBack("no reply queue"))
        let other = await success.run(returning: .succeeded(result: nil))
        #expect(other.outcome == .retry)
        #expect(other.reason == "handed back to the queue: no reply queue")
    }

    @Test func secondsAreTheTasks() async throws {
        let fixture = try WorkerFixture()
        let report = await fixture.run { _, _ in
            try await Task.sleep(for: .milliseconds(30))
            return .succeeded(result: nil)
        }
        #expect(report.seconds >= 0.03)
        #expect(report.seconds <= fixture.status.snapshot.ran.seconds + 0.001)
    }
}
