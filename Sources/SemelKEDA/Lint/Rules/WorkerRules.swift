import Semel

/// Settings of semel's that do not fit the rest of the file.
enum WorkerRules {
    static let all = [acknowledgementTimeout, waitsForever, refusedSetting, anotherQueue, claimCeiling]

    static let acknowledgementTimeout = LintRule(
        "SJ090", "acknowledgement-timeout", .warning,
        "A task on RabbitMQ that may run longer than the broker waits for its acknowledgement (30 minutes)."
    ) { subject in
        guard let worker = subject.worker, takes(subject, from: .rabbitMQ), !worker.isHidden("SEMEL_TIMEOUT"),
            worker.text("SEMEL_DELIVERY") != "at-most-once", let limit = BrokerTimeout(subject.queue)
        else { return [] }
        let timeout = worker.timeout
        guard timeout.map({ $0 >= limit.duration }) ?? true else { return [] }
        let task = timeout.map { "a task of up to \(Units.text($0))" } ?? "a task without SEMEL_TIMEOUT"
        return [
            LintRemark(
                worker.place("SEMEL_TIMEOUT"),
                "\(limit.who) takes a message back after \(Units.text(limit.duration)): \(task) is stopped then, and begins "
                    + "again elsewhere",
                fix: "raise \(limit.setting), or write a SEMEL_TIMEOUT below \(Units.text(limit.duration))")
        ]
    }

    private static func takes(_ subject: LintSubject, from kind: QueueFacts.Kind) -> Bool {
        if let queue = subject.worker?.queue { return queue.kind == kind }
        return subject.triggers.contains { $0.broker == kind }
    }

    /// How long RabbitMQ waits for an acknowledgement.
    private struct BrokerTimeout {
        var duration = Duration.seconds(1_800)
        var who = "RabbitMQ"
        var setting =
            "consumer_timeout in rabbitmq.conf (every version) or the queue's x-consumer-timeout (3.12 and later)"

        /// `nil` when it waits for ever.
        init?(_ queue: QueueFacts?) {
            guard let queue, queue.kind == .rabbitMQ else { return }
            who = queue.serverVersion.map { "RabbitMQ \($0)" } ?? who
            guard let (major, minor) = queue.serverRelease else { return }
            // From 4.3 on classic queues do not have one.
            if (major, minor) >= (4, 3), queue.type == "classic" { return nil }
            guard (major, minor) >= (3, 12) else {
                setting = "consumer_timeout in rabbitmq.conf (before 3.12 the queue's x-consumer-timeout has no effect)"
                return
            }
            if case .value(let milliseconds) = queue.consumerTimeout { duration = .milliseconds(milliseconds) }
        }
    }

    static let waitsForever = LintRule(
        "SJ091", "waits-forever", .warning,
        "SEMEL_WAIT=forever: a Job that finds no message never ends. SEMEL_MAX_MESSAGES=0: none does."
    ) { subject in
        guard let worker = subject.worker else { return [] }
        let limit = "counts against maxReplicaCount (\(subject.job.maxReplicaCount?.value ?? 100))"
        if worker.text("SEMEL_MAX_MESSAGES") == "0" {
            return [
                LintRemark(
                    worker.place("SEMEL_MAX_MESSAGES"),
                    "a long-lived worker waits for a message after the other: its Job never ends and \(limit)",
                    fix: "leave SEMEL_MAX_MESSAGES out, or scale a Deployment by a ScaledObject")
            ]
        }
        guard worker.text("SEMEL_WAIT") == "forever" else { return [] }
        return [
            LintRemark(
                worker.place("SEMEL_WAIT"), "each Job too many stays until a message comes and \(limit)",
                fix: "write SEMEL_WAIT: 10s")
        ]
    }

