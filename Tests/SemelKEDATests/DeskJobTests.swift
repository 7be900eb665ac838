import SemelKEDA
import Testing

/// What becomes of a Job by what becomes of its pods.
@Suite struct DeskJobTests {
    @Test func completesWithItsPod() throws {
        var desk = try Desk(job: "backoffLimit: 0")
        desk.poll(1)
        #expect(desk.started.count == 1 && desk.news() == ["poll 0 0 -> 1", "created scans-1"])
        desk.run()
        desk.ready(1)
        desk.end(1)
        #expect(desk.news() == ["started scans-1-1", "ready scans-1-1", "ended scans-1-1 0", "complete scans-1"])
        #expect(desk.scaled.isQuiet && desk.scaled.tally.complete == 1 && desk.scaled.nextTime == nil)
    }

    /// A new pod 10 s after the first failure, 20 s after the second, until the limit is passed.
    @Test func failsAfterTheBackoffLimit() throws {
        var desk = try Desk(job: "backoffLimit: 2")
        desk.poll(1)
        desk.run()
        desk.end(1, .exited(1))
        #expect(desk.started.isEmpty && desk.scaled.nextTime == .seconds(10))
        desk.pass(9.9)
        #expect(desk.started.isEmpty)
        desk.pass(0.1)
        #expect(desk.started.count == 1)
        desk.run()
        desk.end(2, .signalled(9))
        desk.pass(20)
        desk.run()
        desk.end(3, .exited(75))
        #expect(desk.news().suffix(2) == ["ended scans-1-3 75", "failed scans-1 BackoffLimitExceeded"])
        #expect(desk.scaled.tally.failed == 1 && desk.scaled.isQuiet)
    }

    /// With OnFailure the same pod starts again: at once, after 10 s, …
    @Test func restartsTheContainer() throws {
        var desk = try Desk(job: "backoffLimit: 2", pod: "restartPolicy: OnFailure")
        desk.poll(1)
        desk.run()
        desk.end(1, .exited(1))
        #expect(desk.started.count == 1)
        desk.run()
        desk.end(1, .exited(1))
        #expect(desk.started.isEmpty && desk.scaled.nextTime == .seconds(10))
        desk.pass(10)
        desk.run()
        desk.end(1, .exited(1))
        #expect(desk.news().last == "failed scans-1 BackoffLimitExceeded")
        #expect(desk.scaled.jobs[0].pods.count == 1 && desk.scaled.jobs[0].restarts == 2)
    }

    @Test(
        arguments: [
            (
                "{action: FailJob, onExitCodes: {operator: In, values: [65, 78]}}", 65,
                "failed scans-1 PodFailurePolicy", 0
            ),
            ("{action: Ignore, onExitCodes: {operator: In, values: [75]}}", 75, "ended scans-1-1 75", 0),
            (
                "{action: Count, onExitCodes: {operator: In, values: [75]}}", 75, "failed scans-1 BackoffLimitExceeded",
                0
            ),
            ("{action: Ignore, onExitCodes: {operator: NotIn, values: [65]}}", 1, "ended scans-1-1 1", 0),
            (
                "{action: Ignore, onExitCodes: {containerName: other, operator: In, values: [75]}}", 75,
                "failed scans-1 BackoffLimitExceeded", 0
            ),
            (
                "{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}", 1,
                "failed scans-1 BackoffLimitExceeded",
                0
            ),
        ] as [(String, Int32, String, Int)])
    func failurePolicy(_ rule: String, _ code: Int32, _ last: String, _ started: Int) throws {
        var desk = try Desk(job: "backoffLimit: 0, podFailurePolicy: {rules: [\(rule)]}")
        desk.poll(1)
        desk.run()
        desk.end(1, .exited(code))
        #expect(desk.started.count == started && desk.news().last == last)
    }

