import TestSupport
import Testing

/// Many workers on one queue.
@Suite(.allLanes, .serialized)
struct CrowdTests {
    @Test(arguments: QueueKind.allCases)
    func eachMessageExactlyOnce(_ kind: QueueKind) async throws {
        let count = kind.traits.crowd
        let queue = try await kind.make()
        let ledger = try Ledger()
        let bodies = (0..<count).map { "message-\($0)" }
        try await queue.put(bodies.map { Array($0.utf8) })

        let completed = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<64 {
                group.addTask { try await workUntilIdle(queue, ledger) }
            }
            return try await group.reduce(0, +)
        }
        #expect(completed == count)
        let lines = try ledger.lines
        #expect(lines.count == count)
        #expect(Set(lines) == Set(bodies))
        let left = try await queue.left()
        #expect(left == .nothing)
        if let redis = queue as? RedisUnderTest { #expect(try await redis.otherKeys() == []) }
        if let spool = queue as? SpoolUnderTest { #expect(spool.files("done").count == count) }
    }

    /// Starts one worker after the other until one finds nothing; how many completed a message.
    private func workUntilIdle(_ queue: any QueueUnderTest, _ ledger: Ledger) async throws -> Int {
        var completed = 0
        while true {
            let end = try await Worker.run(
                queue, ["--wait", "2s", "--log-level", "error"], task: ledger.task, timeout: .seconds(180))
            guard end.status == .exited(0), let report = end.report else {
                let broker = (queue as? RabbitMQUnderTest)?.server.log.suffix(6000) ?? ""
                throw SupportError("a worker \(end.status): \(end.stderr)\(broker)")
            }
            if report.outcome == "idle" { return completed }
            guard report.attempt == 1 else { throw SupportError("attempt \(report.attempt ?? 0): \(end.stderr)") }
            completed += 1
        }
    }
}
