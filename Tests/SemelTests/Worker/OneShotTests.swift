import Semel
import Testing

@Suite(.timeLimit(.minutes(5))) struct OneShotTests {
    @Test func isSetOnce() {
        let shot = OneShot<Int>()
        #expect(shot.value == nil)
        #expect(shot.fulfil(1))
        #expect(!shot.fulfil(2))
        #expect(shot.value == 1)
    }

    @Test func givesItsValueToLatecomers() async {
        let shot = OneShot<String>()
        shot.fulfil("there")
        #expect(await shot.wait() == "there")
        #expect(await shot.wait() == "there")
    }

    @Test func wakesEverybody() async throws {
        let shot = OneShot<Int>()
        let waiting = Counter()
        let waiters = (0..<200).map { _ in
            Task {
                waiting.increment()
                return await shot.wait()
            }
        }
        try await eventually("everybody waits") { waiting.value == 200 }
        shot.fulfil(42)
        for waiter in waiters { #expect(await waiter.value == 42) }
    }

    @Test func lettingGoOfACancelledWaiterLeavesTheOthers() async {
        let shot = OneShot<Int>()
        let patient = Task { await shot.wait() }
        let cancelled = Task { await shot.wait() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        #expect(shot.value == nil)
        shot.fulfil(7)
        #expect(await patient.value == 7)
    }

    @Test func aTaskThatIsCancelledAlreadyDoesNotWait() async {
        let shot = OneShot<Int>()
        let go = OneShot<Void>()
        let task = Task {
            // Not `go.wait()`, which the cancellation would end.
            while go.value == nil { await Task.yield() }
            return await shot.wait()
        }
        task.cancel()
        go.fulfil(())
        #expect(await task.value == nil)
    }

    @Test func aValueIsWorthMoreThanACancellation() async {
        let shot = OneShot<Int>()
        shot.fulfil(3)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await shot.wait()
        }
        task.cancel()
        #expect(await task.value == 3)
    }

    /// Fulfilment, waiting and cancellation at the same time: nobody hangs, one fulfilment counts, and whoever was not
    /// cancelled has its value.
    @Test func holdsUnderARace() async {
        for round in 0..<300 {
            let shot = OneShot<Int>()
            let cancelled = (0..<4).map { _ in Task { await shot.wait() } }
            let patient = (0..<4).map { _ in Task { await shot.wait() } }
            let fulfilling = (0..<4).map { number in Task { shot.fulfil(number) } }
            for task in cancelled { task.cancel() }
            var winners: [Int] = []
            for (number, task) in fulfilling.enumerated() where await task.value { winners.append(number) }
            #expect(winners.count == 1, "round \(round)")
            #expect(shot.value == winners.first)
            for task in patient { #expect(await task.value == winners.first) }
            for task in cancelled {
                let value = await task.value
                #expect(value == nil || value == winners.first)
            }
        }
    }
}