    /// Pods that do not count have no limit: a pause before each, and none of them is kept.
    @Test func ignoredPods() throws {
        let rule = "{action: Ignore, onExitCodes: {operator: In, values: [75]}}"
        var desk = try Desk(job: "backoffLimit: 0, podFailurePolicy: {rules: [\(rule)]}")
        desk.poll(1)
        for number in 1...3 {
            #expect(desk.started.count == 1)
            desk.run()
            desk.end(number, .exited(75))
            #expect(desk.started.isEmpty && desk.scaled.jobs[0].pods.isEmpty)
            desk.pass(1)
        }
        desk.run()
        #expect(desk.news().last == "started scans-1-4")
    }

    @Test func manyCompletions() throws {
        var desk = try Desk(job: "parallelism: 2, completions: 3, backoffLimit: 0")
        desk.poll(1)
        #expect(desk.started.count == 2)
        desk.run()
        desk.end(1)
        #expect(desk.started.count == 1)
        desk.run()
        desk.end(2)
        #expect(desk.started.isEmpty)
        desk.end(3)
        #expect(desk.news().last == "complete scans-1")
    }

    /// Without completions one success is enough, and no pod is made after it.
    @Test func parallelismAlone() throws {
        var desk = try Desk(job: "parallelism: 2, backoffLimit: 0")
        desk.poll(1)
        desk.run()
        desk.end(2)
        #expect(desk.started.isEmpty && !desk.scaled.isQuiet)
        desk.end(1)
        #expect(desk.news().last == "complete scans-1")
    }

    @Test func deadline() throws {
        var desk = try Desk(job: "activeDeadlineSeconds: 30, backoffLimit: 6")
        desk.poll(1)
        desk.run()
        #expect(desk.scaled.nextTime == .seconds(30))
        desk.pass(30)
        #expect(desk.stopped.count == 1)
        // Still counted while its pod ends.
        #expect(desk.scaled.unfinished.count == 1)
        desk.end(1, .exited(143))
        #expect(desk.news().last == "failed scans-1 DeadlineExceeded")
    }

    @Test func deadlineOfThePod() throws {
        var desk = try Desk(job: "backoffLimit: 0", pod: "restartPolicy: Never, activeDeadlineSeconds: 5")
        desk.poll(1)
        desk.run()
        desk.pass(5)
        desk.pass(1)
        #expect(desk.stopped.count == 1)
        desk.end(1, .exited(143))
        #expect(desk.news().last == "failed scans-1 BackoffLimitExceeded")
    }

    /// It passes while the pod waits for its container's next start, too.
    @Test func deadlineOfAPodThatWaits() throws {
        var desk = try Desk(job: "backoffLimit: 9", pod: "restartPolicy: OnFailure, activeDeadlineSeconds: 5")
        desk.poll(1)
        for _ in 1...2 {
            desk.run()
            desk.end(1, .exited(1))
        }
        desk.pass(5)
        #expect(desk.stopped.isEmpty && desk.scaled.jobs[0].failures == 1 && desk.scaled.nextTime == .seconds(15))
        desk.pass(10)
        #expect(desk.started.count == 1 && desk.scaled.jobs[0].pods.count == 2)
    }

    @Test func aLongGracePeriod() throws {
        let job = try Desk.scaledJob(pod: "terminationGracePeriodSeconds: 400000000")
        #expect(DeskJobRules(job.job).gracePeriod == .seconds(315_360_000))
    }

    @Test func suspended() throws {
        var desk = try Desk(job: "suspend: true, activeDeadlineSeconds: 1")
        desk.poll(1)
        #expect(desk.started.isEmpty && desk.scaled.nextTime == nil)
        desk.pass(2)
        desk.poll(1)
        #expect(desk.news().last == "poll 1 1 -> 0")
    }

    @Test func goesAfterItsTime() throws {
        var desk = try Desk(job: "ttlSecondsAfterFinished: 60")
        desk.poll(1)
        desk.run()
        desk.end(1)
        #expect(desk.scaled.nextTime == .seconds(60))
        desk.pass(60)
        #expect(desk.scaled.jobs.isEmpty && desk.news().last == "deleted scans-1")
    }
}
