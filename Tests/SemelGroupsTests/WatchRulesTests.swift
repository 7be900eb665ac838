import SemelGroups
import Testing

/// Each alarm when it is due, and once.
@Suite struct WatchRulesTests {
    private static let day: Int64 = 86_400
    /// A midnight.
    private static let midnight: Int64 = 20_000 * day

    private func cronJob(_ change: (inout WatchedCronJob) -> Void = { _ in }) throws -> WatchedCronJob {
        var cronJob = WatchedCronJob(
            name: "nightly-1", group: "1", schedule: try CronSchedule("0 0 * * *"), startingDeadline: 600,
            since: Self.midnight - 10 * Self.day, lastScheduled: Self.midnight - Self.day)
        change(&cronJob)
        return cronJob
    }

    private func alarms(_ cronJobs: [WatchedCronJob], _ jobs: [WatchedJob] = [], at now: Int64) -> [Alarm] {
        WatchRules.alarms(cronJobs, jobs, now: now) { _ in { _ in 0 } }
    }

    @Test func nothingBeginsInTime() throws {
        let late = try cronJob()
        #expect(alarms([late], at: Self.midnight + 659).isEmpty)
        let found = alarms([late], at: Self.midnight + 660)
        #expect(found.map(\.kind) == [.missed] && found.first?.scheduled == Self.midnight && found.first?.job == nil)
        #expect(found.first?.message == "no Job began in time, due 2024-10-04T00:00:00Z")
    }

    @Test func onceForEveryMissedStart() throws {
        var late = try cronJob { $0.toldMissed = Self.midnight }
        #expect(alarms([late], at: Self.midnight + 3_600).isEmpty)
        #expect(alarms([late], at: Self.midnight + Self.day + 660).first?.scheduled == Self.midnight + Self.day)
        // Several of them: the last one, and no storm.
        late = try cronJob { $0.lastScheduled = Self.midnight - 5 * Self.day }
        #expect(alarms([late], at: Self.midnight + 660).map(\.scheduled) == [Self.midnight])
    }

    @Test func whatWasNotDue() throws {
        let now = Self.midnight + 7_200
        #expect(alarms([try cronJob { $0.lastScheduled = Self.midnight }], at: now).isEmpty)
        #expect(alarms([try cronJob { $0.isSuspended = true }], at: now).isEmpty)
        #expect(alarms([try cronJob { $0.since = Self.midnight + 1 }], at: now).isEmpty, "changed since")
        #expect(!alarms([try cronJob { $0.lastScheduled = nil }], at: now).isEmpty)
    }

    @Test func theJobBeforeIsInTheWay() throws {
        let job = WatchedJob(name: "nightly-1-1", cronJob: "nightly-1", group: "1")
        let found = alarms([try cronJob()], [job], at: Self.midnight + 660)
        #expect(found.first?.message.hasSuffix("; its Job nightly-1-1 is still running") == true)
    }

    @Test func aJobFails() {
        var job = WatchedJob(
            name: "nightly-3-1", cronJob: "nightly-3", group: "3", scheduled: Self.midnight,
            end: .failed(reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit"))
        let found = alarms([], [job], at: Self.midnight)
        #expect(
            found.map { GroupText.line($0, groups: "nightly") } == [
                "nightly, group 3: Job nightly-3-1 failed: BackoffLimitExceeded, Job has reached the specified backoff limit"
            ])
        job.told = [.failed]
        #expect(alarms([], [job], at: Self.midnight).isEmpty)
        job.told = [.overrun]
        job.end = .failed(reason: "DeadlineExceeded", message: "")
        #expect(
            alarms([], [job], at: Self.midnight).first?.message
                == "Job nightly-3-1 was stopped at the end of its window: DeadlineExceeded")
        job.end = .completed
        #expect(alarms([], [job], at: Self.midnight).isEmpty)
    }

    @Test func aJobRunsPastItsWindow() {
        var job = WatchedJob(
            name: "nightly-3-1", cronJob: "nightly-3", group: "3", scheduled: Self.midnight, activeDeadline: 18_000)
        #expect(alarms([], [job], at: Self.midnight + 18_000).isEmpty)
        #expect(alarms([], [job], at: Self.midnight + 18_001).map(\.kind) == [.overrun])
        job.told = [.overrun]
        #expect(alarms([], [job], at: Self.midnight + 18_001).isEmpty)
        job.told = []
        job.activeDeadline = nil
        #expect(alarms([], [job], at: Self.midnight + Self.day).isEmpty)
    }

    @Test func forAWebhook() {
        let jobs = ["a <!here> \"b\"", "c\\d\ne"].map {
            WatchedJob(name: "j", cronJob: "c", group: "1", end: .failed(reason: "R", message: $0))
        }
        let text = GroupText.webhook(alarms([], jobs, at: 0), groups: "n&m")
        #expect(
            text == #"{"text":"n&amp;m, group 1: Job j failed: R, a &lt;!here&gt; \"b\"\n"#
                + #"n&amp;m, group 1: Job j failed: R, c\\d\\u{a}e"}"#)
    }
}
