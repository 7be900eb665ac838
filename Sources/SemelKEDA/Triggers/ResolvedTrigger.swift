import Semel

/// A trigger that KEDA would take, with everything that is known of it.
public struct ResolvedTrigger: Sendable {
    /// From 0.
    public let index: Int
    /// As it is written: `rabbitmq`, `redis-cluster`.
    public let type: String
    public let name: String?
    public let position: Position
    public let kind: Kind

    public enum Kind: Sendable {
        case rabbitMQ(RabbitMQTrigger)
        /// `redis`, `redis-cluster`, `redis-sentinel`
        case redisList(RedisListTrigger)
        /// `redis-streams`, `redis-cluster-streams`, `redis-sentinel-streams`
        case redisStream(RedisStreamTrigger)
        case sqs(SQSTrigger)
        case cron(CronTrigger)
    }

    /// t: how much of the metric one Job is for, as KEDA rounds it. 0 means that this trigger never makes a Job.
    public var target: Double {
        switch kind {
        case .rabbitMQ(let trigger): GoNumbers.throughThousandths(trigger.value)
        case .redisList(let trigger): Double(trigger.listLength)
        case .redisStream(let trigger): Double(trigger.target)
        case .sqs(let trigger): Double(trigger.queueLength)
        case .cron: 1
        }
    }

    /// The metric has to be above this for the trigger to count.
    public var activation: Double {
        switch kind {
        case .rabbitMQ(let trigger): trigger.activationValue
        case .redisList(let trigger): Double(trigger.activationListLength)
        case .redisStream(let trigger): Double(trigger.activationLagCount)
        case .sqs(let trigger): Double(trigger.activationQueueLength)
        case .cron: 0
        }
    }

    /// Whether a metric of this value makes the trigger count.
    public func isActive(at value: Double) -> Bool {
        value > activation
    }

    /// What the metric counts, which decides which strategy is right.
    public var counted: Counted {
        switch kind {
        case .rabbitMQ(let trigger): trigger.counted
        case .redisList: .ready
        case .redisStream(let trigger): trigger.counted
        case .sqs(let trigger): trigger.scaleOnInFlight ? .readyAndHeld : .ready
        case .cron: .other
        }
    }

    public enum Counted: Sendable, Hashable {
        /// Messages that wait.
        case ready
        /// Messages that wait, and those that a worker has claimed and not settled.
        case readyAndHeld
        /// Messages that a worker has claimed and not settled.
        case held
        /// No number of messages, or not known here.
        case other
    }

    /// For people: `rabbitmq queue scans`.
    public var summary: String { line.onOneLine }

    private var line: String {
        switch kind {
        case .rabbitMQ(let trigger): "\(type), \(trigger.what) of queue ‘\(trigger.queueName)’"
        case .redisList(let trigger): "\(type), length of ‘\(trigger.listName)’"
        case .redisStream(let trigger): "\(type), \(trigger.what) of stream ‘\(trigger.stream)’"
        case .sqs(let trigger): "\(type), messages in queue ‘\(trigger.queueName)’"
        case .cron(let trigger): "\(type), \(trigger.desiredReplicas) from ‘\(trigger.start)’ to ‘\(trigger.end)’"
        }
    }
}

extension Manifest {
    /// A ScaledJob's trigger as KEDA understands it.
    ///
    /// - Throws: What KEDA would refuse, and what is not known here, such as a trigger of another type.
    public func resolve(_ trigger: ScaledJob.Trigger, of job: ScaledJob) throws(TriggerError) -> ResolvedTrigger {
        let parameters = try parameters(of: trigger, of: job)
        let type = trigger.type?.value ?? ""
        let kind: ResolvedTrigger.Kind
        // What is new here is in TriggerKeys as well.
        switch type {
        case "rabbitmq": kind = .rabbitMQ(try RabbitMQTrigger(parameters))
        case "redis": kind = .redisList(try RedisListTrigger(parameters, .single))
        case "redis-cluster": kind = .redisList(try RedisListTrigger(parameters, .cluster))
        case "redis-sentinel": kind = .redisList(try RedisListTrigger(parameters, .sentinel))
        case "redis-streams": kind = .redisStream(try RedisStreamTrigger(parameters, .single))
        case "redis-cluster-streams": kind = .redisStream(try RedisStreamTrigger(parameters, .cluster))
        case "redis-sentinel-streams": kind = .redisStream(try RedisStreamTrigger(parameters, .sentinel))
        case "aws-sqs-queue": kind = .sqs(try SQSTrigger(parameters))
        case "cron": kind = .cron(try CronTrigger(parameters))
        default:
            throw TriggerError(
                position: trigger.type?.position ?? trigger.position, path: "\(parameters.path).type",
                message:
                    "\(type.quoted)is not known here; known are rabbitmq, redis, redis-streams (both also with cluster "
                    + "and sentinel), aws-sqs-queue and cron")
        }
        return ResolvedTrigger(
            index: trigger.index, type: type, name: trigger.name?.value, position: trigger.position, kind: kind)
    }

