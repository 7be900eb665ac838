/// A group's CronJob as a watcher sees it. Moments are in seconds since 1970.
public struct WatchedCronJob: Sendable {
    public var name: String
    public var group: String
    public var schedule: CronSchedule
    /// How late a Job may begin, in seconds.
    public var startingDeadline: Int64?
    public var isSuspended: Bool
    /// Since when it is as it is now: what was due before says nothing.
    public var since: Int64
    /// What its last Job was due at.
    public var lastScheduled: Int64?
    /// The last missed start that somebody was told of.
    public var toldMissed: Int64?

    public init(
        name: String, group: String, schedule: CronSchedule, startingDeadline: Int64? = nil, isSuspended: Bool = false,
        since: Int64, lastScheduled: Int64? = nil, toldMissed: Int64? = nil
    ) {
        self.name = name
        self.group = group
        self.schedule = schedule
        self.startingDeadline = startingDeadline
        self.isSuspended = isSuspended
        self.since = since
        self.lastScheduled = lastScheduled
        self.toldMissed = toldMissed
    }
}

/// A Job of a group's CronJob as a watcher sees it. Moments are in seconds since 1970.
public struct WatchedJob: Sendable {
    public enum End: Sendable, Hashable {
        case completed
        /// In Kubernetes' words: `BackoffLimitExceeded`, and a sentence.
        case failed(reason: String, message: String)
    }

    public var name: String
    public var cronJob: String
    public var group: String
    /// What it was due at.
    public var scheduled: Int64?
    /// How long it may run, in seconds.
    public var activeDeadline: Int64?
    public var end: End?
    /// What somebody was told of it.
    public var told: Set<Alarm.Kind>

    public init(
        name: String, cronJob: String, group: String, scheduled: Int64? = nil, activeDeadline: Int64? = nil,
        end: End? = nil, told: Set<Alarm.Kind> = []
    ) {
        self.name = name
        self.cronJob = cronJob
        self.group = group
        self.scheduled = scheduled
        self.activeDeadline = activeDeadline
        self.end = end
        self.told = told
    }
}

/// Something about a group that somebody has to be told, once.
public struct Alarm: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        /// A Job has failed.
        case failed
        /// No Job began in time.
        case missed
        /// A Job still runs when its window has ended.
        case overrun
    }

    public let kind: Kind
    public let cronJob: String
    public let group: String
    /// `nil` for what was missed.
    public let job: String?
    /// What the Job was due at, in seconds since 1970.
    public let scheduled: Int64?
    /// One line without the group's name.
    public let message: String
}

/// Which alarms there are, at a moment.
public enum WatchRules {
    /// Kubernetes looks at a CronJob every ten seconds, and a busy control plane is slower.
    private static let patience: Int64 = 60
    /// For a CronJob that may begin however late.
    private static let usualDeadline: Int64 = 600
    /// What is longer ago is no news.
    private static let memory: Int64 = 8 * 86_400

    /// - Parameter offset: of the zone of this CronJob, by name.
    public static func alarms(
        _ cronJobs: [WatchedCronJob], _ jobs: [WatchedJob], now: Int64, offset: (WatchedCronJob) -> CronSchedule.Offset
    ) -> [Alarm] {
        let running = Dictionary(grouping: jobs.filter { $0.end == nil }, by: \.cronJob)
        return cronJobs.compactMap { missed($0, running[$0.name] ?? [], now, offset($0)) }
            + jobs.compactMap { failed($0) } + jobs.compactMap { overrun($0, now) }
    }

    private static func missed(
        _ cronJob: WatchedCronJob, _ running: [WatchedJob], _ now: Int64, _ offset: CronSchedule.Offset
    ) -> Alarm? {
        guard !cronJob.isSuspended else { return nil }
        let latest = now - (cronJob.startingDeadline ?? usualDeadline) - patience
        var moment = max(cronJob.since, cronJob.lastScheduled ?? .min, cronJob.toldMissed ?? .min, now - memory)
        var due: Int64?
        while let next = cronJob.schedule.next(after: moment, offset), next <= latest { (moment, due) = (next, next) }
        guard let due else { return nil }
        let other = running.first.map { "; its Job \($0.name) is still running" } ?? ""
        return Alarm(
            kind: .missed, cronJob: cronJob.name, group: cronJob.group, job: nil, scheduled: due,
            message: "no Job began in time, due \(GroupText.moment(due))\(other)")
    }

    private static func failed(_ job: WatchedJob) -> Alarm? {
        guard case .failed(let reason, let message) = job.end, !job.told.contains(.failed) else { return nil }
        let why = reason == "DeadlineExceeded" ? "was stopped at the end of its window" : "failed"
        return Alarm(
            kind: .failed, cronJob: job.cronJob, group: job.group, job: job.name, scheduled: job.scheduled,
            message: "Job \(job.name) \(why): \(reason)" + (message.isEmpty ? "" : ", \(message)"))
    }

    private static func overrun(_ job: WatchedJob, _ now: Int64) -> Alarm? {
        guard job.end == nil, let scheduled = job.scheduled, let deadline = job.activeDeadline,
            now > scheduled + deadline, !job.told.contains(.overrun)
        else { return nil }
        return Alarm(
            kind: .overrun, cronJob: job.cronJob, group: job.group, job: job.name, scheduled: scheduled,
            message: "Job \(job.name) still runs, although its window ended \(GroupText.moment(scheduled + deadline))")
    }
}
