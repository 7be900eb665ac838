import TestSupport
import Testing

/// Workers do not know of the console.
struct CrashTests {
    /// It is killed while it streams and, again and again, while it has the dead letters in its hands.
    @Test(arguments: PageTests.kinds)
    func itsCrashHarmsNobody(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let letters = (1...20).map { (id: "lost-\($0)", body: "body \($0)") }
        try await Scene.bury(queue, letters)
        try await Scene.enqueue(queue, "long", "x")
        let worker = try PacedWorker(queue)
        try await worker.waitUntilItRuns()
        for _ in 0..<3 {
            let console = try await ConsoleUnderTest.start([queue], ["--workers", worker.address])
            async let streamed = try? console.get("/events/workers")
            async let looked = try? console.get("/api/dead")
            _ = try await console.get("/healthz")
            try await console.crash()
            _ = await (streamed, looked)
        }
        try worker.say("0.5 unharmed")
        #expect(try await worker.finish().status == .exited(0))
        try await queue.waitUntilLeft(Left(dead: letters.count))
    }
}
