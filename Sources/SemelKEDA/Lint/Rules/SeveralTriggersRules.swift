/// Triggers that belong together: what is ready in one place and held in another, several queues, a stream's two counts.
enum SeveralTriggersRules {
    static let all = [inFlightMissing, countsApart, oneQueueAtATime, pendingAlone, lagAlone]

    static let inFlightMissing = LintRule(
        "SJ030", "in-flight-trigger-missing", .warning,
        "A Redis list without a second trigger on what workers hold: after a crash no Job is made for the message."
    ) { subject in
        guard subject.worker?.losesOnCrash != true, !subject.triggers.contains(where: { $0.counted == .held }) else {
            return []
        }
        return subject.triggers.compactMap { trigger in
            guard case .redisList(let list) = trigger.resolved.kind else { return nil }
            guard subject.worker != nil else {
                return LintRemark(
                    trigger.written.position,
                    "a message that a worker has popped is in no count: when the worker dies, 0 Jobs are made for it, and "
                        + "with LPOP it is lost",
                    fix: "let workers keep what they hold in a second key with a trigger of its own and "
                        + "multipleScalersCalculation: sum (semel does: \(leases(of: list.listName)))")
            }
            return LintRemark(
                trigger.written.position,
                "a message whose worker died is in ‘\(leases(of: list.listName))’, which no trigger counts: 0 Jobs are "
                    + "made for it until another message comes",
                fix: addLeases(of: list.listName))
        }
    }

    static func addLeases(of list: String) -> String {
        "add a trigger on listName: \"\(leases(of: list))\" with listLength: \"1\", write "
            + "multipleScalersCalculation: sum, and remove strategy"
    }

    /// Where semel keeps the leases of a list.
    static func leases(of list: String) -> String {
        // A hash tag of its own keeps it in its slot.
        if let open = list.firstIndex(of: "{"), let close = list[open...].firstIndex(of: "}"),
            list.index(after: open) != close
        {
            return "\(list):leases"
        }
        return "{\(list)}:leases"
    }

    static let countsApart = LintRule(
        "SJ031", "counts-apart", .error,
        "Waiting messages by one trigger and held ones by another, but not summed: new messages wait for old tasks."
    ) { subject in
        guard subject.count == .apart else { return [] }
        // Another word is refused, which has been said.
        let written = subject.job.scalingStrategy.multipleScalersCalculation?.value ?? ""
        guard written.isEmpty || CombinationRule(rawValue: written) != nil else { return [] }
        let word = CombinationRule(subject.job.scalingStrategy.multipleScalersCalculation?.value).rawValue
        return [
            LintRemark(
                subject.job.scalingStrategy.multipleScalersCalculation?.position ?? subject.place("scalingStrategy"),
                "with ‘\(word)’ only one of waiting and held messages is counted"
                    + (subject.story()?.waits ?? ""),
                fix: "write multipleScalersCalculation: sum, and no strategy")
        ]
    }

    static let oneQueueAtATime = LintRule(
        "SJ032", "one-queue-at-a-time", .warning,
        "Several queues that are not summed: the Jobs are for one of them only."
    ) { subject in
        let counting = subject.triggers.filter { $0.counted == .ready || $0.counted == .readyAndHeld }
        let rule = CombinationRule(subject.job.scalingStrategy.multipleScalersCalculation?.value)
        guard Set(counting.compactMap(\.queueName)).count > 1, subject.count != .apart, rule != .sum else { return [] }
        let rules = subject.job.rules(subject.version)
        let metrics = counting.map { trigger in
            rules.metric(value: 10, target: trigger.resolved.target, isActive: trigger.resolved.isActive(at: 10))
        }
        let created = rules.decide(metrics, running: 0, pending: 0).create
        return [
            LintRemark(
                subject.job.scalingStrategy.multipleScalersCalculation?.position ?? subject.place("triggers"),
                "with ‘\(rule.rawValue)’ \(counting.count) queues with 10 messages each make \(created) Jobs in a poll, not "
                    + "\(counting.count * 10)",
                fix: "write multipleScalersCalculation: sum; or one ScaledJob for each queue")
        ]
    }

    static let pendingAlone = LintRule(
        "SJ033", "pending-entries-alone", .error,
        "A stream's pending entries or a list of held messages alone: no waiting message counts, so nothing ever starts."
    ) { subject in
        guard subject.count == .held else { return [] }
        return subject.triggers.compactMap { trigger in
            guard trigger.counted == .held else { return nil }
            return LintRemark(
                trigger.written.position,
                "only messages that a worker holds are counted: from zero, any number of waiting ones makes 0 Jobs",
                fix: trigger.listName == nil
                    ? "count waiting ones, too: streamLength: \"1\" without consumerGroup where workers delete what is "
                        + "done; or a second trigger, and multipleScalersCalculation: sum"
                    : "count waiting ones, too: a second trigger on the list that workers take from, and "
                        + "multipleScalersCalculation: sum")
        }
    }

    static let lagAlone = LintRule(
        "SJ034", "lag-alone", .warning,
        "A Redis stream's `lagCount` alone: an entry whose worker died is in no count; and Redis may not know the lag."
    ) { subject in
        guard !subject.triggers.contains(where: { $0.counted == .held }) else { return [] }
        return subject.triggers.compactMap { trigger in
            guard case .redisStream(let stream) = trigger.resolved.kind, stream.mode == .lag else { return nil }
            return LintRemark(
                trigger.place("lagCount"),
                "an entry whose worker died makes 0 Jobs; after an unread entry is deleted, or with a group that begins in "
                    + "the middle, the whole stream makes 0 Jobs",
                fix: "use streamLength: \"1\" without consumerGroup where workers delete what is done; or a second "
                    + "trigger with pendingEntriesCount: \"1\", and multipleScalersCalculation: sum")
        }
    }
}
