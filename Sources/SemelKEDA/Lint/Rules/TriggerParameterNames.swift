/// The parameters that KEDA reads from a trigger's metadata. Each may also end in `FromEnv`, where it can be a secret.
enum TriggerParameterNames {
    /// `nil` when not all of them are known.
    static func of(_ kind: ResolvedTrigger.Kind) -> Set<String>? {
        switch kind {
        case .rabbitMQ: rabbitMQ
        case .redisList: redis.union(["listName", "listLength", "activationListLength"])
        case .redisStream:
            redis.union([
                "stream", "consumerGroup", "lagCount", "pendingEntriesCount", "streamLength", "activationLagCount",
            ])
        case .sqs: sqs
        case .cron: ["timezone", "start", "end", "desiredReplicas"]
        }
    }

    private static func withVariables(_ names: String...) -> Set<String> {
        Set(names + names.map { "\($0)FromEnv" })
    }

    private static let rabbitMQ = withVariables("host", "username", "password").union([
        "protocol", "queueName", "mode", "value", "queueLength", "activationValue", "excludeUnacknowledged", "useRegex",
        "pageSize", "operation", "vhostName", "timeout", "unsafeSsl", "workloadIdentityResource", "metricName",
    ])

    private static let redis = withVariables(
        "address", "addresses", "host", "hosts", "port", "ports", "username", "password", "sentinelMaster",
        "sentinelUsername", "sentinelPassword"
    ).union(["databaseIndex", "enableTLS", "unsafeSsl", "metricName"])

    private static let sqs = withVariables("queueURL").union([
        "awsRegion", "awsEndpoint", "queueLength", "activationQueueLength", "scaleOnInFlight", "scaleOnDelayed",
        "identityOwner", "awsAccessKeyID", "awsAccessKeyIDFromEnv", "awsSecretAccessKey", "awsSecretAccessKeyFromEnv",
        "metricName",
    ])
}
