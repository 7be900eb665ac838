/// A broker that speaks TLS beside the plain protocol, and knows users by their certificates too (SASL EXTERNAL, by the
/// common name). It wants no certificate of a client; one that it does not know ends the handshake.
public final class RabbitMQOverTLS: Sendable {
    public let server: RabbitMQServer
    /// Has signed the server's certificate, which is for `localhost` and 127.0.0.1.
    public let authority: CertificateAuthority
    /// Signs the certificates of clients.
    public let clients: CertificateAuthority
    public let port: Int
    /// The same broker at 127.0.0.2, which its certificate does not name.
    public let unnamedPort: Int
    public static let unnamedHost = "127.0.0.2"

    private static let sharedServer = SharedInstance { try await RabbitMQOverTLS() }

    /// The broker that all tests of this process may use together: take queue names of your own.
    public static func shared() async throws -> RabbitMQOverTLS {
        try await sharedServer.get()
    }

    private init() async throws {
        authority = try await CertificateAuthority("servers")
        clients = try await CertificateAuthority("clients")
        port = try FreePort.next()
        unnamedPort = try FreePort.next()
        let certificate = try await authority.issue()
        server = try await .start(
            configuration: [
                "listeners.ssl.1 = 127.0.0.1:\(port)", "listeners.ssl.2 = \(Self.unnamedHost):\(unnamedPort)",
                "ssl_options.certfile = \(certificate.chain)", "ssl_options.keyfile = \(certificate.key)",
                "ssl_options.cacertfile = \(clients.certificate)", "ssl_options.verify = verify_peer",
                "ssl_options.fail_if_no_peer_cert = false", "ssl_cert_login_from = common_name",
                "auth_mechanisms.1 = PLAIN", "auth_mechanisms.2 = EXTERNAL",
            ], plugins: ["rabbitmq_auth_mechanism_ssl"])
    }

    /// `amqps://user:password@127.0.0.1:port/…` of a queue on this broker.
    ///
    /// - Parameters:
    ///   - user: With `:password`, percent-encoded as needed; nobody without.
    ///   - place: Host and port instead of the broker's.
    ///   - options: Besides the authority, which `cacert` and `verify` among them replace.
    public func url(queue: String, user: String?, at place: String? = nil, options: [String: String] = [:]) -> String {
        let isGiven = options["cacert"] != nil || options["verify"] != nil
        let authorities = isGiven ? [:] : ["cacert": authority.certificate]
        let options = options.merging(authorities) { given, _ in given }
        return "amqps://\(user.map { $0 + "@" } ?? "")\(place ?? "127.0.0.1:\(port)")/%2F"
            + query(("queue", queue), options)
    }
}
