import FoundationEssentials

/// A queue's address: `scheme://user:password@host:port/path?option=value`, or with several hosts, tried in turn:
/// `scheme://user:password@host1:port,host2/path`.
public struct QueueURL: Sendable {
    public struct Host: Sendable, Hashable {
        public let name: String
        public let port: Int?

        public init(name: String, port: Int?) {
            self.name = name
            self.port = port
        }

        /// As it stands in a URL.
        public var text: String {
            "\(name.contains(":") ? "[\(name)]" : name)\(port.map { ":\($0)" } ?? "")"
        }
    }

    public let scheme: String
    public let credentials: QueueCredentials
    /// In the order in which they are tried; none for a URL without an authority.
    public let hosts: [Host]
    /// Percent-decoded, with the leading slash where there is one.
    public let path: String
    public let options: [String: String]
    /// The flag or variable that it came from, for messages.
    public let source: String
    private let rawPath: String

    /// The URL that is in a file. Its user and password are read from there again for every connection, the rest only now.
    public init(file: String, source: String) throws(ConfigurationError) {
        try self.init(SecretFile.read(file, source: source), source: source, file: file)
    }

    /// - Parameters:
    ///   - source: What to call it in a message: `--queue`, `SEMEL_QUEUE`.
    ///   - file: Where it was read.
    public init(_ text: String, source: String, file: String? = nil) throws(ConfigurationError) {
        let split = text.splittingHosts
        // The text may hold a password: it is never repeated in a message.
        guard !text.looksLikeARawPassword, let parts = URLComponents(string: split.first),
            let scheme = parts.scheme?.lowercased()
        else {
            throw ConfigurationError(
                "\(source): not a URL; write it like spool:/path, amqp://user:password@host/vhost?queue=name or "
                    + "redis://host:6379/0?list=name, special characters percent-encoded")
        }
        var options = [String: String](minimumCapacity: 4)
        for item in parts.queryItems ?? [] {
            guard let value = item.value, !value.isEmpty else {
                throw ConfigurationError("\(source): option ‘\(item.name)’ has no value")
            }
            guard options.updateValue(value, forKey: item.name) == nil else {
                throw ConfigurationError("\(source): option ‘\(item.name)’ is given twice")
            }
        }
        self.scheme = scheme
        var hosts: [Host] = []
        if let first = try Self.host(of: parts, source) { hosts.append(first) }
        for other in split.others {
            guard let parts = URLComponents(string: "\(scheme)://\(other)"), parts.path.isEmpty,
                let host = try Self.host(of: parts, source)
            else { throw ConfigurationError("\(source): ‘\(other)’ is not a host; write host1:port,host2:port") }
            hosts.append(host)
        }
        self.hosts = hosts
        let given = try QueueCredentials(
            user: parts.user, password: parts.password, passwordFile: options["passwordFile"], source: source)
        credentials = file.map { QueueCredentials(urlFile: $0, source: source, namesNobody: given.areNone) } ?? given
        self.path = parts.path
        self.rawPath = parts.percentEncodedPath
        self.options = options
        self.source = source
    }

    /// For addresses put together from variables such as `MQ_HOST`.
    public init(
        scheme: String, credentials: QueueCredentials, hosts: [Host], path: String, options: [String: String],
        source: String
    ) {
        self.scheme = scheme
        self.credentials = credentials
        self.hosts = hosts
        self.path = path
        var parts = URLComponents()
        parts.path = path
        self.rawPath = parts.percentEncodedPath
        self.options = options
        self.source = source
    }

    private static func host(of parts: URLComponents, _ source: String) throws(ConfigurationError) -> Host? {
        if let port = parts.port, !(1...65535).contains(port) {
            throw ConfigurationError("\(source): port \(port) is not between 1 and 65535")
        }
        return parts.host.flatMap { $0.isEmpty ? nil : Host(name: $0.trimmingBrackets, port: parts.port) }
    }

    /// Without user and password.
    public var redacted: String {
        let authority = hosts.isEmpty ? "" : "//" + hosts.map(\.text).joined(separator: ",")
        var text = scheme + ":" + authority + rawPath
        for (index, name) in options.keys.sorted().enumerated() {
            text += "\(index == 0 ? "?" : "&")\(name)=\(options[name] ?? "")"
        }
        return text
    }

    /// An option that must be there.
    public func require(_ option: String, example: String) throws(ConfigurationError) -> String {
        guard let value = options[option] else {
            throw ConfigurationError("\(source): names no \(option); write \(example)")
        }
        return value
    }

    /// Options are few and a mistyped one would go unnoticed: whatever is not known is an error.
    public func allowOnly(_ known: [String]) throws(ConfigurationError) {
        guard let option = options.keys.filter({ !known.contains($0) }).min() else { return }
        let names = known.isEmpty ? "none" : known.sorted().joined(separator: ", ")
        throw ConfigurationError("\(source): unknown option ‘\(option)’; a \(scheme) queue knows \(names)")
    }
}

extension String {
    /// `amqp://user:12/34@host`: to whoever reads URLs this is a host with a port, and a path that may be shown; and
    /// `user:a@b/c@host` has a host called `b`. What they mean is a password that was not percent-encoded, so behind a
    /// port, and behind a user, an `@` has to be.
    fileprivate var looksLikeARawPassword: Bool {
        // Looking at bytes first spares the start of most workers the look at characters; so below.
        guard utf8.contains(UInt8(ascii: "@")) else { return false }
        guard let start = firstRange(of: "://")?.upperBound else { return false }
        let authority = self[start...].prefix { !"/?#".contains($0) }
        let behind = self[authority.endIndex...]
        if authority.contains("@") { return behind.prefix { $0 != "?" }.contains("@") }
        return authority.contains(":") && !authority.hasSuffix("]") && behind.contains("@")
    }

    /// The URL with its first host alone, and the other hosts: URLs as such know one.
    fileprivate var splittingHosts: (first: String, others: [String]) {
        guard utf8.contains(UInt8(ascii: ",")) else { return (self, []) }
        guard let start = firstRange(of: "://")?.upperBound else { return (self, []) }
        let authority = self[start...].prefix { !"/?#".contains($0) }
        let hosts = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let parts = hosts.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else { return (self, []) }
        return (self[..<hosts.startIndex] + parts[0] + self[authority.endIndex...], Array(parts.dropFirst()))
    }

    /// `[::1]` is how a URL writes an address whose name is `::1`.
    fileprivate var trimmingBrackets: String {
        hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self
    }
}

/// A flag, variable or file that says something impossible (exit 78), or a command line that makes no sense (exit 64).
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
    public let outcome: Outcome

    public init(_ description: String, outcome: Outcome = .misconfigured) {
        self.description = description
        self.outcome = outcome
    }

    public static func usage(_ description: String) -> ConfigurationError {
        ConfigurationError(description, outcome: .usage)
    }
}
