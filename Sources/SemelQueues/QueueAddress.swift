public import Semel
public import SemelRabbitMQ
public import SemelRedis
public import SemelSQS
public import SemelSpool

/// Which queue is meant, by the scheme of its URL.
public enum QueueAddress: Sendable {
    case rabbitMQ(RabbitMQAddress)
    case redis(RedisAddress)
    case sqs(SQSAddress)
    case spool(SpoolAddress)

    /// - Parameter environment: Where an SQS queue's region and credentials may be.
    public init(_ url: QueueURL, _ environment: [String: String]) throws(ConfigurationError) {
        switch url.scheme {
        case "amqp", "amqps": self = .rabbitMQ(try RabbitMQAddress(url))
        case "redis", "rediss", "redis+sentinel", "rediss+sentinel": self = .redis(try RedisAddress(url))
        case "sqs": self = .sqs(try SQSAddress(url, AWSEnvironment(environment)))
        case "spool": self = .spool(try SpoolAddress(url))
        default:
            throw ConfigurationError(
                "\(url.source): unknown scheme ‘\(url.scheme)’; use amqp://, redis://, sqs:// or spool:")
        }
    }

    /// The URL without credentials.
    public var name: String {
        switch self {
        case .rabbitMQ(let address): address.name
        case .redis(let address): address.name
        case .sqs(let address): address.name
        case .spool(let address): address.name
        }
    }
}

extension QueueAddress {
    /// The variables beside its URL that hold its credentials.
    fileprivate var secretVariables: [String] {
        if case .sqs(let address) = self { address.secretVariables } else { [] }
    }
}

/// The queue that the command line and the environment name together.
public struct NamedQueue: Sendable {
    public let address: QueueAddress
    /// The variables that hold its credentials: nobody's business but the worker's.
    public let secretVariables: [String]

    /// `--queue`, `SEMEL_QUEUE`, or a file with the URL, `--queue-file` or `SEMEL_QUEUE_FILE`; else the variables of setups
    /// that semel replaces, `MQ_HOST` with `MQ_QUEUE`, `REDIS_HOST` with `REDIS_LIST` or `REDIS_STREAM`, or
    /// `SQS_QUEUE_URL`; else the embedded spool. Naming two of them is an error, never a guess; but a flag wins over the
    /// first two variables.
    ///
    /// - Parameters:
    ///   - flag: The value of `--queue`, if it was given.
    ///   - file: The value of `--queue-file`, if it was given.
    public init(flag: String?, file: String? = nil, environment: [String: String]) throws(ConfigurationError) {
        let variables = Variables(environment)
        let flags: [Named] = [flag.map { .url($0, "--queue") }, file.map { .file($0, "--queue-file") }].compactMap {
            $0
        }
        let explicit = flags.isEmpty ? variables.explicit : flags
        // A host or a URL alone may be the task's own business: it is a queue's only when nothing else is.
        let isComplete = (
            rabbitMQ: variables["MQ_HOST"] != nil && variables["MQ_QUEUE"] != nil,
            redis: variables["REDIS_HOST"] != nil
                && (variables["REDIS_LIST"] != nil || variables["REDIS_STREAM"] != nil)
        )
        let isAlone = explicit.isEmpty && !isComplete.rabbitMQ && !isComplete.redis
        let rabbitMQ = isComplete.rabbitMQ || (isAlone && variables["MQ_HOST"] != nil)
        let redis = isComplete.redis || (isAlone && variables["REDIS_HOST"] != nil)
        let sqs = isAlone ? variables["SQS_QUEUE_URL"] : nil
        let others = [
            rabbitMQ ? "MQ_HOST" : nil, redis ? "REDIS_HOST" : nil, sqs == nil ? nil : "SQS_QUEUE_URL",
        ]
        let named = explicit.map(\.source) + others.compactMap { $0 }
        guard named.count < 2 else {
            throw ConfigurationError("\(named.joined(separator: " and ")) name two queues at once; keep one of them")
        }
        if let explicit = explicit.first {
            address = try QueueAddress(explicit.url, environment)
            secretVariables = ["SEMEL_QUEUE"] + address.secretVariables
        } else if rabbitMQ {
            address = .rabbitMQ(try RabbitMQAddress(variables.rabbitMQ()))
            secretVariables = ["MQ_USERNAME", "MQ_PASSWORD"]
        } else if redis {
            address = .redis(try RedisAddress(variables.redis()))
            secretVariables = ["REDIS_USER", "REDIS_PASSWORD"]
        } else if let sqs {
            address = try QueueAddress(QueueURL("sqs:?url=\(sqs)", source: "SQS_QUEUE_URL"), environment)
            secretVariables = address.secretVariables
        } else {
            address = try QueueAddress(
                QueueURL(
                    SpoolAddress.defaultURL,
                    source: "no --queue, SEMEL_QUEUE, MQ_QUEUE, REDIS_LIST, REDIS_STREAM or SQS_QUEUE_URL"),
                environment)
            secretVariables = []
        }
    }
}

