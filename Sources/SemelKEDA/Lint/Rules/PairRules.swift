/// What a trigger counts and which strategy it is given to.
///
/// | counted | right strategy |
/// |---|---|
/// | ready | `accurate` with `pendingPodConditions: [Ready]`, and a readiness that means "has claimed" |
/// | ready and held | `default`, that is none |
enum PairRules {
    static let all = [
        flooding, starving, claimRace, eager, custom, customWithoutDeduction, conditionWithoutProbe,
        conditionWithoutEffect, staleStatistics, unknownProtocol, conditionWithoutMeaning,
    ]

    private static func strategyPlace(_ subject: LintSubject) -> Position {
        subject.job.scalingStrategy.strategy?.position ?? subject.place("scalingStrategy")
    }

    /// With the numbers, where they show what is said.
    private static func numbers(_ story: LintStory?) -> String { story?.floods ?? "" }

    static let flooding = LintRule(
        "SJ010", "flooding-pair", .error,
        "`accurate` or `eager` on a count that includes held messages: every poll takes them for new ones."
    ) { subject in
        guard subject.count == .readyAndHeld, [.accurate, .eager].contains(subject.job.strategy) else { return [] }
        let problem =
            "‘\(subject.job.strategy.name)’ makes Jobs for messages that workers hold already, in every poll"
            + numbers(subject.story())
        return [
            LintRemark(
                strategyPlace(subject), problem,
                fix: "remove strategy: the default takes the unfinished Jobs off, which is right for this count")
        ]
    }

    static let starving = LintRule(
        "SJ011", "starving-pair", .error,
        "The default strategy on a count of waiting messages only: a new message waits for an old task to end."
    ) { subject in
        guard subject.count == .ready, subject.job.strategy == .standard else { return [] }
        return [
            LintRemark(
                strategyPlace(subject),
                "the default strategy takes running Jobs off the messages that wait, so that new ones wait for tasks to "
                    + "end\(subject.story()?.waits ?? "")",
                fix: leases(subject)
                    ?? "write strategy: accurate and pendingPodConditions: [Ready], with a readinessProbe that says when "
                    + "a message is claimed (semel's /readyz); or count held messages, too")
        ]
    }

    /// semel keeps what it holds of a list where it can be counted, which is better than not to count it.
    private static func leases(_ subject: LintSubject) -> String? {
        guard let worker = subject.worker, !worker.losesOnCrash, subject.triggers.count == 1,
            let list = subject.triggers.first?.listName
        else { return nil }
        return SeveralTriggersRules.addLeases(of: list)
    }

    static let claimRace = LintRule(
        "SJ012", "claim-race", .warning,
        "`accurate` on a count of waiting messages without `pendingPodConditions`: a pod that runs but has not claimed yet "
            + "counts for nothing."
    ) { subject in
        guard subject.count == .ready, subject.job.strategy == .accurate,
            subject.job.scalingStrategy.pendingPodConditions.isEmpty
        else { return [] }
        return [
            LintRemark(
                strategyPlace(subject), slowStart(subject),
                fix: "write pendingPodConditions: [Ready], with a readinessProbe that says when a message is claimed "
                    + "(semel's /readyz)")
        ]
    }

    /// A worker that needs a little longer than a poll to claim.
    private static func slowStart(_ subject: LintSubject) -> String {
        let poll = subject.job.pollingSeconds
        let claimAfter = poll + 5 - LintSubject.pendingSeconds
        return "a poll between a pod's start and its claim makes a second Job for the same message"
            + numbers(subject.story(claimAfter: claimAfter)).replacing("make about", with: "then make about")
            + " (claimed \(poll + 5) s after the Job is made, polled every \(poll) s)"
    }

    static let eager = LintRule(
        "SJ013", "eager-strategy", .warning, "`eager` on a count of waiting messages: it doubles Jobs while they start."
    ) { subject in
        guard subject.count == .ready, subject.job.strategy == .eager else { return [] }
        return [
            LintRemark(
                strategyPlace(subject),
                "‘eager’ counts pending Jobs twice and held messages never; \(slowStart(subject))",
                fix: "write strategy: accurate and pendingPodConditions: [Ready]")
        ]
    }

    static let custom = LintRule(
        "SJ014", "custom-strategy", .warning,
        "`custom`: no pair of its numbers fits workers that take one message each."
    ) { subject in
        guard case .custom(let deduction, let percentage) = subject.job.strategy else { return [] }
        let room = subject.job.limits.room
        let formula = "messages - \(deduction ?? 0) - \(percentage) × running Jobs"
        return [
            LintRemark(
                strategyPlace(subject),
                "‘custom’ makes \(formula) in each poll, whether a pod has claimed or not, and up to \(room) at a time "
                    + "beside those that run\(subject.isWhole ? numbers(subject.story()) : "")",
                fix:
                    "write strategy: accurate and pendingPodConditions: [Ready] where waiting messages are counted, and "
                    + "no strategy where held ones are, too")
        ]
    }

    static let customWithoutDeduction = LintRule(
        "SJ015", "custom-without-deduction", .error,
        "`custom` without `customScalingQueueLengthDeduction` before KEDA 2.20.2: the operator panics."
    ) { subject in
        guard case .custom(nil, _) = subject.job.strategy, !subject.version.toleratesMissingDeduction else { return [] }
        return [
            LintRemark(
                strategyPlace(subject),
                "the operator of KEDA \(subject.version) panics in every poll, and no ScaledJob of the cluster is served",
                fix: "write customScalingQueueLengthDeduction: 0, or another strategy")
        ]
    }

