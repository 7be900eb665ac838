import FoundationEssentials

/// A queue's address: `scheme://user:password@host:port/path?option=value`.
public struct QueueURL: Sendable {
    public let scheme: String
    public let user: String?
    public let password: String?
    public let host: String?
    public let port: Int?
    /// Percent-decoded, with the leading slash where there is one.
    public let path: String
    public let options: [String: String]
    /// The flag or variable that it came from, for messages.
    public let source: String
    private let rawPath: String

    /// - Parameter source: What to call it in a message: `--queue`, `SEMEL_QUEUE`.
    public init(_ text: String, source: String) throws(ConfigurationError) {
        // The text may hold a password: it is never repeated in a message.
        guard !text.looksLikeARawPassword, let parts = URLComponents(string: text),
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
        if let port = parts.port, !(1...65535).contains(port) {
            throw ConfigurationError("\(source): port \(port) is not between 1 and 65535")
        }
        self.scheme = scheme
        self.user = parts.user
        self.password = parts.password
        self.host = parts.host.flatMap { $0.isEmpty ? nil : $0.trimmingBrackets }
        self.port = parts.port
        self.path = parts.path
        self.rawPath = parts.percentEncodedPath
        self.options = options
        self.source = source
    }

    /// For addresses put together from variables such as `MQ_HOST`.
    public init(
        scheme: String, user: String?, password: String?, host: String, port: Int?, path: String,
        options: [String: String], source: String
    ) {
        self.scheme = scheme
        self.user = user
        self.password = password
        self.host = host
        self.port = port
        self.path = path
        var parts = URLComponents()
        parts.path = path
        self.rawPath = parts.percentEncodedPath
        self.options = options
        self.source = source
    }

    /// Without user, password and the options that may hold secrets.
    public var redacted: String {
        let authority = host.map { "//\($0.contains(":") ? "[\($0)]" : $0)\(port.map { ":\($0)" } ?? "")" } ?? ""
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
        guard let start = firstRange(of: "://")?.upperBound else { return false }
        let authority = self[start...].prefix { !"/?#".contains($0) }
        let behind = self[authority.endIndex...]
        if authority.contains("@") { return behind.prefix { $0 != "?" }.contains("@") }
        return authority.contains(":") && !authority.hasSuffix("]") && behind.contains("@")
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
