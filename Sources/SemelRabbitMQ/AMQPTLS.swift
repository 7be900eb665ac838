import CRabbitMQ
import CRabbitMQTLS
import Glibc
import Semel
import SemelTLS

/// The TLS of one connection: what librabbitmq is told before the handshake, and what OpenSSL says behind it. Has to
/// live as long as the connection.
final class AMQPTLS {
    /// Belongs to the connection.
    let socket: OpaquePointer
    private let settings: TLSSettings
    private let host: String
    /// What the handshake compares the server with, and what it finds.
    private let peer = UnsafeMutablePointer<semel_tls_peer>.allocate(capacity: 1)

    /// - Parameter source: The flag or variable that the settings came from, for messages.
    init(_ settings: TLSSettings, host: String, for connection: amqp_connection_state_t, source: String)
        throws(AMQPFailure)
    {
        semel_tls_keep_until_exit()
        guard let socket = amqp_ssl_socket_new(connection) else { throw .broken("out of memory") }
        self.socket = socket
        self.settings = settings
        self.host = host
        peer.initialize(
            to: semel_tls_peer(
                host: strdup(host), authorities: settings.authorities.flatMap { strdup($0) },
                verdict: semel_certificates_verdict(), judges_afterwards: 0))
        // What is verified is not verified by librabbitmq: see semel_tls_prepare.
        amqp_ssl_socket_set_verify_peer(socket, 0)
        amqp_ssl_socket_set_verify_hostname(socket, 0)
        guard let context = amqp_ssl_socket_get_context(socket) else { throw .broken("out of memory") }
        let step = semel_tls_prepare(context, peer, settings.client?.chain, settings.client?.key)
        switch step {
        case semel_tls_ready: return
        case semel_tls_authorities: throw Self.unusable("cacert", settings.authorities, source)
        case semel_tls_chain: throw Self.unusable("cert", settings.client?.chain, source)
        case semel_tls_key:
            throw Self.unusable(
                "key", settings.client?.key, source,
                "; it has to be PEM, the certificate's own, and without a passphrase")
        default: throw .broken("TLS: \(Self.words ?? "out of memory")")
        }
    }

    deinit {
        free(UnsafeMutablePointer(mutating: peer.pointee.host))
        free(UnsafeMutablePointer(mutating: peer.pointee.authorities))
        peer.deallocate()
    }

    private static func unusable(
        _ option: String, _ file: String?, _ source: String, _ advice: String = "; it has to be PEM"
    ) -> AMQPFailure {
        .misconfigured(
            "\(source): \(option): \(file ?? "") cannot be used\(words.map { " (\($0))" } ?? "")\(advice)")
    }

    private static var words: String? {
        semel_tls_failure_text().map { String(cString: $0) }
    }

    /// What OpenSSL knows of the library call that has just failed on this thread, if it was at fault.
    var failure: AMQPFailure? {
        if let certificate { return .untrusted(certificate) }
        guard let words = Self.words else { return nil }
        if semel_tls_client_is_refused() != 0 {
            return .refused(
                settings.client == nil
                    ? "it wants a client's certificate (\(words)); name one with cert=FILE&key=FILE"
                    : "the client's certificate is not accepted (\(words))")
        }
        if semel_tls_is_not_spoken() != 0 { return .broken("no TLS is spoken there (\(words))") }
        return .broken("TLS: \(words)")
    }

    /// Whether a login that has just failed may have been a refusal of this client: the connection was reset while the
    /// server was to judge it, and nothing came that says why. (A server that says why and closes resets the connection
    /// when something is sent to it nevertheless.)
    func isCutShort(_ code: amqp_status_enum_, _ system: CInt) -> Bool {
        let isOfSystem = code == AMQP_STATUS_SSL_ERROR || code == AMQP_STATUS_SOCKET_ERROR
        return peer.pointee.judges_afterwards != 0 && isOfSystem && [ECONNRESET, EPIPE].contains(system)
            && Self.words == nil
    }

    private var certificate: CertificateProblem? {
        CertificateProblem(peer.pointee.verdict, host: host, authorities: settings.authorities ?? "")
    }
}
