import Synchronization
import TestSupport
import Testing

struct EventuallyTests {
    @Test func waitsUntilTheConditionHolds() async throws {
        let looks = Mutex(0)
        try await eventually("three looks") {
            looks.withLock { looks in
                looks += 1
                return looks == 3
            }
        }
        #expect(looks.withLock { $0 } == 3)
    }

    @Test func saysWhatDidNotHappen() async throws {
        let error = await #expect(throws: SupportError.self) {
            try await eventually(timeout: .milliseconds(20), "the moon turns green") { false }
        }
        #expect(error?.description.contains("the moon turns green") == true)
    }

    @Test func errorsEndTheWaiting() async throws {
        let start = ContinuousClock.now
        await #expect(throws: CancellationError.self) {
            try await eventually(timeout: .seconds(60), "never") { throw CancellationError() }
        }
        #expect(ContinuousClock.now - start < .seconds(30))
    }
}
