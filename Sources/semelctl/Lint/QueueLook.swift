import Logging
import Semel
import SemelKEDA
import SemelQueues
import SemelRabbitMQ
import SemelRedis
import SemelSQS

/// What `semelctl lint --queue` finds out about a queue, without touching a message.
enum QueueLook {
    static func facts(_ address: QueueAddress) async throws(CommandFailure) -> QueueFacts {
        switch address {
        case .rabbitMQ(let rabbitMQ): return try await facts(rabbitMQ)
        case .redis(let redis):
            let kind: QueueFacts.Kind = redis.isStream ? .redisStream : .redisList
            return try await facts(QueueFacts(kind, queue: redis.key), address)
        case .sqs(let sqs):
            return try await facts(QueueFacts(.sqs, queue: sqs.queueName), address)
        case .spool:
            throw .misconfigured("--queue: KEDA cannot count a spool; name a queue of RabbitMQ, Redis or SQS")
        }
    }

    private static func facts(_ known: QueueFacts, _ address: QueueAddress) async throws(CommandFailure) -> QueueFacts {
        var facts = known
        do throws(CommandFailure) {
            facts.dead = try await counts(address).dead
        } catch {
            // A key of another type is what the linter has to tell; a server that is not there is not.
            guard error.outcome == .misconfigured else { throw error }
            facts.trouble = error.description
        }
        return facts
    }

    private static func counts(_ address: QueueAddress) async throws(CommandFailure) -> QueueCounts {
        let inspector: any QueueInspector
        do throws(SystemError) { inspector = try address.inspector(log: .silent) } catch { throw CommandFailure(error) }
        let counts: QueueCounts
        do throws(QueueFailure) {
            counts = try await inspector.counts()
        } catch {
            await inspector.close()
            throw CommandFailure(error)
        }
        await inspector.close()
        return counts
    }

    private static func facts(_ address: RabbitMQAddress) async throws(CommandFailure) -> QueueFacts {
        var facts = QueueFacts(.rabbitMQ, queue: address.queue)
        let describer: RabbitMQDescriber
        do throws(SystemError) { describer = try RabbitMQDescriber(address) } catch { throw CommandFailure(error) }
        let seen: RabbitMQDescription
        do throws(QueueFailure) {
            seen = try await describer.describe()
        } catch {
            guard error.outcome == .misconfigured else { throw CommandFailure(error) }
            facts.trouble = error.reason
            return facts
        }
        facts.serverVersion = seen.serverVersion
        facts.type = seen.type
        facts.deliveryLimit = known(seen.deliveryLimit) { Int($0) }
        facts.deadLetterExchange = known(seen.deadLetterExchange) { $0 }
        facts.consumerTimeout = known(seen.consumerTimeout) { Int($0) }
        return facts
    }

    private static func known<Value>(
        _ argument: RabbitMQDescription.Argument, _ read: (String) -> Value?
    ) -> QueueFacts.Known<Value>? {
        switch argument {
        case .unknown: nil
        case .absent: .absent
        case .value(let text): read(text).map { .value($0) }
        }
    }
}
