/// The keys that KEDA reads in a trigger's metadata. What it does not know it ignores without a word, so that a mistyped
/// `queueLength` is a default.
enum TriggerKeys {
    private static let rabbitMQ: Set = [
        "host", "protocol", "queueName", "mode", "value", "queueLength", "activationValue", "excludeUnacknowledged",
        "useRegex", "pageSize", "operation", "vhostName", "username", "password", "timeout", "unsafeSsl", "tls", "ca",
        "cert", "key", "keyPassword", "tokenURL", "tokenUrl", "clientId", "clientID", "clientSecret", "scopes",
        "workloadIdentityResource", "connectionName",
    ]
    private static let redis: Set = [
        "address", "addresses", "host", "hosts", "port", "ports", "username", "password", "databaseIndex", "enableTLS",
        "tls", "unsafeSsl", "ca", "cert", "key", "keyPassword", "sentinelMaster", "sentinelUsername",
        "sentinelPassword",
    ]
    private static let list: Set = ["listName", "listLength", "activationListLength"]
    private static let stream: Set = [
        "stream", "consumerGroup", "lagCount", "pendingEntriesCount", "streamLength", "activationLagCount",
    ]
    private static let sqs: Set = [
        "queueURL", "queueLength", "activationQueueLength", "scaleOnInFlight", "scaleOnDelayed", "awsRegion",
        "awsEndpoint", "identityOwner", "awsRoleArn", "awsAccessKeyID", "awsAccessKeyId", "awsSecretAccessKey",
        "awsSessionToken", "externalID", "roleSessionName",
    ]
    private static let cron: Set = ["timezone", "start", "end", "desiredReplicas"]
    /// Of every trigger; `metricName` had a meaning once.
    private static let common: Set = ["metricName", "scalerName", "awsIdentityOwner"]

    private static func keys(of type: String) -> Set<String>? {
        switch type {
        case "rabbitmq": rabbitMQ
        case "redis", "redis-cluster", "redis-sentinel": redis.union(list)
        case "redis-streams", "redis-cluster-streams", "redis-sentinel-streams": redis.union(stream)
        case "aws-sqs-queue": sqs
        case "cron": cron
        default: nil
        }
    }

    /// A finding for each key that KEDA does not know; none for a type that is not known here.
    static func unknown(_ metadata: TextMap, of type: String) -> [Finding] {
        guard let keys = keys(of: type) else { return [] }
        return metadata.entries.compactMap { entry in
            let isVariable = entry.name.hasSuffix("FromEnv")
            let name = isVariable ? String(entry.name.dropLast("FromEnv".count)) : entry.name
            guard !keys.contains(name), !common.contains(name) else { return nil }
            let suffix = isVariable ? "FromEnv" : ""
            let nearest = nearest(to: name, in: keys).map { "; ‘\($0)\(suffix)’ may be meant" } ?? ""
            return Finding(
                .unknownField, at: entry.text.position, path: entry.text.path,
                "KEDA knows no such parameter of \(type)\(nearest)")
        }
    }

    /// At most a third of its letters apart.
    private static func nearest(to name: String, in keys: Set<String>) -> String? {
        let word = Array(name.lowercased())
        guard word.count <= 40 else { return nil }
        let distances = keys.sorted().map { (key: $0, distance: distance(word, Array($0.lowercased()))) }
        guard let best = distances.min(by: { $0.distance < $1.distance }), best.distance * 3 <= word.count else {
            return nil
        }
        return best.key
    }

    /// How many letters have to be changed, added, removed, or swapped with the next one (counted as two).
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (above, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = above + 1
            for (column, other) in right.enumerated() {
                let changed = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
