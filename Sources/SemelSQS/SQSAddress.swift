import FoundationEssentials
public import Semel

/// `sqs://REGION/QUEUE`, `sqs://REGION/ACCOUNT/QUEUE` or `sqs:?url=https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE`
public struct SQSAddress: Sendable {
    public let region: String
    public let queueName: String
    /// Of the queue's owner, where it is written.
    let account: String?
    /// Where it is written; else SQS is asked for it.
    let writtenURL: String?
    let endpoint: ServiceURL
    /// Named by the user, else it is looked for: see `SQSDeadLetterTarget`.
    let deadQueueName: String?
    let profile: String?
    /// A file of certificates to trust; `nil` when neither it is named nor the system has one.
    let authorities: String?
    let environment: AWSEnvironment
    public let name: String
    public let source: String

    var isFIFO: Bool { queueName.hasSuffix(".fifo") }

    private static let options = ["url", "region", "endpoint", "dead", "profile", "cacert"]

    public init(_ url: QueueURL, _ environment: AWSEnvironment) throws(ConfigurationError) {
        try url.allowOnly(Self.options)
        source = url.source
        name = url.redacted
        guard url.credentials.areNone else {
            throw ConfigurationError(
                "\(source): an SQS queue's URL has no place for keys; give them in AWS_ACCESS_KEY_ID and "
                    + "AWS_SECRET_ACCESS_KEY, a profile, or by the pod's identity")
        }
        self.environment = environment
        let place = try Self.place(url)
        (queueName, account, writtenURL) = (place.name, place.account, place.url)
        try Self.check(queueName, url, "queue")
        guard let region = place.region ?? url.options["region"] ?? environment.region else {
            throw ConfigurationError("\(source): names no region; write sqs://REGION/QUEUE, or set AWS_REGION")
        }
        guard region.utf8.allSatisfy({ Self.isRegionCharacter($0) }) else {
            throw ConfigurationError("\(source): ‘\(region)’ is not a region; write sqs://eu-central-1/QUEUE")
        }
        self.region = region
        let written = url.options["endpoint"] ?? environment.endpoint(of: "SQS") ?? place.endpoint
        let endpointSource = url.options["endpoint"] == nil ? "AWS_ENDPOINT_URL" : "\(source): endpoint"
        guard let endpoint = ServiceURL(endpoint: written ?? AWSEnvironment.regionalEndpoint(of: "sqs", in: region))
        else {
            throw ConfigurationError("\(endpointSource) \(ServiceURL.advice)")
        }
        self.endpoint = endpoint
        deadQueueName = url.options["dead"]
        if let deadQueueName { try Self.check(deadQueueName, url, "dead letter queue") }
        if let deadQueueName, deadQueueName.hasSuffix(".fifo") != queueName.hasSuffix(".fifo") {
            throw ConfigurationError(
                "\(source): a FIFO queue and its dead letter queue both end in .fifo; ‘\(deadQueueName)’ does not match"
            )
        }
        profile = url.options["profile"]
        let named = url.options["cacert"] ?? environment["AWS_CA_BUNDLE"]
        if let named, !FileManager.default.isReadableFile(atPath: named) {
            throw ConfigurationError(
                "\(url.options["cacert"] == nil ? "AWS_CA_BUNDLE" : "\(source): cacert"): cannot read ‘\(named)’")
        }
        authorities = named ?? TLSSettings.systemAuthorities()
    }

    /// The variables whose values a task is not to see: the keys by which semel itself speaks to the queue.
    public var secretVariables: [String] { profile == nil ? AWSEnvironment.keyVariables : [] }

    private typealias Place = (region: String?, account: String?, name: String, url: String?, endpoint: String?)

    private static func place(_ url: QueueURL) throws(ConfigurationError) -> Place {
        let parts = url.path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        if let written = url.options["url"] {
            guard url.hosts.isEmpty, parts.isEmpty else {
                throw ConfigurationError("\(url.source): names the queue twice; keep sqs://REGION/QUEUE or url=")
            }
            return try place(written, url.source)
        }
        let example = "write sqs://REGION/QUEUE, sqs://REGION/ACCOUNT/QUEUE or sqs:?url=https://…"
        guard let name = parts.last, parts.count <= 2 else {
            throw ConfigurationError("\(url.source): names no queue; \(example)")
        }
        let account = parts.count == 2 ? parts[0] : nil
        if let account, account.utf8.count != 12 || !account.utf8.allSatisfy({ (48...57).contains($0) }) {
            throw ConfigurationError("\(url.source): ‘\(account)’ is not an account number of 12 digits; \(example)")
        }
        guard url.hosts.count <= 1, url.hosts.first?.port == nil else {
            throw ConfigurationError(
                "\(url.source): a region has no port, and there is one; another server is endpoint=http://HOST:PORT")
        }
        return (url.hosts.first?.name, account, name, nil, nil)
    }

    /// What a queue's own URL tells.
    private static func place(_ written: String, _ source: String) throws(ConfigurationError) -> Place {
        let parts = URLComponents(string: written)
        let path = (parts?.path ?? "").split(separator: "/").map(String.init)
        guard let parts, let scheme = parts.scheme?.lowercased(), scheme == "https" || scheme == "http",
            let host = parts.encodedHost, !host.isEmpty, let name = path.last, parts.user == nil
        else {
            throw ConfigurationError(
                "\(source): url is not a queue's URL, like https://sqs.eu-central-1.amazonaws.com/123456789012/scans")
        }
        let port = parts.port.map { ":\($0)" } ?? ""
        return (region(of: host), nil, name, written, "\(scheme)://\(host)\(port)")
    }

    /// `sqs.REGION.amazonaws.com`, `sqs-fips.REGION.…`, `sqs.REGION.api.aws`, `vpce-….sqs.REGION.vpce.amazonaws.com`, and
    /// the old `REGION.queue.amazonaws.com`.
    private static func region(of host: String) -> String? {
        let parts = host.lowercased().split(separator: ".").map(String.init)
        let text = host.lowercased()
        guard [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].contains(where: { text.hasSuffix($0) }) else {
            return nil
        }
        if let index = parts.firstIndex(where: { $0 == "sqs" || $0 == "sqs-fips" }), index + 2 < parts.count {
            return parts[index + 1]
        }
        guard let index = parts.firstIndex(of: "queue") else { return nil }
        return index == 0 ? "us-east-1" : parts[index - 1]
    }

    private static func check(_ name: String, _ url: QueueURL, _ what: String) throws(ConfigurationError) {
        let plain = name.hasSuffix(".fifo") ? name.dropLast(5) : name[...]
        guard !plain.isEmpty, name.utf8.count <= 80, plain.utf8.allSatisfy({ isNameCharacter($0) }) else {
            throw ConfigurationError(
                "\(url.source): ‘\(name)’ is not a \(what)'s name: up to 80 letters, digits, hyphens and underscores, "
                    + ".fifo behind them")
        }
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        isRegionCharacter(byte) || byte == UInt8(ascii: "_") || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isRegionCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