    private func parameters(
        of trigger: ScaledJob.Trigger, of job: ScaledJob
    ) throws(TriggerError) -> TriggerParameters {
        let namespace = job.metadata.namespace?.value
        let template = job.job?.template
        let container = try environmentSource(of: job)
        // Variables can be many and long: they are made when they are asked for.
        let isAsked = trigger.metadata.entries.contains { $0.name.hasSuffix("FromEnv") }
        let variables = isAsked ? self.variables(of: container, namespace: namespace) : Variables()
        guard let reference = trigger.authenticationRef, let name = reference.name?.value else {
            return TriggerParameters(
                trigger: trigger, authentication: [:], environment: variables.known, hiddenSource: nil,
                hiddenVariables: variables.hidden)
        }
        let kind = reference.kind?.value ?? ""
        guard ["", "TriggerAuthentication", "ClusterTriggerAuthentication"].contains(kind) else {
            throw TriggerError(
                position: reference.kind?.position ?? trigger.position, path: reference.kind?.path ?? "",
                message: "\(kind.quoted)is not TriggerAuthentication or ClusterTriggerAuthentication")
        }
        let isClusterWide = kind == "ClusterTriggerAuthentication"
        guard
            let authentication = authentications.filter({ $0.isClusterWide == isClusterWide })
                .counting(\.metadata, name, in: isClusterWide ? nil : namespace)
        else {
            return TriggerParameters(
                trigger: trigger, authentication: [:], environment: variables.known,
                hiddenSource: "\(isClusterWide ? "Cluster" : "")TriggerAuthentication ‘\(name)’ is not in the files",
                hiddenVariables: variables.hidden)
        }
        let foreign = authentication.foreignSources.first
        return TriggerParameters(
            trigger: trigger,
            authentication: values(of: authentication, namespace: namespace, container, template),
            environment: variables.known, hiddenSource: foreign.map { "\($0) is known in the cluster only" },
            hiddenVariables: variables.hidden)
    }

    /// A container's variables, and why there may be others.
    private struct Variables {
        var known: [String: ResolvedText] = [:]
        var hidden: String?
    }

    private func variables(of container: Container?, namespace: String?) -> Variables {
        guard let container else { return Variables() }
        return Variables(
            known: environment(of: container, namespace: namespace),
            hidden: hiddenVariables(of: container, namespace: namespace))
    }

    /// The container whose variables triggers read. Init containers are not looked at.
    private func environmentSource(of job: ScaledJob) throws(TriggerError) -> Container? {
        let containers = job.job?.template?.containers ?? []
        guard let name = job.envSourceContainerName, !name.value.isEmpty else { return containers.first }
        guard let container = containers.first(where: { $0.name?.value == name.value }) else {
            throw TriggerError(
                position: name.position, path: name.path, message: "there is no container ‘\(name.value)’")
        }
        return container
    }

    /// A ClusterTriggerAuthentication's objects are in KEDA's own namespace, which is called `keda` nearly everywhere; in
    /// any other when the files have none there.
    private func objectNamespace(of authentication: TriggerAuthentication) -> String? {
        let names = authentication.secrets + authentication.configMaps
        let isThere = names.contains {
            secret($0.name, in: "keda") != nil || configMap($0.name, in: "keda") != nil
        }
        return isThere ? "keda" : nil
    }

    private func values(
        of authentication: TriggerAuthentication, namespace: String?, _ standard: Container?, _ template: PodTemplate?
    ) -> [String: ResolvedText] {
        var values: [String: ResolvedText] = [:]
        for entry in authentication.environment {
            let named = entry.containerName.flatMap { template?.container(named: $0) }
            let variables = self.variables(of: named ?? standard, namespace: namespace)
            values[entry.parameter] = variables.known[entry.variable] ?? variables.hidden.map { .unknown($0) }
        }
        let namespace = authentication.isClusterWide ? objectNamespace(of: authentication) : namespace
        for entry in authentication.configMaps {
            values[entry.parameter] = text(ofConfigMap: entry.name, key: entry.key, in: namespace)
        }
        for entry in authentication.secrets {
            values[entry.parameter] = text(ofSecret: entry.name, key: entry.key, in: namespace)
        }
        return values
    }
}
