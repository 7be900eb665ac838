public import Semel

/// `amqp://user:password@host:5672/vhost?queue=a&heartbeat=30s`
public struct RabbitMQAddress: Sendable {
    public let host: String
    public let port: Int
    public let credentials: QueueCredentials
    public let vhost: String
    public let queue: String
    /// How often each side says that it is alive; a connection is given up after two intervals of silence.
    public let heartbeat: Duration
    public let name: String
    public let source: String

    public init(_ url: QueueURL) throws(ConfigurationError) {
        guard url.scheme == "amqp" else {
            throw ConfigurationError(
                "\(url.source): \(url.scheme):// is not supported yet; use amqp:// inside the cluster")
        }
        try url.allowOnly(["queue", "heartbeat", "passwordFile"])
        guard let host = url.hosts.first else {
            throw ConfigurationError("\(url.source): names no host; write amqp://user:password@host/vhost?queue=name")
        }
        self.host = host.name
        port = host.port ?? 5672
        credentials = url.credentials
        // A file that is not there is told before anything is connected.
        _ = try credentials.current()
        // "amqp://host" and "amqp://host/" both mean the default vhost; others are percent-encoded behind the slash.
        let vhost = url.path.dropFirst()
        self.vhost = vhost.isEmpty ? "/" : String(vhost)
        queue = try url.require("queue", example: "amqp://host/vhost?queue=name")
        guard queue.utf8.count <= 255 else {
            throw ConfigurationError("\(url.source): a queue name has at most 255 bytes")
        }
        let text = url.options["heartbeat"] ?? "30s"
        guard let heartbeat = Units.duration(text), heartbeat >= .seconds(1), heartbeat <= .seconds(3600) else {
            throw ConfigurationError("\(url.source): heartbeat ‘\(text)’ is not a time between 1s and 1h")
        }
        self.heartbeat = heartbeat
        name = url.redacted
        source = url.source
    }
}

extension RabbitMQAddress {
    /// Where messages go that will not be tried again.
    var deadQueue: String { "\(queue).dead" }

    /// Where messages wait for this long before their next attempt.
    func retryQueue(_ delay: Duration) -> String { "\(queue).retry.\(Units.text(delay))" }
}