    static let refusedSetting = LintRule(
        "SJ092", "refused-setting", .error, "A setting that semel refuses: every worker ends with exit code 78."
    ) { subject in
        guard let worker = subject.worker else { return [] }
        let durations: [(name: String, word: String?)] = [
            ("SEMEL_TIMEOUT", "none"), ("SEMEL_GRACE", nil), ("SEMEL_WAIT", "forever"), ("SEMEL_LINGER", nil),
            ("SEMEL_LEASE", nil),
        ]
        let words: [(name: String, known: [String])] = [
            ("SEMEL_DELIVERY", ["at-least-once", "at-most-once"]), ("SEMEL_ON_TERM", ["stop", "finish"]),
            ("SEMEL_ON_LOST", ["stop", "finish"]), ("SEMEL_INPUT", ["stdin", "file", "none"]),
            ("SEMEL_RESULT", ["none", "stdout"]), ("SEMEL_DEAD_LETTER", ["queue", "broker"]),
        ]
        var remarks = durations.compactMap { setting -> LintRemark? in
            guard let text = worker.text(setting.name), text != setting.word, Units.duration(text) == nil else {
                return nil
            }
            return refusal(worker, setting.name, "is not a duration", fix: "write 500ms, 10s, 5m or 2h")
        }
        remarks += words.compactMap { setting in
            guard let text = worker.text(setting.name), !setting.known.contains(text) else { return nil }
            return refusal(
                worker, setting.name, "is not one of its words", fix: "write \(setting.known.joined(separator: " or "))"
            )
        }
        return remarks
    }

    /// What is written may be anything, so it is not repeated.
    private static func refusal(_ worker: WorkerSettings, _ name: String, _ what: String, fix: String) -> LintRemark {
        LintRemark(
            worker.place(name),
            "\(name) \(what): every worker ends at once with exit code 78, and a Job is made for its "
                + "message again and again", fix: fix)
    }

    static let anotherQueue = LintRule(
        "SJ093", "another-queue", .error,
        "Triggers that count another queue than the worker takes from: another name, region, virtual host, database or "
            + "consumer group; or the same server with TLS here and without there."
    ) { subject in
        guard let queue = subject.worker?.queue, subject.isWhole else { return [] }
        let counted = subject.triggers.filter { $0.broker == queue.kind }
        let names = counted.compactMap { trigger -> String? in
            if case .rabbitMQ(let rabbit) = trigger.resolved.kind, rabbit.useRegex { return nil }
            return trigger.queueName
        }
        guard names.count == counted.count, !names.isEmpty else { return [] }
        guard !names.contains(queue.name) else { return elsewhere(queue, counted) }
        return [
            LintRemark(
                queue.position,
                "the worker takes from ‘\(queue.name)’, KEDA counts ‘\(names.joined(separator: "’ and ‘"))’: messages in the "
                    + "one make 0 Jobs, Jobs for the other find nothing",
                fix: "name the same queue in both places")
        ]
    }

    /// Of a queue whose name is counted.
    private static func elsewhere(_ queue: WorkerQueue, _ triggers: [LintTrigger]) -> [LintRemark] {
        let differences = triggers.filter { $0.queueName == queue.name }.map {
            queue.place.difference(from: QueuePlace($0.resolved))
        }
        guard !differences.contains(where: { $0 == nil }), case (let own, let other)?? = differences.first else {
            return []
        }
        return [
            LintRemark(
                queue.position,
                "the worker takes from ‘\(queue.name)’ in \(own), KEDA counts it in \(other): messages in the one make 0 "
                    + "Jobs, Jobs for the other find nothing",
                fix: "name the same in both places")
        ]
    }

    /// Source: Amazon SQS API Reference, ChangeMessageVisibility.
    static let claimCeiling = LintRule(
        "SJ094", "claim-ceiling", .warning,
        "A task on SQS that may run longer than SQS hides a message (12 hours)."
    ) { subject in
        let ceiling = Duration.seconds(43_200)
        guard let worker = subject.worker, takes(subject, from: .sqs), !worker.losesOnCrash,
            let timeout = worker.timeout,
            timeout >= ceiling
        else { return [] }
        return [
            LintRemark(
                worker.place("SEMEL_TIMEOUT"),
                "SQS gives a message away after \(Units.text(ceiling)), however often its claim is extended: a task of up to "
                    + "\(Units.text(timeout)) is stopped then with exit code 76, and begins again elsewhere",
                fix: "write a SEMEL_TIMEOUT below \(Units.text(ceiling)), such as 11h, or cut the task in two")
        ]
    }
}
