/// A trigger by itself: whether KEDA takes it, and how many messages it wants for a Job.
enum TriggerRules {
    static let all = [
        refused, unknownType, push, unknownParameter, targetOmitted, targetNotOne, targetZero, activation, rate,
    ]

    private static let knownTypes: Set = [
        "rabbitmq", "redis", "redis-cluster", "redis-sentinel", "redis-streams", "redis-cluster-streams",
        "redis-sentinel-streams", "aws-sqs-queue", "cron",
    ]

    static func isKnown(_ type: String?) -> Bool { type.map(knownTypes.contains) ?? false }

    static let refused = LintRule(
        "SJ004", "refused-trigger", .error, "A trigger that KEDA refuses: no Job is made for it."
    ) { subject in
        subject.refusals.map { error in
            LintRemark(
                error.position, "\(error.path): \(error.message)",
                fix: "KEDA leaves this trigger out of every poll until that is right")
        }
    }

    static let unknownType = LintRule(
        "SJ005", "unknown-trigger", .note, "A trigger of a type that is not known here, so that nothing is said of it."
    ) { subject in
        subject.job.triggers.compactMap { trigger in
            guard let type = trigger.type, !isKnown(type.value), !pushTypes.contains(type.value) else { return nil }
            return LintRemark(
                type.position, "what ‘\(type.value)’ counts is not known here",
                fix: "see for yourself whether held messages are counted, and take the strategy that goes with it")
        }
    }

    private static let pushTypes: Set = ["external-push"]

    static let push = LintRule(
        "SJ006", "push-trigger", .error, "A push trigger, which KEDA ignores in a ScaledJob."
    ) { subject in
        subject.job.triggers.compactMap { trigger in
            guard let type = trigger.type, pushTypes.contains(type.value) else { return nil }
            return LintRemark(
                type.position, "KEDA ignores ‘\(type.value)’ in a ScaledJob: it makes no Job, ever",
                fix: "use a trigger that is polled")
        }
    }

    static let unknownParameter = LintRule(
        "SJ007", "unknown-parameter", .warning, "A trigger's parameter that KEDA does not know: it has no effect."
    ) { subject in
        subject.triggers.flatMap { trigger -> [LintRemark] in
            guard let known = TriggerParameterNames.of(trigger.resolved.kind) else { return [] }
            return trigger.written.metadata.entries.filter { !known.contains($0.name) }.map { entry in
                LintRemark(
                    entry.text.position,
                    "‘\(entry.name)’ is no parameter of ‘\(trigger.resolved.type)’; KEDA ignores it",
                    fix: "remove it, or look for a slip of the pen: upper and lower case count")
            }
        }
    }

    /// The parameter that holds the target, and what KEDA takes without it.
    private static func target(of trigger: LintTrigger) -> (parameter: String, isWritten: Bool)? {
        switch trigger.resolved.kind {
        case .rabbitMQ(let rabbit): (rabbit.usesQueueLength ? "queueLength" : "value", rabbit.isValueWritten)
        case .redisList(let list): ("listLength", list.isLengthWritten)
        case .redisStream(let stream):
            switch stream.mode {
            case .length: ("streamLength", stream.isTargetWritten)
            case .lag: ("lagCount", stream.isTargetWritten)
            case .pending: ("pendingEntriesCount", stream.isTargetWritten)
            }
        case .sqs(let queue): ("queueLength", queue.isLengthWritten)
        case .cron: nil
        }
    }

    private static func isRate(_ trigger: LintTrigger) -> Bool {
        if case .rabbitMQ(let rabbit) = trigger.resolved.kind { rabbit.mode != .queueLength } else { false }
    }

    /// How many Jobs one poll makes of so many ready messages, when there are none yet.
    private static func firstPoll(_ messages: Double, _ trigger: LintTrigger, _ subject: LintSubject) -> Int64 {
        let rules = subject.job.rules(subject.version)
        let metric = rules.metric(
            value: messages, target: trigger.resolved.target, isActive: trigger.resolved.isActive(at: messages))
        return rules.decide([metric], running: 0, pending: 0).create
    }

    private static func jobs(_ count: Int64) -> String { count == 1 ? "1 Job" : "\(count) Jobs" }

