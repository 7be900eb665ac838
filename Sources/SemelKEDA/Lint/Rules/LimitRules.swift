/// `minReplicaCount` and `maxReplicaCount`, which do not mean what they say.
enum LimitRules {
    static let all = [minimum, minimumAboveMaximum, maximumMissing, maximumZero, paused]

    static let minimum = LintRule(
        "SJ040", "minimum", .warning,
        "`minReplicaCount` above 0: these are unfinished Jobs, not idle workers, whatever is in the queue."
    ) { subject in
        guard let minimum = subject.job.minReplicaCount, minimum.value > 0 else { return [] }
        let limits = subject.job.limits
        let total =
            subject.job.maxReplicaCount == nil ? ", and as many as \(limits.total) Jobs at a time in all" : ""
        return [
            LintRemark(
                minimum.position,
                "an empty queue gets \(limits.minimum) new Jobs as soon as idle ones have ended\(perHour(subject)); "
                    + "busy ones count as well, so that none is kept ready\(total)",
                fix: "remove minReplicaCount")
        ]
    }

    private static func perHour(_ subject: LintSubject) -> String {
        subject.standingJobsAnHour.map { ", \($0) an hour" } ?? ""
    }

    static let minimumAboveMaximum = LintRule(
        "SJ041", "minimum-above-maximum", .error,
        "`minReplicaCount` above `maxReplicaCount`: twice the maximum may run."
    ) { subject in
        guard let minimum = subject.job.minReplicaCount, let maximum = subject.job.maxReplicaCount,
            minimum.value > maximum.value, maximum.value > 0
        else { return [] }
        return [
            LintRemark(
                minimum.position,
                "KEDA takes \(maximum.value) for the minimum and again for the maximum beside it: up to "
                    + "\(subject.job.limits.total) Jobs at a time",
                fix: "remove minReplicaCount")
        ]
    }

    static let maximumMissing = LintRule(
        "SJ042", "maximum-missing", .note, "No `maxReplicaCount`: KEDA takes 100."
    ) { subject in
        guard subject.job.maxReplicaCount == nil else { return [] }
        return [
            LintRemark(
                subject.place(), "KEDA takes \(subject.job.limits.room) for maxReplicaCount",
                fix: "write how many Jobs your nodes and the queue's users can bear")
        ]
    }

    static let maximumZero = LintRule(
        "SJ043", "maximum-zero", .error, "A `maxReplicaCount` that leaves no room: the queue never makes a Job."
    ) { subject in
        guard let maximum = subject.job.maxReplicaCount, subject.job.limits.room <= 0 else { return [] }
        return [
            LintRemark(
                maximum.position, "any number of messages makes 0 Jobs",
                fix: "write a maxReplicaCount above \(max(0, subject.job.minReplicaCount?.value ?? 0))")
        ]
    }

    static let paused = LintRule(
        "SJ044", "paused", .note, "A ScaledJob that is paused by its annotation."
    ) { subject in
        let name = "autoscaling.keda.sh/paused"
        guard subject.job.isPaused, let annotation = subject.job.metadata.annotations[name] else { return [] }
        return [
            LintRemark(
                annotation.position, "KEDA makes no Job and removes no old one; every value but \"false\" pauses",
                fix: "remove the annotation when it is time")
        ]
    }
}