    static let conditionWithoutProbe = LintRule(
        "SJ016", "condition-without-probe", .warning,
        "`pendingPodConditions: [Ready]` without a readiness probe that says when a message is claimed."
    ) { subject in
        guard let condition = subject.job.scalingStrategy.pendingPodConditions.first(where: { $0.value == "Ready" }),
            subject.job.strategy == .accurate || subject.job.strategy == .eager, let pod = subject.pod
        else { return [] }
        let fix =
            "give the worker a readinessProbe that succeeds once a message is claimed: semel's is httpGet /readyz "
            + "on port 8082, periodSeconds 1"
        if pod.containers.allSatisfy({ $0.readinessProbe == nil }) {
            return [
                LintRemark(
                    condition.position,
                    "without a readinessProbe a pod is Ready as soon as it runs, so the condition says nothing; "
                        + slowStart(subject), fix: fix)
            ]
        }
        guard let worker = subject.worker, let probe = worker.container.readinessProbe,
            worker.tellsOfClaim(probe) == false
        else { return [] }
        let what = if case .httpGet(let path, _, _) = probe.action { "‘\(path)’" } else { "a port that is open" }
        return [
            LintRemark(
                probe.position,
                "\(what) does not say when a message is claimed; \(slowStart(subject))", fix: fix)
        ]
    }

    static let conditionWithoutEffect = LintRule(
        "SJ017", "condition-without-effect", .note,
        "`pendingPodConditions` with a strategy that does not look at pending Jobs."
    ) { subject in
        guard let condition = subject.job.scalingStrategy.pendingPodConditions.first else { return [] }
        switch subject.job.strategy {
        case .accurate, .eager: return []
        case .standard, .custom:
            return [
                LintRemark(
                    condition.position,
                    "‘\(subject.job.strategy.name)’ does not look at pending Jobs: it has no effect",
                    fix: "remove it")
            ]
        }
    }

    static let staleStatistics = LintRule(
        "SJ018", "stale-statistics", .warning,
        "RabbitMQ over HTTP, whose numbers are 4 to 10 s old, with workers that leave at once."
    ) { subject in
        guard let trigger = subject.triggers.first(where: { $0.isStale && $0.counted != .other }) else { return [] }
        let isAccurate = subject.count == .ready && subject.job.strategy == .accurate
        guard isAccurate || (subject.count == .readyAndHeld && subject.job.strategy == .standard) else { return [] }
        if isAccurate {
            return [
                LintRemark(
                    trigger.written.position,
                    "the numbers are 4 to 10 s old: a message that is claimed still waits in them, and its Job is no "
                        + "longer pending\(numbers(subject.story()))",
                    fix: "write protocol: amqp, whose numbers are exact; or count held messages, without strategy")
            ]
        }
        guard subject.worker == nil || (subject.worker?.linger ?? .zero) < .seconds(10) else { return [] }
        return [
            LintRemark(
                subject.worker?.place("SEMEL_LINGER") ?? trigger.written.position,
                "the numbers are 4 to 10 s old: a worker that leaves at once is replaced for a message that is done"
                    + numbers(subject.story()),
                fix: "let workers stay for 10 s after the acknowledgement (SEMEL_LINGER=10s); or write protocol: amqp "
                    + "with strategy accurate")
        ]
    }

    static let unknownProtocol = LintRule(
        "SJ019", "unknown-protocol", .note,
        "A RabbitMQ trigger whose protocol is in a URL that is in the cluster: what it counts is not known here."
    ) { subject in
        subject.triggers.filter(\.hasUnknownProtocol).map { trigger in
            LintRemark(
                trigger.written.position,
                "KEDA takes the protocol from a URL that is not in these files: amqp counts waiting messages, http also "
                    + "held ones, and each needs another strategy",
                fix: "write protocol: amqp or protocol: http")
        }
    }

    /// Of a pod that a node has taken, long before its worker claims.
    private static let early: Set = ["PodScheduled", "Initialized", "PodReadyToStartContainers"]
    private static let late: Set = ["Ready", "ContainersReady", "DisruptionTarget"]

    static let conditionWithoutMeaning = LintRule(
        "SJ035", "condition-without-meaning", .warning,
        "`pendingPodConditions` that no pod ever has, or that it has long before a message is claimed."
    ) { subject in
        let conditions = subject.job.scalingStrategy.pendingPodConditions
        guard subject.count == .ready, subject.job.strategy == .accurate || subject.job.strategy == .eager,
            let first = conditions.first
        else { return [] }
        // A condition of somebody's own has a domain before it.
        if let unknown = conditions.first(where: { word in
            !early.contains(word.value) && !late.contains(word.value) && !word.value.contains("/")
        }) {
            return [
                LintRemark(
                    unknown.position,
                    "no pod ever has the condition ‘\(unknown.value)’: a Job is pending until it ends, and a new message "
                        + "waits for an old task to end",
                    fix: "write pendingPodConditions: [Ready]; upper and lower case count")
            ]
        }
        guard conditions.allSatisfy({ early.contains($0.value) }) else { return [] }
        return [
            LintRemark(
                first.position,
                "a pod has ‘\(first.value)’ before its worker runs, so the condition says nothing; \(slowStart(subject))",
                fix: "write pendingPodConditions: [Ready], with a readinessProbe that says when a message is claimed "
                    + "(semel's /readyz)")
        ]
    }
}
