/// What the queue of `--queue` itself shows.
enum QueueRules {
    static let all = [notThere, notCounted, classic, deliveryLimit, stream]

    private static func place(_ subject: LintSubject, _ queue: QueueFacts) -> Position {
        guard let trigger = subject.trigger(counting: queue) else { return subject.place("triggers") }
        return trigger.place(queue.kind.parameter)
    }

    static let notThere = LintRule(
        "SJ100", "queue-not-there", .error,
        "The queue of `--queue` cannot be counted: it is not there, or is a key of another type.",
        queue: { subject, queue in
            guard let trouble = queue.trouble else { return [] }
            return [
                LintRemark(
                    place(subject, queue), "KEDA cannot count ‘\(queue.queue)’, and makes 0 Jobs: \(trouble)",
                    fix: queue.kind == .rabbitMQ || queue.kind == .sqs
                        ? "make the queue before the ScaledJob: semelctl enqueue --declare"
                        : "use a key of the type that the URL and the trigger say")
            ]
        })

    static let notCounted = LintRule(
        "SJ101", "queue-not-counted", .warning, "No trigger counts the queue of `--queue`.",
        queue: { subject, queue in
            guard subject.trigger(counting: queue) == nil, subject.isWhole else {
                return []
            }
            return [
                LintRemark(
                    subject.place("triggers"),
                    "no trigger counts ‘\(queue.queue)’ of \(queue.kind.server): its messages make 0 Jobs",
                    fix: "name it in a trigger, or lint with another --queue")
            ]
        })

    static let classic = LintRule(
        "SJ102", "classic-queue", .warning, "A classic RabbitMQ queue, which does not count deliveries.",
        queue: { subject, queue in
            guard queue.type == "classic" else { return [] }
            return [
                LintRemark(
                    place(subject, queue),
                    "‘\(queue.queue)’ is a classic queue: it tells only that a message came before, so a message that kills "
                        + "its workers is counted by one run more for each crash, or by nobody",
                    fix: "use a quorum queue (x-queue-type: quorum)")
            ]
        })

    static let deliveryLimit = LintRule(
        "SJ103", "delivery-limit", .warning,
        "A quorum queue that drops a message after so many returns, since it has a delivery limit and no dead letter exchange.",
        queue: { subject, queue in
            guard queue.type == "quorum", queue.deadLetterExchange == .absent,
                let (limit, why) = limit(of: queue)
            else { return [] }
            return [
                LintRemark(
                    place(subject, queue),
                    "‘\(queue.queue)’ drops a message that has been handed back more than \(limit) times (\(why)), and has no "
                        + "dead letter exchange that would keep it",
                    fix: "give it x-dead-letter-exchange, by a policy if it exists; or x-delivery-limit: -1, since the "
                        + "worker counts attempts")
            ]
        })

    private static func limit(of queue: QueueFacts) -> (Int, String)? {
        switch queue.deliveryLimit {
        case .value(let limit): limit < 0 ? nil : (limit, "x-delivery-limit")
        case .absent:
            (queue.serverRelease?.major ?? 0) >= 4 ? (20, "RabbitMQ's own limit from 4.0 on") : nil
        case nil: nil
        }
    }

    static let stream = LintRule(
        "SJ105", "stream-queue", .error, "A RabbitMQ stream, whose messages are never taken off.",
        queue: { subject, queue in
            guard queue.type == "stream" else { return [] }
            return [
                LintRemark(
                    place(subject, queue),
                    "‘\(queue.queue)’ is a stream: acknowledged messages stay in it and are counted for ever, in every poll",
                    fix: "use a quorum queue")
            ]
        })
}
