/// What a server of Redis needs to listen for TLS, beside its plain port.
public struct RedisTLS: Sendable {
    public let port: Int
    public let configuration: [String]

    /// - Parameters:
    ///   - authority: who has signed the certificates of clients.
    ///   - wantsClients: whether a client needs one.
    public init(
        _ certificate: CertificateAuthority.Certificate, clientsOf authority: CertificateAuthority,
        wantsClients: Bool = false
    ) throws {
        port = try FreePort.next()
        configuration = [
            "tls-port \(port)", "tls-cert-file \(certificate.chain)", "tls-key-file \(certificate.key)",
            "tls-ca-cert-file \(authority.certificate)", "tls-auth-clients \(wantsClients ? "yes" : "no")",
        ]
    }
}
