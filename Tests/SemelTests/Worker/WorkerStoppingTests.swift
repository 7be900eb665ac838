import Semel
import Testing

/// Never within a test.
private let never = Duration.seconds(3_600)

@Suite(.timeLimit(.minutes(5))) struct WorkerStoppingTests {
    private static let success = TaskResult.succeeded(result: nil)

    @Test(arguments: [(StopSignal.terminate, Outcome.terminated), (.interrupt, .interrupted)])
    func stopped(signal: StopSignal, outcome: Outcome) async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: never))
        let running = fixture.startUntilAsked()
        _ = await fixture.started.wait()
        fixture.stop.receive(signal)
        let report = await running.value
        #expect(report.outcome == outcome)
        #expect(report.reason == "stopped by \(signal.rawValue)")
        #expect(report.taskExit == 143)
        #expect(fixture.queue.settlements == [.released])
    }

    @Test func stoppedUnderAtMostOnce() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(request: ClaimRequest(delivery: .atMostOnce), grace: never))
        let running = fixture.startUntilAsked()
        _ = await fixture.started.wait()
        fixture.stop.receive(.terminate)
        #expect(await running.value.outcome == .terminated)
        #expect(fixture.deadLetter?.reason == "stopped by SIGTERM")
    }

    @Test func graceIsForTheTaskToSaveItsWork() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: never))
        let running = fixture.startStubborn(Self.success)
        let context = try #require(await fixture.started.wait())
        fixture.stop.receive(.terminate)
        await fixture.asked.wait()
        #expect(context.graceOver.value == nil)
        fixture.mayEnd.fulfil(())
        #expect(await running.value.outcome == .terminated)
        #expect(fixture.queue.settlements == [.released])
    }

    @Test func graceEnds() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: .milliseconds(20)))
        let running = fixture.startStubborn(.failed(TaskFailure(reason: "killed", exit: 137)))
        _ = await fixture.started.wait()
        fixture.stop.receive(.terminate)
        let report = await running.value
        #expect(report.outcome == .terminated)
        #expect(report.taskExit == 137)
        #expect(fixture.queue.settlements == [.released])
    }

    @Test func aSecondSignalHurries() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: never))
        let running = fixture.startStubborn(.failed(TaskFailure(reason: "killed", exit: 137)))
        _ = await fixture.started.wait()
        fixture.stop.receive(.terminate)
        await fixture.asked.wait()
        fixture.stop.receive(.interrupt)
        let report = await running.value
        // What it was first stopped by is what happened to it.
        #expect(report.outcome == .terminated)
        #expect(report.taskExit == 137)
        #expect(fixture.queue.settlements == [.released])
    }

    @Test func finishing() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: never, onTerm: .finish))
        let running = Task {
            await fixture.run { [mayEnd = fixture.mayEnd, asked = fixture.asked] _, _ in
                if await mayEnd.wait() == nil { asked.fulfil(()) }
                return Self.success
            }
        }
        _ = await fixture.started.wait()
        fixture.stop.receive(.terminate)
        fixture.mayEnd.fulfil(())
        let report = await running.value
        #expect(report.outcome == .completed)
        #expect(fixture.asked.value == nil)
        #expect(fixture.queue.settlements == [.completed(nil)])
    }

    @Test func finishingTakesTooLong() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: .milliseconds(20), onTerm: .finish))
        let running = fixture.startUntilAsked()
        _ = await fixture.started.wait()
        fixture.stop.receive(.terminate)
        let report = await running.value
        #expect(report.outcome == .terminated)
        #expect(report.reason == "stopped by SIGTERM")
        #expect(fixture.queue.settlements == [.released])
    }

    @Test func aSecondSignalEndsTheFinishing() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: never, onTerm: .finish))
        let running = fixture.startUntilAsked()
        _ = await fixture.started.wait()
        fixture.stop.receive(.terminate)
        fixture.stop.receive(.terminate)
        #expect(await running.value.outcome == .terminated)
        #expect(fixture.queue.settlements == [.released])
    }

    @Test func timedOut() async throws {
        let policy = WorkerPolicy(
            retry: RetryPolicy(maxAttempts: 3, delay: .seconds(10)...(.seconds(10))), timeout: .milliseconds(20),
            grace: never)
        let fixture = try WorkerFixture(policy, attempt: 2)
        let before = Timestamp.now
        let running = fixture.startUntilAsked()
        let deadline = try #require(await fixture.started.wait()?.deadline)
        #expect(deadline >= before + .milliseconds(20))
        let report = await running.value
        #expect(report.outcome == .timedOut)
        #expect(report.reason == "ran past the timeout of 20ms")
        #expect(report.taskExit == 143)
        #expect(fixture.queue.settlements == [.retried(.seconds(10))])
        #expect(fixture.status.snapshot.deadline == deadline)
    }

    @Test func timedOutOnTheLastAttempt() async throws {
        let policy = WorkerPolicy(retry: RetryPolicy(maxAttempts: 3), timeout: .milliseconds(20), grace: never)
        let fixture = try WorkerFixture(policy, attempt: 3)
        #expect(await fixture.startUntilAsked(Self.success).value.outcome == .timedOut)
        #expect(fixture.deadLetter?.reason == "ran past the timeout of 20ms")
    }

    @Test func lost() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: never))
        let running = fixture.startUntilAsked()
        _ = await fixture.started.wait()
        fixture.queue.claims.first?.loss.fulfil(ClaimLoss("the lease is over"))
        let report = await running.value
        #expect(report.outcome == .lost)
        #expect(report.reason == "the lease is over")
        #expect(fixture.status.snapshot.claimLost == "the lease is over")
        #expect(fixture.queue.settlements == [])
    }

    @Test func lostAndFinished() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: never, onLost: .finish))
        let running = Task {
            await fixture.run { [mayEnd = fixture.mayEnd, asked = fixture.asked] _, _ in
                if await mayEnd.wait() == nil { asked.fulfil(()) }
                return Self.success
            }
        }
        _ = await fixture.started.wait()
        fixture.queue.claims.first?.loss.fulfil(ClaimLoss("the lease is over"))
        try await eventually("the status shows it") { fixture.status.snapshot.claimLost == "the lease is over" }
        #expect(fixture.status.snapshot.state == .running)
        fixture.mayEnd.fulfil(())
        let report = await running.value
        #expect(fixture.asked.value == nil)
        #expect(report.outcome == .lost)
        #expect(report.reason == "the settlement did not count: the lease is over")
        #expect(report.taskExit == 0)
    }

    @Test func whatCameFirstDecides() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: never))
        let running = fixture.startStubborn(Self.success)
        _ = await fixture.started.wait()
        fixture.queue.claims.first?.loss.fulfil(ClaimLoss("the lease is over"))
        await fixture.asked.wait()
        fixture.stop.receive(.terminate)
        fixture.mayEnd.fulfil(())
        #expect(await running.value.outcome == .lost)
    }

    @Test func stoppedWhileWaitingForAMessage() async throws {
        let fixture = WorkerFixture(WorkerPolicy(request: ClaimRequest(wait: .forever)), queue: MemoryQueue())
        let running = fixture.startUntilAsked()
        await fixture.queue.isWaiting.wait()
        fixture.stop.receive(.terminate)
        let report = await running.value
        #expect(report == Report(outcome: .terminated, reason: "stopped by SIGTERM before a message was claimed"))
        #expect(fixture.runs.value == 0)
    }

    @Test func stoppedBeforeItBegan() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(onTerm: .finish))
        fixture.stop.receive(.interrupt)
        let report = await fixture.startUntilAsked().value
        #expect(report.outcome == .interrupted)
        #expect(fixture.runs.value == 0)
        // Whether the claim was made or not, nobody holds the message now.
        #expect(fixture.queue.settlements == [.released] || fixture.queue.waitingMessages == 1)
    }

    @Test func aMessageThatComesLate() async throws {
        let fixture = WorkerFixture(WorkerPolicy(request: ClaimRequest(wait: .forever)), queue: MemoryQueue())
        let running = Task { await fixture.run(returning: Self.success) }
        await fixture.queue.isWaiting.wait()
        fixture.queue.deliver(Message(id: "late", body: try MessageBody([]), attempt: 1))
        let report = await running.value
        #expect(report.outcome == .completed)
        #expect(report.messageId == "late")
    }

    /// A Swift task cannot be killed; the worker does not wait for it for ever.
    @Test func aTaskThatIgnoresEverythingIsAbandoned() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(grace: .milliseconds(1)))
        let worker = fixture.worker { [mayEnd = fixture.mayEnd] _, _ in
            await Task { _ = await mayEnd.wait() }.value
            return Self.success
        }
        let running = Task { await worker.run() }
        _ = await fixture.started.wait()
        fixture.stop.receive(.terminate)
        let report = await running.value
        #expect(report.outcome == .terminated)
        #expect(report.taskExit == nil)
        #expect(fixture.queue.settlements == [.released])
        fixture.mayEnd.fulfil(())
    }

    @Test func lingering() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(linger: .milliseconds(50)))
        let worker = fixture.worker { _, _ in Self.success }
        _ = await worker.run()
        let start = ContinuousClock.now
        await worker.linger()
        #expect(ContinuousClock.now - start >= .milliseconds(50))
        #expect(fixture.status.snapshot.state == .completed)
    }

    @Test func lingeringEndsWithAStop() async throws {
        let fixture = try WorkerFixture(WorkerPolicy(linger: never))
        let worker = fixture.worker { _, _ in Self.success }
        let report = await worker.run()
        let lingering = Task { await worker.linger() }
        fixture.stop.receive(.terminate)
        await lingering.value
        #expect(report.outcome == .completed)
    }

    @Test func nobodyLingersWithoutAMessage() async throws {
        let policy = WorkerPolicy(request: ClaimRequest(wait: .upTo(.zero)), linger: never)
        let fixture = WorkerFixture(policy, queue: MemoryQueue())
        let worker = fixture.worker { _, _ in Self.success }
        #expect(await worker.run().outcome == .idle)
        await worker.linger()
        let without = try WorkerFixture(WorkerPolicy(linger: .zero)).worker { _, _ in Self.success }
        _ = await without.run()
        await without.linger()
    }

    @Test func stopRequestsAreCounted() {
        let stop = StopRequest()
        stop.receive(.terminate)
        #expect(stop.first.value == .terminate)
        #expect(stop.second.value == nil)
        stop.receive(.interrupt)
        stop.receive(.terminate)
        #expect(stop.first.value == .terminate)
        #expect(stop.second.value == .interrupt)
    }
}
