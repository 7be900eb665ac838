public import Semel

/// `amqp://user:password@host:5672/vhost?queue=a&heartbeat=30s`, or `amqps:` over TLS; with several hosts, tried in turn:
/// `amqp://user:password@host1,host2/vhost?queue=a`
public struct RabbitMQAddress: Sendable {
    /// One at the least, in the order in which they are tried, all with their ports.
    public let hosts: [QueueURL.Host]
    /// For connections over TLS.
    public let tls: TLSSettings?
    public let credentials: QueueCredentials
    public let vhost: String
    public let queue: String
    /// How often each side says that it is alive; a connection is given up after two intervals of silence.
    public let heartbeat: Duration
    public let name: String
    public let source: String

    public init(_ url: QueueURL) throws(ConfigurationError) {
        try url.allowOnly(["queue", "heartbeat", "passwordFile"] + TLSSettings.options)
        guard !url.hosts.isEmpty else {
            throw ConfigurationError("\(url.source): names no host; write amqp://user:password@host/vhost?queue=name")
        }
        if url.scheme == "amqps" {
            tls = try TLSSettings(url)
        } else {
            try TLSSettings.refuse(in: url, use: "amqps")
            tls = nil
        }
        let standardPort = tls == nil ? 5672 : 5671
        hosts = url.hosts.map { QueueURL.Host(name: $0.name, port: $0.port ?? standardPort) }
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
    /// For messages.
    var place: String { "RabbitMQ at \(hosts.map(\.text).joined(separator: " or "))" }

    /// Where messages go that will not be tried again.
    var deadQueue: String { "\(queue).dead" }

    /// Where messages wait for this long before their next attempt.
    func retryQueue(_ delay: Duration) -> String { "\(queue).retry.\(Units.text(delay))" }
}