/// A URL, or a file that holds one, and what it was named by.
private enum Named {
    case url(String, String)
    case file(String, String)

    var source: String {
        switch self {
        case .url(_, let source), .file(_, let source): source
        }
    }

    var url: QueueURL {
        get throws(ConfigurationError) {
            switch self {
            case .url(let text, let source): try QueueURL(text, source: source)
            case .file(let path, let source): try QueueURL(file: path, source: source)
            }
        }
    }
}

private struct Variables {
    private let environment: [String: String]

    init(_ environment: [String: String]) {
        self.environment = environment
    }

    /// An empty variable is one that a template left out.
    subscript(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    var explicit: [Named] {
        [
            self["SEMEL_QUEUE"].map { .url($0, "SEMEL_QUEUE") },
            self["SEMEL_QUEUE_FILE"].map { .file($0, "SEMEL_QUEUE_FILE") },
        ].compactMap { $0 }
    }

    func rabbitMQ() throws(ConfigurationError) -> QueueURL {
        QueueURL(
            scheme: "amqp",
            credentials: try QueueCredentials(
                user: self["MQ_USERNAME"], password: self["MQ_PASSWORD"], passwordFile: self["MQ_PASSWORD_FILE"],
                source: "MQ_HOST", names: ("MQ_PASSWORD", "MQ_PASSWORD_FILE")),
            hosts: [QueueURL.Host(name: try require("MQ_HOST"), port: try port("MQ_PORT"))],
            path: "/" + (self["MQ_VHOST"] ?? ""),
            options: ["queue": try require("MQ_QUEUE")],
            source: "MQ_HOST")
    }

    func redis() throws(ConfigurationError) -> QueueURL {
        QueueURL(
            scheme: "redis",
            credentials: try QueueCredentials(
                user: self["REDIS_USER"], password: self["REDIS_PASSWORD"], passwordFile: self["REDIS_PASSWORD_FILE"],
                source: "REDIS_HOST", names: ("REDIS_PASSWORD", "REDIS_PASSWORD_FILE")),
            hosts: [QueueURL.Host(name: try require("REDIS_HOST"), port: try port("REDIS_PORT"))],
            path: "/\(try database("REDIS_DATABASE"))",
            options: try redisOptions(), source: "REDIS_HOST")
    }

    private func redisOptions() throws(ConfigurationError) -> [String: String] {
        guard let stream = self["REDIS_STREAM"] else {
            guard self["REDIS_GROUP"] == nil else {
                throw ConfigurationError("REDIS_GROUP is set without REDIS_STREAM")
            }
            guard let list = self["REDIS_LIST"] else {
                throw ConfigurationError("neither REDIS_LIST nor REDIS_STREAM is set")
            }
            return ["list": list]
        }
        guard self["REDIS_LIST"] == nil else {
            throw ConfigurationError("REDIS_LIST and REDIS_STREAM name two queues at once; keep one of them")
        }
        return ["stream": stream].merging(self["REDIS_GROUP"].map { ["group": $0] } ?? [:]) { one, _ in one }
    }

    private func require(_ name: String) throws(ConfigurationError) -> String {
        guard let value = self[name] else { throw ConfigurationError("\(name) is not set") }
        return value
    }

    private func database(_ name: String) throws(ConfigurationError) -> Int {
        guard let text = self[name] else { return 0 }
        // Int() would take a sign as well.
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int(text)
        else {
            throw ConfigurationError("\(name): ‘\(text)’ is not the number of a database (0 or more)")
        }
        return number
    }

    private func port(_ name: String) throws(ConfigurationError) -> Int? {
        // Kubernetes sets NAME_PORT=tcp://10.0.0.1:6379 in every pod when there is a service called NAME.
        guard let text = self[name], !text.hasPrefix("tcp://") else { return nil }
        guard let port = Int(text), (1...65535).contains(port) else {
            throw ConfigurationError("\(name): ‘\(text)’ is not a port (1 to 65535)")
        }
        return port
    }
}
