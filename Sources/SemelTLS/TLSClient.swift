import CCertificates
import Glibc
public import NIOCore
import NIOSSL
public import Semel

/// How a connection is encrypted, and to whom. Nothing is read before a connection is made, and then again for each.
///
/// BoringSSL encrypts, as NIOSSL has it; who the server is, is for OpenSSL to say: see ``CertificateCheck``.
public struct TLSClient: Sendable {
    /// Certificates or a key in PEM form.
    public enum PEM: Sendable {
        case file(String)
        case text(String)
    }

    /// Who may have signed the server's certificate; `nil` when nothing is verified.
    private let authorities: PEM?
    private let client: (chain: PEM, key: PEM)?
    /// Of the client's key.
    private let passphrase: String?
    /// What names the files, for messages.
    private let source: String
    /// What to write for a server without TLS.
    private let plainScheme: String

    public init(
        authorities: PEM?, client: (chain: PEM, key: PEM)?, passphrase: String? = nil, source: String,
        plainScheme: String
    ) {
        self.authorities = authorities
        self.client = client
        self.passphrase = passphrase
        self.source = source
        self.plainScheme = plainScheme
    }

    public init(_ settings: TLSSettings, source: String, plainScheme: String) {
        self.init(
            authorities: settings.authorities.map { .file($0) },
            client: settings.client.map { (.file($0.chain), .file($0.key)) }, source: source, plainScheme: plainScheme)
    }

    /// Encrypts what goes through the channel, which is not connected yet. Call it on the channel's event loop.
    ///
    /// - Parameter limit: For the handshake.
    public func secure(_ channel: any Channel, to host: String, within limit: Duration) throws {
        let context = try makeContext()
        let handshake = TLSHandshake(
            limit: limit, hasCertificate: client != nil, plainScheme: plainScheme, channel.eventLoop)
        // An address is no name to ask for.
        let name = Self.isAddress(host) ? nil : host
        let handler: NIOSSLClientHandler
        if let authorities {
            let check = CertificateCheck(authorities: authorities, host: host)
            handler = try NIOSSLClientHandler(context: context, serverHostname: name) { chain, verdict in
                handshake.problem = check.problem(of: chain)
                verdict.succeed(handshake.problem == nil ? .certificateVerified : .failed)
            }
        } else {
            handler = try NIOSSLClientHandler(context: context, serverHostname: name)
        }
        try channel.pipeline.syncOperations.addHandlers([handler, handshake])
    }

    /// Succeeds once the server is known to be who it should be, and fails with a ``TLSFailure``.
    public static func handshake(on channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.flatSubmit {
            do {
                return try channel.pipeline.syncOperations.handler(type: TLSHandshake.self).done.futureResult
            } catch {
                // A channel that has been closed has no handlers.
                return channel.eventLoop.makeFailedFuture(TLSHandshake.cut)
            }
        }
    }

    private func makeContext() throws(TLSFailure) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.trustRoots = .certificates([])
        configuration.certificateVerification = authorities == nil ? .none : .noHostnameVerification
        if let authorities, semel_certificates_are_in(authorities.content, authorities.whereabouts) == 0 {
            throw noCertificates(in: authorities, what: "cacert")
        }
        if let client {
            configuration.certificateChain = try certificates(client.chain, what: "cert").map { .certificate($0) }
            configuration.privateKey = .privateKey(try key(client.key))
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw unusable("the client's certificate and its key do not belong together")
        }
    }

    private func certificates(_ pem: PEM, what: String) throws(TLSFailure) -> [NIOSSLCertificate] {
        let found =
            switch pem {
            case .file(let path): try? NIOSSLCertificate.fromPEMFile(path)
            case .text(let text): try? NIOSSLCertificate.fromPEMBytes(Array(text.utf8))
            }
        guard let found, !found.isEmpty else { throw noCertificates(in: pem, what: what) }
        return found
    }

    private func key(_ pem: PEM) throws(TLSFailure) -> NIOSSLPrivateKey {
        let passphrase = Array((self.passphrase ?? "").utf8)
        do {
            switch pem {
            case .file(let path):
                return try NIOSSLPrivateKey(file: path, format: .pem) { $0(passphrase) }
            case .text(let text):
                return try NIOSSLPrivateKey(bytes: Array(text.utf8), format: .pem) { $0(passphrase) }
            }
        } catch {
            if case .file(let path) = pem { throw unusable("key: no private key in PEM form in \(path)") }
            throw unusable("key: no private key in PEM form, or not with this password")
        }
    }

    private func noCertificates(in pem: PEM, what: String) -> TLSFailure {
        unusable("\(what): no certificates in PEM form in \(pem.name)")
    }

    private func unusable(_ what: String) -> TLSFailure {
        .misconfigured("\(source): \(what)")
    }

    private static func isAddress(_ host: String) -> Bool {
        var four = in_addr()
        var six = in6_addr()
        return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1
    }
}
