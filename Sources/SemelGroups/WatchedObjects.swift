public import SemelKubernetes

/// What a watcher has told of, kept in annotations of the objects themselves: a watcher that starts again knows it.
public enum AlarmNotes {
    /// Of a Job: the kinds of alarms.
    public static let told = "semel/alarms"
    /// Of a CronJob: the last start that was missed.
    public static let missed = "semel/alarm-missed"
}

extension WatchedCronJob {
    /// `nil` for a schedule that nobody here can read; Kubernetes would not have taken it.
    public init?(_ cronJob: CronJob) {
        guard let schedule = try? CronSchedule(cronJob.schedule) else { return nil }
        // Whoever changes a schedule, or ends a suspension, starts its story anew. What only tells (the status, our own
        // notes) does not count.
        let changes = cronJob.managers.filter {
            $0.json["subresource"] == nil && $0.name != GroupLabels.watcher
        }.compactMap { $0.json["time"]?.string.flatMap { GroupText.seconds($0) } }
        self.init(
            name: cronJob.name, group: cronJob.labels[GroupLabels.group] ?? "?", schedule: schedule,
            startingDeadline: cronJob.startingDeadlineSeconds, isSuspended: cronJob.isSuspended,
            since: changes.max() ?? cronJob.creationTimestamp.flatMap { GroupText.seconds($0) } ?? 0,
            lastScheduled: cronJob.lastScheduleTime.flatMap { GroupText.seconds($0) },
            toldMissed: cronJob.annotations[AlarmNotes.missed].flatMap { GroupText.seconds($0) })
    }
}

extension WatchedJob {
    /// `nil` for a Job that no CronJob has made.
    public init?(_ job: Job) {
        guard let owner = job.ownerReferences.first(where: { $0.kind == "CronJob" && $0.isController }) else {
            return nil
        }
        var end: End?
        if let failure = job.failure {
            end = .failed(reason: failure.reason ?? "Failed", message: failure.message ?? "")
        } else if job.isComplete {
            end = .completed
        }
        let told = (job.annotations[AlarmNotes.told] ?? "").split(separator: ",")
        self.init(
            name: job.name, cronJob: owner.name, group: job.labels[GroupLabels.group] ?? "?",
            scheduled: Self.scheduled(job, owner), activeDeadline: job.json["spec", "activeDeadlineSeconds"]?.integer,
            end: end, told: Set(told.compactMap { Alarm.Kind(rawValue: String($0)) }))
    }

    /// Kubernetes writes it into an annotation from 1.28 on, and has always ended a Job's name with it, in minutes.
    private static func scheduled(_ job: Job, _ owner: OwnerReference) -> Int64? {
        let annotation = job.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"]
        if let seconds = annotation.flatMap({ GroupText.seconds($0) }) { return seconds }
        return job.name.hasPrefix("\(owner.name)-")
            ? Int64(job.name.dropFirst(owner.name.count + 1)).map { $0 * 60 } : nil
    }

    /// What the Job's note says once somebody was told of `kind`, too.
    public func note(telling kind: Alarm.Kind) -> String {
        told.union([kind]).map(\.rawValue).sorted().joined(separator: ",")
    }
}
