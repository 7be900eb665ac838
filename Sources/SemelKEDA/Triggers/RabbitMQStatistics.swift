/// What the management API says of a queue, or of many queues together. What it leaves out is 0, as for a queue that is
/// younger than its first statistics.
public struct RabbitMQStatistics: Sendable, Hashable {
    /// Ready and held.
    public var messages: Int64
    public var messagesReady: Int64
    /// Messages a second.
    public var publishRate: Double
    /// Messages a second.
    public var deliverGetRate: Double

    public init(messages: Int64 = 0, messagesReady: Int64 = 0, publishRate: Double = 0, deliverGetRate: Double = 0) {
        self.messages = messages
        self.messagesReady = messagesReady
        self.publishRate = publishRate
        self.deliverGetRate = deliverGetRate
    }

    /// Many queues as one.
    ///
    /// - Parameter operation: The trigger's: `sum`, `max` or `avg`; `nil` comes back for another word, which KEDA notices
    ///   only when a queue matches.
    public init?(_ queues: [RabbitMQStatistics], operation: String) {
        self.init()
        guard !queues.isEmpty else { return }
        guard ["sum", "max", "avg"].contains(operation) else { return nil }
        for queue in queues {
            if operation == "max" {
                messages = max(messages, queue.messages)
                messagesReady = max(messagesReady, queue.messagesReady)
                publishRate = max(publishRate, queue.publishRate)
                deliverGetRate = max(deliverGetRate, queue.deliverGetRate)
            } else {
                // As in Go, where too large a sum wraps around.
                messages &+= queue.messages
                messagesReady &+= queue.messagesReady
                publishRate += queue.publishRate
                deliverGetRate += queue.deliverGetRate
            }
        }
        guard operation == "avg" else { return }
        messages /= Int64(queues.count)
        messagesReady /= Int64(queues.count)
        publishRate /= Double(queues.count)
        deliverGetRate /= Double(queues.count)
    }
}

extension RabbitMQTrigger {
    /// The metric, and whether the trigger counts. Both are the mode's own business.
    public func reading(_ queue: RabbitMQStatistics) -> (value: Double, isActive: Bool) {
        let messages = Double(excludeUnacknowledged ? queue.messagesReady : queue.messages)
        let (published, delivered) = (queue.publishRate, queue.deliverGetRate)
        switch mode {
        case .queueLength: return (messages, messages > activationValue)
        case .messageRate: return (published, published > activationValue || messages > activationValue)
        case .deliverGetRate: return (delivered, delivered > activationValue)
        case .publishedToDeliveredRatio:
            let isStuck = published > 0 && delivered == 0
            let ratio = isStuck ? activationValue : published > 0 && delivered > 0 ? published / delivered : 0
            return (ratio, isStuck || ratio > activationValue)
        case .expectedQueueConsumptionTime:
            guard delivered != 0 else { return (activationValue, true) }
            let time = (published - delivered) / delivered + messages / delivered
            return (time, time > activationValue)
        }
    }
}
