import FoundationEssentials

/// A service's URL in the parts that a request has.
struct ServiceURL: Sendable {
    /// Whole, with a path.
    let text: String
    /// As in the `host` header: without the scheme's own port.
    let host: String
    let path: String
    let isEncrypted: Bool

    /// Without a path.
    var base: String { "\(isEncrypted ? "https" : "http")://\(host)" }

    /// What is wrong with a text that is none.
    static let advice = "is not a URL like https://HOST or http://HOST:PORT"

    init?(_ url: String) {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            scheme == "https" || scheme == "http", let host = parts.encodedHost, !host.isEmpty
        else { return nil }
        isEncrypted = scheme == "https"
        let port = parts.port.flatMap { $0 == (scheme == "https" ? 443 : 80) ? nil : ":\($0)" } ?? ""
        self.host = host + port
        path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
        text = "\(scheme)://\(self.host)\(path)\(parts.percentEncodedQuery.map { "?\($0)" } ?? "")"
    }
}
