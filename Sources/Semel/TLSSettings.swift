import Glibc

/// How a connection over TLS is made: `?cacert=FILE`, `?cert=FILE&key=FILE`, `?verify=off`. All files are PEM.
public struct TLSSettings: Sendable, Hashable {
    /// The options of a queue's URL that are read here.
    public static let options = ["cacert", "cert", "key", "verify"]

    public struct ClientCertificate: Sendable, Hashable {
        /// The certificate, and those between it and its authority.
        public var chain: String
        public var key: String
    }

    /// The file of the authorities that may have signed the server's certificate: the one that was named, or this
    /// machine's. `nil` when nothing is verified.
    public let authorities: String?
    public let client: ClientCertificate?
    /// Whether the server has to prove that it is the host that was asked for.
    public let verifies: Bool

    /// - Throws: For values that mean nothing and files that cannot be read.
    public init(_ url: QueueURL, environment: (String) -> String? = Self.variable) throws(ConfigurationError) {
        switch url.options["verify"] {
        case nil, "on": verifies = true
        case "off": verifies = false
        case let other?: throw ConfigurationError("\(url.source): verify=\(other) is neither on nor off")
        }
        switch (url.options["cert"], url.options["key"]) {
        case (nil, nil): client = nil
        case (let chain?, let key?):
            try Self.checkReadable(chain, "\(url.source): cert")
            try Self.checkReadable(key, "\(url.source): key")
            client = ClientCertificate(chain: chain, key: key)
        case (_, nil): throw ConfigurationError("\(url.source): names a cert without its key; add &key=FILE")
        case (nil, _): throw ConfigurationError("\(url.source): names a key without its cert; add &cert=FILE")
        }
        if let named = url.options["cacert"] {
            guard verifies else { throw ConfigurationError("\(url.source): cacert has no effect with verify=off") }
            try Self.checkReadable(named, "\(url.source): cacert")
            authorities = named
        } else if verifies {
            guard let bundle = Self.systemAuthorities(environment) else {
                throw ConfigurationError(
                    "\(url.source): no certificate authorities are on this machine; name a file with &cacert=FILE, "
                        + "or set SSL_CERT_FILE")
            }
            try Self.checkReadable(bundle, "SSL_CERT_FILE")
            authorities = bundle
        } else {
            authorities = nil
        }
    }

    /// For a URL whose scheme means that nothing is encrypted.
    public static func refuse(in url: QueueURL, use scheme: String) throws(ConfigurationError) {
        guard let option = options.first(where: { url.options[$0] != nil }) else { return }
        throw ConfigurationError("\(url.source): \(option) has no effect with \(url.scheme)://; use \(scheme)://")
    }

    /// The file with this machine's authorities: where the variable that OpenSSL reads says, and nowhere else if it says
    /// something; or where Debian, Red Hat, SUSE and Alpine have it.
    public static func systemAuthorities(_ environment: (String) -> String? = Self.variable) -> String? {
        // One that is not there is an error of whoever reads it: those in its place would be trusted unasked.
        if let named = environment("SSL_CERT_FILE"), !named.isEmpty { return named }
        let known = [
            "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
            "/etc/ssl/cert.pem",
        ]
        return known.first { access($0, R_OK) == 0 }
    }

    public static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    private static func checkReadable(_ path: String, _ source: String) throws(ConfigurationError) {
        guard access(path, R_OK) != 0 else { return }
        throw ConfigurationError("\(source): \(SystemError(doing: "read \(path)"))")
    }
}
