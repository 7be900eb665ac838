import Glibc
import NIOCore
import NIOSSL
import NIOTLS
import Semel

/// How a connection to Redis is encrypted. Nothing is read before a connection is made, and then again for each.
public struct RedisTLS: Sendable {
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

    public init(authorities: PEM?, client: (chain: PEM, key: PEM)?, passphrase: String? = nil, source: String) {
        self.authorities = authorities
        self.client = client
        self.passphrase = passphrase
        self.source = source
    }

    init(_ settings: TLSSettings, source: String) {
        self.init(
            authorities: settings.authorities.map { .file($0) },
            client: settings.client.map { (.file($0.chain), .file($0.key)) }, source: source)
    }

    /// Encrypts what goes through the channel, which is not connected yet. Call it on the channel's event loop.
    func secure(_ channel: any Channel, to host: String, within limit: Duration) throws {
        let context = try makeContext()
        // An address is compared with those in the certificate, and is no name to ask for.
        let name = Self.isAddress(host) ? nil : host
        let handler = try NIOSSLClientHandler(context: context, serverHostname: name)
        try channel.pipeline.syncOperations.addHandlers([
            handler, RedisHandshake(host: host, limit: limit, hasCertificate: client != nil, channel.eventLoop),
        ])
    }

    /// Returns once the server is known to be who it should be.
    static func handshake(on channel: any Channel) async throws {
        try await channel.eventLoop.flatSubmit {
            do {
                return try channel.pipeline.syncOperations.handler(type: RedisHandshake.self).done.futureResult
            } catch {
                // A channel that has been closed has no handlers.
                return channel.eventLoop.makeFailedFuture(RedisFailure.broken(RedisHandshake.cut))
            }
        }.get()
    }

    private func makeContext() throws(RedisFailure) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let authorities {
            let trusted = try certificates(authorities, what: "cacert")
            configuration.trustRoots = .certificates(trusted)
        } else {
            configuration.certificateVerification = .none
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

    private func certificates(_ pem: PEM, what: String) throws(RedisFailure) -> [NIOSSLCertificate] {
        let found: [NIOSSLCertificate]?
        let place: String
        switch pem {
        case .file(let path):
            found = try? NIOSSLCertificate.fromPEMFile(path)
            place = " in \(path)"
        case .text(let text):
            found = try? NIOSSLCertificate.fromPEMBytes(Array(text.utf8))
            place = ""
        }
        guard let found, !found.isEmpty else {
            throw unusable("\(what): no certificates in PEM form\(place)")
        }
        return found
    }

    private func key(_ pem: PEM) throws(RedisFailure) -> NIOSSLPrivateKey {
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

    private func unusable(_ what: String) -> RedisFailure {
        .misconfigured("\(source): \(what)")
    }

    private static func isAddress(_ host: String) -> Bool {
        var four = in_addr()
        var six = in6_addr()
        return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1
    }
}

/// Waits for the end of the handshake, and says in words what TLS has against the server, or the server against us.
private final class RedisHandshake: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    static let cut = "the connection was cut during the TLS handshake"

    let done: EventLoopPromise<Void>
    private let host: String
    private let limit: Duration
    private let hasCertificate: Bool

    init(host: String, limit: Duration, hasCertificate: Bool, _ loop: any EventLoop) {
        self.host = host
        self.limit = limit
        self.hasCertificate = hasCertificate
        done = loop.makePromise()
    }

    func channelActive(context: ChannelHandlerContext) {
        let (done, limit) = (done, limit)
        let tooLate = context.eventLoop.scheduleTask(in: .milliseconds(limit.milliseconds)) {
            done.fail(
                RedisFailure.broken("no TLS handshake within \(Units.text(limit)); one without TLS wants redis://"))
        }
        done.futureResult.whenComplete { _ in tooLate.cancel() }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent { done.succeed() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let certificate = try? context.channel.pipeline.syncOperations.nioSSL_peerCertificate()
        let failure = failure(of: error, certificate)
        done.fail(failure)
        context.fireErrorCaught(failure)
    }

    func channelInactive(context: ChannelHandlerContext) {
        done.fail(RedisFailure.broken(Self.cut))
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        done.fail(RedisFailure.broken(Self.cut))
    }

    private func failure(of error: any Error, _ certificate: NIOSSLCertificate?) -> RedisFailure {
        switch error {
        case let error as IOError:
            return .broken(SystemError(doing: "talk to Redis", code: error.errnoCode).description)
        case NIOSSLError.uncleanShutdown: return .broken("Redis closed the connection")
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return .mismatch("its certificate is for other names than ‘\(host)’")
        case let error as NIOSSLExtraError where error == .serverHostnameImpossibleToMatch:
            return .mismatch("no certificate can be for ‘\(host)’")
        case NIOSSLError.handshakeFailed(.sslError(let stack)), BoringSSLError.sslError(let stack):
            return failure(of: stack.map(\.description).joined(separator: " "), certificate)
        default: return .broken("TLS: \(error)")
        }
    }

    /// - Parameter stack: BoringSSL's names of what went wrong.
    private func failure(of stack: String, _ certificate: NIOSSLCertificate?) -> RedisFailure {
        func says(_ words: String...) -> Bool { words.contains { stack.contains($0) } }
        if says("CERTIFICATE_VERIFY_FAILED") { return .mismatch("its certificate \(Self.fault(of: certificate))") }
        // The server's alerts about ours.
        if says("CERTIFICATE_REQUIRED") || says("HANDSHAKE_FAILURE") && !hasCertificate {
            return .refused("it wants a client certificate (cert, key)")
        }
        let complaints = ["BAD_CERTIFICATE", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_", "UNKNOWN_CA", "ACCESS_DENIED"]
        if complaints.contains(where: { stack.contains("ALERT_\($0)") }) {
            return .refused("it does not accept the client certificate: \(Self.alert(in: stack))")
        }
        if says("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "INVALID_RECORD", "UNEXPECTED_RECORD") {
            return .broken("it does not speak TLS; use redis://")
        }
        if says("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL") { return .broken("it speaks no TLS from 1.2 on") }
        if says("EOF during handshake") { return .broken(Self.cut) }
        return .broken("TLS: \(Self.alert(in: stack))")
    }

    /// BoringSSL does not tell which of its checks has failed.
    private static func fault(of certificate: NIOSSLCertificate?) -> String {
        guard let certificate else { return "could not be verified" }
        let now = time(nil)
        if certificate.notValidAfter < now { return "has expired, on \(Self.text(certificate.notValidAfter))" }
        if certificate.notValidBefore > now {
            return "is not valid yet, but from \(Self.text(certificate.notValidBefore)) on"
        }
        return "is of an unknown authority (cacert)"
    }

    private static func text(_ seconds: time_t) -> String {
        Timestamp(milliseconds: Int64(seconds) * 1_000).rfc3339
    }

    /// `certificate expired` of `…:SSLV3_ALERT_CERTIFICATE_EXPIRED …`
    private static func alert(in stack: String) -> String {
        let word = stack.split { $0 == ":" || $0 == " " }.first { $0.contains("ALERT") } ?? stack[...]
        return word.split(separator: "_").drop { $0 != "ALERT" }.dropFirst().joined(separator: " ").lowercased()
    }
}
