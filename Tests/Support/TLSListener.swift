/// A server that knows the handshake of TLS and nothing else: OpenSSL's own.
public final class TLSListener: Sendable {
    public let port: Int
    private let process: RunningProcess
    /// With its files.
    private let certificate: CertificateAuthority.Certificate

    /// - Parameters:
    ///   - clients: whose certificates it wants; any client may come without.
    ///   - options: further ones of `openssl s_server`, such as `-tls1_2`.
    public init(
        _ certificate: CertificateAuthority.Certificate, demandingClientsOf clients: CertificateAuthority? = nil,
        _ options: String...
    ) async throws {
        let port = try FreePort.next()
        self.port = port
        self.certificate = certificate
        let intermediates = certificate.intermediate.map { ["-cert_chain", $0] } ?? []
        let demands = clients.map { ["-Verify", "2", "-verify_return_error", "-CAfile", $0.certificate] } ?? []
        process = try RunningProcess(
            .installed("openssl"),
            ["s_server", "-quiet", "-accept", "127.0.0.1:\(port)", "-cert", certificate.chain, "-key", certificate.key]
                + intermediates + demands + options)
        try await eventually("openssl s_server listens: \(process.report)") {
            (try? await onThread("s_server") { _ = try Socket(port: port) }) != nil
        }
    }

    deinit {
        process.killGroup()
    }
}
