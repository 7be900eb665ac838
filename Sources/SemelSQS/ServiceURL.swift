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

    /// What is wrong with a text that is none, which may hold a password and is not repeated.
    static let advice = "is not a URL like https://HOST or http://HOST:PORT, without a user or a password"

    /// `nil` also with a user or a password: requests are signed, and what is not used would only be shown.
    init?(_ url: String) {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            scheme == "https" || scheme == "http", let host = parts.encodedHost, !host.isEmpty,
            parts.user == nil, parts.password == nil
        else { return nil }
        isEncrypted = scheme == "https"
        let port = parts.port.flatMap { $0 == (scheme == "https" ? 443 : 80) ? nil : ":\($0)" } ?? ""
        self.host = host + port
        path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
        text = "\(scheme)://\(self.host)\(path)\(parts.percentEncodedQuery.map { "?\($0)" } ?? "")"
    }

    /// Of a service: with a query, or a part of a page, it is none.
    init?(endpoint url: String) {
        guard !url.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) else { return nil }
        self.init(url)
    }
}
