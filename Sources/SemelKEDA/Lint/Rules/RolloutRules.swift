/// What an update does to running Jobs, and words that a version of KEDA does not take.
enum RolloutRules {
    static let all = [killsRunningJobs, refusedWord, wordNotPortable, accurateBefore219, newerParameter]

    static let killsRunningJobs = LintRule(
        "SJ050", "rollout-kills", .error,
        "No gradual rollout: every change of the ScaledJob deletes all Jobs, running ones, too."
    ) { subject in
        guard !subject.job.rollsOutGradually else { return [] }
        let limit = max(1, subject.job.limits.total)
        let old = subject.job.rolloutStrategy
        let why =
            old != nil && subject.job.rollout?.strategy?.value == "gradual"
            ? "the deprecated rolloutStrategy wins over rollout: " : ""
        return [
            LintRemark(
                old?.position ?? subject.job.rollout?.strategy?.position ?? subject.place("rollout"),
                "\(why)every change of this object deletes all its Jobs, up to \(limit) running ones included, and their "
                    + "tasks begin again or are lost",
                fix: old == nil ? "write rollout: {strategy: gradual}" : "replace it by rollout: {strategy: gradual}")
        ]
    }

    static let refusedWord = LintRule(
        "SJ051", "refused-word", .error,
        "A word for `scalingStrategy.strategy` or `rollout.strategy` that this version of KEDA does not take."
    ) { subject in
        let strategy = remark(
            subject.job.scalingStrategy.strategy, subject.version.allowedStrategies, subject.version,
            known: ["default", "custom", "accurate", "eager"], otherwise: "takes it for ‘default’ without a word",
            fix: "remove strategy for the default one")
        let rollout = remark(
            subject.job.rollout?.strategy, subject.version.allowedRollouts, subject.version,
            known: ["default", "gradual", "immediate"], otherwise: "takes it for ‘immediate’ without a word",
            fix: "write gradual")
        return [strategy, rollout].compactMap { $0 }
    }

    private static func remark(
        _ word: Located<String>?, _ allowed: [String]?, _ version: KEDAVersion, known: Set<String>, otherwise: String,
        fix: String
    ) -> LintRemark? {
        guard let word, !word.value.isEmpty else { return nil }
        if let allowed {
            guard !allowed.contains(word.value) else { return nil }
            return LintRemark(
                word.position,
                "KEDA \(version) refuses the object: ‘\(word.value)’ is none of \(allowed.joined(separator: ", "))",
                fix: fix)
        }
        guard !known.contains(word.value) else { return nil }
        return LintRemark(word.position, "KEDA \(version) does not know ‘\(word.value)’ and \(otherwise)", fix: fix)
    }

    static let wordNotPortable = LintRule(
        "SJ052", "word-not-portable", .note, "`strategy: default`, which KEDA 2.20.0 and 2.20.1 refuse."
    ) { subject in
        guard let word = subject.job.scalingStrategy.strategy, word.value == "default",
            subject.version.allowedStrategies?.contains("default") != false
        else { return [] }
        return [
            LintRemark(
                word.position, "KEDA 2.20.0 and 2.20.1 refuse this word",
                fix: "remove strategy, which means the same in every version")
        ]
    }

    static let accurateBefore219 = LintRule(
        "SJ053", "accurate-before-2.19", .warning,
        "`accurate` before KEDA 2.19: near the maximum it makes too many Jobs."
    ) { subject in
        guard subject.job.strategy == .accurate, !subject.version.accurateComparesWithoutPending else { return [] }
        return [
            LintRemark(
                subject.job.scalingStrategy.strategy?.position ?? subject.place("scalingStrategy"),
                "KEDA \(subject.version) makes up to twice the missing Jobs while pods start and running ones are near "
                    + "maxReplicaCount (\(subject.job.maxReplicaCount?.value ?? 100))",
                fix: "update KEDA to 2.19 or later")
        ]
    }

    static let newerParameter = LintRule(
        "SJ054", "newer-parameter", .error, "RabbitMQ's user and password as parameters of their own before KEDA 2.16."
    ) { subject in
        guard subject.version.minor < 16 else { return [] }
        return subject.triggers.compactMap { trigger in
            guard case .rabbitMQ(let rabbit) = trigger.resolved.kind, rabbit.username != nil else { return nil }
            return LintRemark(
                trigger.written.position,
                "KEDA \(subject.version) ignores username and password, and asks the broker without them",
                fix: "put them into the URL, percent-encoded; or update KEDA to 2.16 or later")
        }
    }
}
