/// A trigger of type `rabbitmq`.
public struct RabbitMQTrigger: Sendable {
    public enum `Protocol`: String, Sendable, Hashable {
        /// A passive declaration: messages that are ready, at this moment.
        case amqp
        /// The management API: messages that are ready or held, several seconds old.
        case http
        /// From the URL's scheme, which is known in the cluster only.
        case auto
    }

    public enum Mode: String, Sendable, Hashable, CaseIterable {
        case queueLength = "QueueLength"
        case messageRate = "MessageRate"
        case deliverGetRate = "DeliverGetRate"
        case publishedToDeliveredRatio = "PublishedToDeliveredRatio"
        case expectedQueueConsumptionTime = "ExpectedQueueConsumptionTime"
    }

    public let queueName: String
    public let mode: Mode
    /// The target as it is written; 20 when neither mode nor value nor queueLength is there.
    public let value: Double
    /// Whether `value` or `queueLength` is written.
    public let isValueWritten: Bool
    /// Whether the deprecated `queueLength` is.
    public let usesQueueLength: Bool
    public let activationValue: Double
    /// `amqp` or `http`, or `auto` when the URL is in the cluster only.
    public let `protocol`: Protocol
    /// The URL, credentials included.
    public let host: ResolvedText
    public let vhostName: String?
    public let username: ResolvedText?
    public let password: ResolvedText?
    /// Over HTTP only: held messages do not count.
    public let excludeUnacknowledged: Bool
    /// Over HTTP only: `queueName` is a pattern for many queues.
    public let useRegex: Bool
    public let pageSize: Int64
    /// Of the queues that match: `sum`, `max` or `avg`.
    public let operation: String
    /// `tls: enable` in the authentication.
    public let isTLSEnabled: Bool
    /// Of the authentication, PEM: the authorities that may have signed the server's certificate, and this client's own
    /// certificate with its key. Without effect unless ``isTLSEnabled``.
    public let authorities: ResolvedText?
    public let clientCertificate: ResolvedText?
    public let clientKey: ResolvedText?
    public let unsafeSSL: Bool
    /// Parameters that may be in the cluster, and why they are not known here. As far as they matter for reading the
    /// queue, and have no property that says so: `vhostName`, `protocol`, `tls`.
    public let unknownParameters: [String: String]

    var what: String {
        switch mode {
        case .queueLength:
            switch counted {
            case .readyAndHeld: "messages ready or held"
            case .ready: "messages ready"
            case .held, .other: "messages"
            }
        default: mode.rawValue
        }
    }

    /// What the metric counts. Without the URL nobody knows whether held messages do.
    public var counted: ResolvedTrigger.Counted {
        guard mode == .queueLength else { return .other }
        if excludeUnacknowledged { return .ready }
        switch self.protocol {
        case .http: return .readyAndHeld
        case .amqp: return .ready
        case .auto: return .other
        }
    }
}

extension RabbitMQTrigger {
    init(_ parameters: TriggerParameters) throws(TriggerError) {
        queueName = try parameters.requiredMetadata("queueName")
        host = try parameters.required("host", [.metadata, .authentication, .environment])
        activationValue = try parameters.number("activationValue") ?? 0
        vhostName = parameters.text("vhostName", [.metadata, .authentication])?.text?.revealed
        useRegex = try parameters.flag("useRegex") ?? false
        excludeUnacknowledged = try parameters.flag("excludeUnacknowledged") ?? false
        pageSize = try parameters.integer("pageSize") ?? 100
        operation = parameters.metadata("operation") ?? "sum"
        unsafeSSL = try parameters.flag("unsafeSsl") ?? false
        username = parameters.text("username", [.authentication, .environment])
        password = parameters.text("password", [.authentication, .environment])
        self.protocol = try Self.protocol(parameters, host)
        let tls = parameters.text("tls", [.authentication])?.text?.revealed ?? "disable"
        guard ["enable", "disable"].contains(tls) else {
            throw parameters.error("tls in the authentication is neither ‘enable’ nor ‘disable’")
        }
        isTLSEnabled = tls == "enable"
        authorities = parameters.text("ca", [.authentication])
        clientCertificate = parameters.text("cert", [.authentication])
        clientKey = parameters.text("key", [.authentication])
        var unknown: [String: String] = [:]
        let places: [(String, [TriggerParameters.Place])] = [
            ("vhostName", [.metadata, .authentication]), ("protocol", [.metadata, .authentication]),
            ("tls", [.authentication]),
        ]
        for (name, places) in places {
            if case .unknown(let reason) = parameters.text(name, places) { unknown[name] = reason }
        }
        unknownParameters = unknown
        let target = try Self.target(parameters)
        (mode, value, isValueWritten, usesQueueLength) = target
        try check(parameters)
    }

    private static func `protocol`(
        _ parameters: TriggerParameters, _ host: ResolvedText
    ) throws(TriggerError) -> Protocol {
        let word = parameters.text("protocol", [.metadata, .authentication])?.text?.revealed ?? "auto"
        guard let written = Protocol(rawValue: word) else {
            // What an authentication has may be of a Secret.
            guard let metadata = parameters.metadata("protocol") else {
                throw parameters.error("protocol in the authentication is not amqp, http or auto")
            }
            throw parameters.error("protocol", "\(metadata.quoted)is not amqp, http or auto")
        }
        guard written == .auto, case .known(let url) = host else { return written }
        switch url.revealed.prefix(while: { $0 != ":" }).lowercased() {
        case "amqp", "amqps": return .amqp
        case "http", "https": return .http
        default: throw parameters.error("host", "is no URL that begins with amqp://, amqps://, http:// or https://")
        }
    }

    /// 0 is as if nothing were written.
    private static func target(
        _ parameters: TriggerParameters
    ) throws(TriggerError) -> (mode: Mode, value: Double, isWritten: Bool, usesQueueLength: Bool) {
        let value = try parameters.number("value") ?? 0
        let queueLength = try parameters.number("queueLength") ?? 0
        let word = parameters.metadata("mode")
        guard queueLength != 0 || word != nil || value != 0 else { return (.queueLength, 20, false, false) }
        if queueLength != 0 {
            guard word == nil, value == 0 else {
                throw parameters.error("queueLength", "is deprecated and excludes mode and value; remove it")
            }
            return (.queueLength, queueLength, true, true)
        }
        guard let word else { throw parameters.error("mode", "is missing; write QueueLength") }
        guard value != 0 else { throw parameters.error("value", "is missing or 0; write \"1\" for a Job a message") }
        guard let mode = Mode(rawValue: word) else {
            let known = Mode.allCases.map(\.rawValue).joined(separator: ", ")
            throw parameters.error("mode", "\(word.quoted)is none of \(known)")
        }
        return (mode, value, true, false)
    }

    private func check(_ parameters: TriggerParameters) throws(TriggerError) {
        guard pageSize >= 1 else { throw parameters.error("pageSize", "has to be 1 or more") }
        guard (username == nil) == (password == nil) else {
            throw parameters.error("username and password go together; one of them is missing")
        }
        guard self.protocol == .amqp else { return }
        for (name, isOn) in [("useRegex", useRegex), ("excludeUnacknowledged", excludeUnacknowledged)] where isOn {
            throw parameters.error(name, "works with protocol http only")
        }
        guard mode == .queueLength else {
            throw parameters.error("mode", "‘\(mode.rawValue)’ works with protocol http only; amqp has QueueLength")
        }
        if parameters.metadata("timeout") != nil {
            throw parameters.error("timeout", "works with protocol http only")
        }
    }
}
