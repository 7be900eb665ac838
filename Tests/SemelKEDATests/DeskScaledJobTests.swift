import SemelKEDA
import Testing

/// What KEDA does with the Jobs there are.
@Suite struct DeskScaledJobTests {
    /// Running is not yet ready, and what is not ready holds further Jobs back.
    @Test func pendingJobs() throws {
        var desk = try Desk(
            spec: "scalingStrategy: {strategy: accurate, pendingPodConditions: [Ready]}")
        desk.poll(3)
        desk.poll(3)
        desk.run()
        desk.poll(3)
        desk.ready(1)
        desk.poll(3)
        desk.ready(1, false)
        desk.poll(4)
        let polls = desk.news().filter { $0.hasPrefix("poll") }
        #expect(polls == ["poll 0 0 -> 3", "poll 3 3 -> 0", "poll 3 3 -> 0", "poll 3 2 -> 1", "poll 4 4 -> 0"])
    }

    @Test func pendingByPhase() throws {
        var desk = try Desk(spec: "scalingStrategy: {strategy: accurate}")
        desk.poll(2)
        desk.poll(2)
        desk.run()
        desk.poll(2)
        let polls = desk.news().filter { $0.hasPrefix("poll") }
        #expect(polls == ["poll 0 0 -> 2", "poll 2 2 -> 0", "poll 2 0 -> 2"])
    }

    @Test func history() throws {
        var desk = try Desk(
            job: "backoffLimit: 0",
            spec: "{maxReplicaCount: 20, successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 0}"
                .dropBraces)
        desk.poll(5)
        desk.run()
        for number in 1...4 {
            desk.end(number, number == 4 ? .exited(1) : .exited(0))
            desk.pass(1)
        }
        #expect(desk.scaled.jobs.count == 5)
        desk.poll(0)
        // The oldest complete one, and every failed one.
        #expect(desk.scaled.jobs.map(\.name) == ["scans-2", "scans-3", "scans-5"])
        #expect(desk.scaled.tally.created == 5 && desk.scaled.tally.peak == 5)
    }

    @Test func aChangeDeletesJobs() throws {
        var desk = try Desk()
        desk.poll(2)
        desk.run()
        desk.end(1)
        desk.change(try Desk.scaledJob(job: "backoffLimit: 1"))
        #expect(desk.scaled.jobs.isEmpty && desk.stopped.count == 1 && !desk.scaled.isQuiet)
        // Deleted Jobs do not count, even while their pods end.
        desk.poll(2)
        #expect(desk.news().suffix(3) == ["poll 0 0 -> 2", "created scans-3", "created scans-4"])
        #expect(desk.scaled.jobs.allSatisfy { $0.generation == 2 })
        desk.end(2, .exited(143))
        #expect(desk.scaled.tally.deleted == 1 && desk.scaled.tally.failed == 0)
    }

    @Test func aGradualChangeDoesNot() throws {
        var desk = try Desk()
        desk.poll(2)
        desk.run()
        desk.change(try Desk.scaledJob(job: "backoffLimit: 1", spec: "rollout: {strategy: gradual}"))
        #expect(desk.scaled.jobs.count == 2 && desk.stopped.isEmpty && desk.scaled.generation == 2)
        desk.poll(3)
        #expect(desk.scaled.jobs.map(\.generation) == [1, 1, 2])
        #expect(desk.scaled.jobs.map(\.rules.backoffLimit) == [6, 6, 1])
    }

    @Test func anotherSecretIsNoChange() throws {
        var desk = try Desk()
        desk.poll(1)
        desk.change(try Desk.scaledJob(), isOtherSpec: false)
        #expect(desk.scaled.generation == 1 && desk.scaled.jobs.count == 1)
    }

    @Test func draining() throws {
        var desk = try Desk(job: "backoffLimit: 6")
        desk.poll(2)
        desk.run()
        desk.drain()
        #expect(desk.stopped.count == 2 && !desk.scaled.isQuiet)
        desk.poll(5)
        desk.end(1, .exited(143))
        desk.end(2)
        #expect(desk.scaled.isQuiet && desk.scaled.tally.created == 2 && desk.scaled.tally.deleted == 2)
        #expect(desk.started.isEmpty)
    }
}

extension String {
    /// A flow mapping as lines of a block.
    fileprivate var dropBraces: String {
        dropFirst().dropLast().split(separator: ", ").joined(separator: "\n  ")
    }
}
