import Glibc
import Semel
import Testing

/// An actor that lives on a thread of its own, as the queues' do.
private actor Resident {
    nonisolated let thread: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    private var count = 0

    init(_ name: StaticString = "semel-test") throws {
        thread = try ThreadExecutor(name)
    }

    deinit {
        thread.stop()
    }

    func whereAmI() -> pthread_t { pthread_self() }

    func threadName() throws -> String { try nameOfThisThread() }

    func increment() -> Int {
        count += 1
        return count
    }

    func wait(for descriptor: CInt, until end: ContinuousClock.Instant?, begun: OneShot<Void>) -> ThreadExecutor.Wake {
        begun.fulfil(())
        return thread.wait(for: descriptor, until: end)
    }

    func knowsItsPlace() -> Bool? { thread.isIsolatingCurrentContext() }
}

private func nameOfThisThread() throws -> String {
    String(try Files.text(of: "/proc/thread-self/comm").dropLast())
}

@Suite(.timeLimit(.minutes(5))) struct ThreadExecutorTests {
    @Test func allJobsRunOnOneThread() async throws {
        let resident = try Resident()
        let first = await resident.whereAmI()
        for _ in 0..<100 {
            let next = await resident.whereAmI()
            #expect(pthread_equal(first, next) != 0)
        }
        #expect(try await resident.threadName() == "semel-test")
        #expect(await resident.knowsItsPlace() == true)
        #expect(resident.thread.isIsolatingCurrentContext() == false)
    }

    @Test func jobsDoNotMeet() async throws {
        let resident = try Resident()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { for _ in 0..<20 { _ = await resident.increment() } } }
        }
        #expect(await resident.increment() == 1_001)
    }

    @Test func watchFiresWhenSomethingCanBeRead() async throws {
        let resident = try Resident()
        let wakeUp = try WakeUp()
        let fired = OneShot<pthread_t>()
        resident.thread.watch(
            ThreadExecutor.Watch(descriptor: wakeUp.descriptor, atLeastEvery: .seconds(3_600)) {
                var ready = pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&ready, 1, 0) == 1 else { return }
                wakeUp.clear()
                fired.fulfil(pthread_self())
            })
        wakeUp.signal()
        let thread = try #require(await fired.wait())
        #expect(pthread_equal(thread, await resident.whereAmI()) != 0)
    }

    @Test func watchFiresAtLeastSoOften() async throws {
        let resident = try Resident()
        let wakeUp = try WakeUp()
        let visits = Counter()
        resident.thread.watch(
            ThreadExecutor.Watch(descriptor: wakeUp.descriptor, atLeastEvery: .milliseconds(5)) {
                visits.increment()
            })
        try await eventually("five visits") { visits.value >= 5 }
        resident.thread.watch(nil)
        // A job that ran behind the change of mind.
        _ = await resident.increment()
        let after = visits.value
        for _ in 0..<20 { _ = await resident.increment() }
        try await Task.sleep(for: .milliseconds(50))
        #expect(visits.value == after)
    }

    @Test func watchAndJobsShareTheThread() async throws {
        let resident = try Resident()
        let wakeUp = try WakeUp()
        let visits = Counter()
        resident.thread.watch(
            ThreadExecutor.Watch(descriptor: wakeUp.descriptor, atLeastEvery: .milliseconds(1)) {
                visits.increment()
            })
        for _ in 0..<200 { _ = await resident.increment() }
        try await eventually("visits between the jobs") { visits.value > 0 }
        #expect(await resident.increment() == 201)
    }

    @Test func interruptWakesAJobThatWaits() async throws {
        let resident = try Resident()
        let wakeUp = try WakeUp()
        let begun = OneShot<Void>()
        let waiting = Task { await resident.wait(for: wakeUp.descriptor, until: nil, begun: begun) }
        await begun.wait()
        resident.thread.interrupt()
        #expect(await waiting.value == .interrupted)
    }

    @Test func aDescriptorWakesAJobThatWaits() async throws {
        let resident = try Resident()
        let wakeUp = try WakeUp()
        wakeUp.signal()
        var wake = ThreadExecutor.Wake.interrupted
        // The job's own arrival may still be pending as an interruption.
        while wake == .interrupted { wake = await resident.wait(for: wakeUp.descriptor, until: nil, begun: OneShot()) }
        #expect(wake == .readable)
    }

    @Test func timeWakesAJobThatWaits() async throws {
        let resident = try Resident()
        let wakeUp = try WakeUp()
        let start = ContinuousClock.now
        let end = start + .milliseconds(30)
        var wake = ThreadExecutor.Wake.interrupted
        while wake == .interrupted { wake = await resident.wait(for: wakeUp.descriptor, until: end, begun: OneShot()) }
        #expect(wake == .timedOut)
        #expect(ContinuousClock.now >= end)
    }

    @Test func threadEndsWhenItIsStopped() async throws {
        final class Marker: Sendable {
            let gone: OneShot<Void>
            init(_ gone: OneShot<Void>) { self.gone = gone }
            deinit { gone.fulfil(()) }
        }
        let gone = OneShot<Void>()
        do {
            let thread = try ThreadExecutor("semel-test")
            let marker = Marker(gone)
            thread.watch(
                ThreadExecutor.Watch(descriptor: -1, atLeastEvery: .seconds(3_600)) { withExtendedLifetime(marker) {} })
            thread.stop()
        }
        // The thread holds its executor, and that its watch, for as long as it runs.
        try await eventually("the thread has ended") { gone.value != nil }
    }

    @Test func threadsHaveNames() async throws {
        let name = OneShot<String>()
        try startThread("semel-named") {
            name.fulfil((try? nameOfThisThread()) ?? "unreadable")
        }
        #expect(await name.wait() == "semel-named")
    }
}
