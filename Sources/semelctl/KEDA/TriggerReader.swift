import Semel
import SemelKEDA
import SemelRabbitMQ

/// What a trigger reads at this moment.
struct TriggerReading: Sendable {
    let value: Double
    /// By the scaler's own rule.
    let isActive: Bool
}

/// Reads the real queues as KEDA's scalers do.
enum TriggerReader {
    static func read(_ trigger: ResolvedTrigger) async throws(CommandFailure) -> TriggerReading {
        switch trigger.kind {
        case .rabbitMQ(let rabbitMQ):
            let host = try known(rabbitMQ.host, "host", trigger)
            if let (name, reason) = rabbitMQ.unknownParameters.min(by: { $0.key < $1.key }) {
                throw unreadable(trigger, "\(name) is not known: \(reason)")
            }
            guard rabbitMQ.protocol == .http else { return try await readAMQP(rabbitMQ, host, trigger) }
            let statistics = try await RabbitMQManagement(rabbitMQ, host: host, trigger).statistics()
            let reading = rabbitMQ.reading(statistics)
            return TriggerReading(value: reading.value, isActive: reading.isActive)
        case .redisList(let redis):
            return reading(try await RedisCount(redis, trigger).read(), trigger)
        case .redisStream(let redis):
            return reading(try await RedisCount(redis, trigger).read(), trigger)
        case .sqs(let sqs):
            return reading(try await SQSCount(sqs, trigger).read(), trigger)
        case .cron:
            throw unreadable(trigger, "a trigger of type \(trigger.type) cannot be read yet")
        }
    }

    private static func reading(_ count: Int64, _ trigger: ResolvedTrigger) -> TriggerReading {
        TriggerReading(value: Double(count), isActive: trigger.isActive(at: Double(count)))
    }

    /// A passive declaration: messages that are ready, and no others.
    private static func readAMQP(
        _ rabbitMQ: RabbitMQTrigger, _ host: String, _ trigger: ResolvedTrigger
    ) async throws(CommandFailure) -> TriggerReading {
        let user = try rabbitMQ.username.map { text throws(CommandFailure) in try known(text, "username", trigger) }
        let password = try rabbitMQ.password.map { text throws(CommandFailure) in try known(text, "password", trigger) }
        let isEncrypted = host.lowercased().hasPrefix("amqps:")
        var files: [FileInMemory] = []
        defer { withExtendedLifetime(files) {} }
        var options = isEncrypted ? try TriggerTLS(rabbitMQ, trigger).options(&files) : [:]
        options["queue"] = rabbitMQ.queueName
        let address: RabbitMQAddress
        do throws(ConfigurationError) {
            let url = try QueueURL(host, source: source(trigger))
            let who = try url.credentials.current()
            address = try RabbitMQAddress(
                QueueURL(
                    scheme: url.scheme,
                    credentials: QueueCredentials(
                        user: user ?? who.user, password: password ?? who.password, source: url.source),
                    hosts: url.hosts.isEmpty ? [QueueURL.Host(name: "localhost", port: nil)] : url.hosts,
                    path: rabbitMQ.vhostName.map { "/\($0)" } ?? url.path,
                    options: options, source: url.source))
        } catch {
            // What the URL has may be of a Secret, and its options are not KEDA's alone.
            throw unreadable(
                trigger,
                "the host cannot be read; it has to be like amqp\(isEncrypted ? "s" : "")://user:password@host:5672/vhost, "
                    + "special characters percent-encoded, without options")
        }
        let inspector: RabbitMQInspector
        do throws(SystemError) { inspector = try RabbitMQInspector(address) } catch { throw CommandFailure(error) }
        let messages: Double
        do throws(QueueFailure) { messages = Double(try await inspector.ready()) } catch {
            await inspector.close()
            let reason = files.reduce(error.reason) { $0.replacing($1.path, with: $1.name) }
            throw CommandFailure("\(reason)\(advice(trigger, error.outcome))".onOneLine, error.outcome)
        }
        await inspector.close()
        return TriggerReading(value: messages, isActive: trigger.isActive(at: messages))
    }

    /// A parameter's text, when the files have it.
    static func known(_ text: ResolvedText, _ name: String, _ trigger: ResolvedTrigger) throws(CommandFailure) -> String
    {
        switch text {
        case .known(let text): return text.revealed
        case .unknown(let reason): throw unreadable(trigger, "\(name) is not known: \(reason)")
        }
    }

    static func unreadable(_ trigger: ResolvedTrigger, _ reason: String) -> CommandFailure {
        CommandFailure(
            "\(source(trigger)): \(reason); give it with --metric \(trigger.index)=VALUE".onOneLine, .misconfigured)
    }

    static func unreachable(_ trigger: ResolvedTrigger, _ reason: String, _ outcome: Outcome = .unreachable)
        -> CommandFailure
    {
        CommandFailure("\(source(trigger)): \(reason)\(advice(trigger, outcome))".onOneLine, outcome)
    }

    /// What cannot be reached from here may not be reached by KEDA either: then the others decide.
    private static func advice(_ trigger: ResolvedTrigger, _ outcome: Outcome) -> String {
        outcome == .misconfigured ? "" : "; KEDA leaves out a trigger that fails: --failed \(trigger.index)"
    }

    private static func source(_ trigger: ResolvedTrigger) -> String {
        "\(trigger.position): spec.triggers[\(trigger.index)]"
    }
}