    static let targetOmitted = LintRule(
        "SJ020", "target-omitted", .error,
        "A trigger without its target: KEDA takes 20 messages for a Job with RabbitMQ, 5 with Redis and SQS."
    ) { subject in
        subject.triggers.compactMap { trigger in
            guard let (parameter, isWritten) = target(of: trigger), !isWritten else { return nil }
            let target = GoNumbers.int64(trigger.resolved.target)
            let mode = parameter == "value" ? "mode: QueueLength and " : ""
            return LintRemark(
                trigger.written.position,
                "without \(parameter) KEDA takes \(target) messages for one Job: the first poll makes "
                    + "\(jobs(firstPoll(15, trigger, subject))) for 15 messages, and the others wait",
                fix: "write \(mode)\(parameter): \"1\"")
        }
    }

    static let targetNotOne = LintRule(
        "SJ021", "target-not-one", .warning,
        "A target other than \"1\": a worker takes one message, so there are too few Jobs or too many."
    ) { subject in
        subject.triggers.compactMap { trigger in
            let value = trigger.resolved.target
            guard let (parameter, isWritten) = target(of: trigger), isWritten, !isRate(trigger), value > 0, value != 1
            else { return nil }
            let count = jobs(firstPoll(15, trigger, subject))
            return LintRemark(
                trigger.place(parameter),
                "the first poll makes \(count) for 15 messages; a worker that takes one message and ends leaves "
                    + (value > 1 ? "the others waiting" : "the other Jobs idle"),
                fix: "write \(parameter): \"1\"")
        } + subject.job.triggers.compactMap { targetOfRefused($0, subject) }
    }

    /// A trigger that is refused for something else has its target nevertheless.
    private static func targetOfRefused(_ trigger: ScaledJob.Trigger, _ subject: LintSubject) -> LintRemark? {
        guard !subject.triggers.contains(where: { $0.resolved.index == trigger.index }) else { return nil }
        let names: [String]
        switch trigger.type?.value {
        case "rabbitmq", "aws-sqs-queue": names = ["queueLength", "value"]
        case "redis", "redis-cluster", "redis-sentinel": names = ["listLength"]
        default: return nil
        }
        guard let (name, text) = trigger.metadata.entries.first(where: { names.contains($0.name) }),
            let target = GoNumbers.jsonNumber(text.value), target > 1
        else { return nil }
        let first = GoNumbers.ceiling(15 / target)
        return LintRemark(
            text.position,
            "the first poll makes \(jobs(first)) for 15 messages; a worker that takes one message and ends leaves "
                + "the others waiting",
            fix: "write \(name): \"1\"")
    }

    static let targetZero = LintRule(
        "SJ022", "target-zero", .error, "A target that is 0, or that KEDA rounds to 0: no Job is ever made."
    ) { subject in
        subject.triggers.compactMap { trigger in
            guard let (parameter, _) = target(of: trigger), trigger.resolved.target <= 0 else { return nil }
            return LintRemark(
                trigger.place(parameter), "KEDA makes 0 Jobs of any number of messages with this target",
                fix: "write \(parameter): \"1\"")
        }
    }

    static let activation = LintRule(
        "SJ023", "activation-threshold", .warning, "An activation threshold above 0: so many messages start no Job."
    ) { subject in
        subject.triggers.compactMap { trigger in
            let threshold = trigger.resolved.activation
            guard threshold > 0 else { return nil }
            // Below 1 the first message is above it.
            let most = threshold.rounded(.down)
            guard most >= 1 else { return nil }
            let names = ["activationValue", "activationListLength", "activationLagCount", "activationQueueLength"]
            let name = names.first { trigger.written.metadata[$0] != nil } ?? names[0]
            return LintRemark(
                trigger.place(name),
                "up to \(most < 1e15 ? "\(GoNumbers.int64(most))" : "any number of") "
                    + "\(most < 2 ? "message waits" : "messages wait") for ever, until more come",
                fix: "remove \(name)")
        }
    }

    static let rate = LintRule(
        "SJ024", "rate-trigger", .warning, "A RabbitMQ trigger that counts something else than messages."
    ) { subject in
        subject.triggers.compactMap { trigger in
            guard case .rabbitMQ(let rabbit) = trigger.resolved.kind, isRate(trigger) else { return nil }
            return LintRemark(
                trigger.place("mode"),
                "‘\(rabbit.mode.rawValue)’ is no number of messages: messages that wait while none arrives start no Job",
                fix: "write mode: QueueLength and value: \"1\"")
        }
    }
}
