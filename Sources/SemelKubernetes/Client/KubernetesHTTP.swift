import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Semel
import Synchronization

/// One connection pool to one API server. Follows no redirections and repeats nothing.
final class KubernetesHTTP: Sendable {
    struct Request: Sendable {
        var method = "GET"
        /// With its query.
        var path: String
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
    }

    struct Response: Sendable {
        var status: Int
        var headers: [(name: String, value: String)]
        var body: [UInt8] = []

        func values(_ name: String) -> [String] { headers.filter { $0.name.lowercased() == name }.map(\.value) }

        /// `Retry-After`, which Kubernetes always writes in seconds.
        var retryAfter: Duration? {
            values("retry-after").first.flatMap { Int64($0) }.flatMap { $0 >= 0 ? .seconds(min($0, 86_400)) : nil }
        }
    }

    private static let mostBytes = 256 << 20
    private static let connecting = Duration.seconds(10)

    private let configuration: KubernetesConfiguration
    private let client: HTTPClient
    /// Making one reads certificates.
    private let tls = Mutex<(certificate: KubernetesIdentity.Certificate?, configuration: TLSConfiguration)?>(nil)

    /// - Parameter silence: After so much of it an answer counts as cut off.
    init(_ configuration: KubernetesConfiguration, silence: Duration? = nil) {
        self.configuration = configuration
        var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
        settings.timeout.connect = .milliseconds(Self.connecting.milliseconds)
        settings.timeout.read = silence.map { .milliseconds($0.milliseconds) }
        settings.connectionPool.retryConnectionEstablishment = false
        settings.connectionPool.idleTimeout = .seconds(30)
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        settings.httpVersion = .http1Only
        if let name = configuration.trust.serverName { settings.dnsOverride = [name: configuration.server.host] }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }

    deinit {
        client.shutdown { _ in }
    }

    func close() async {
        // Fails only when it is ended twice.
        try? await client.shutdown()
    }

    /// The whole answer.
    func send(
        _ request: Request, as identity: KubernetesIdentity, within limit: Duration
    ) async throws(KubernetesError) -> Response {
        let outgoing = try outgoing(request, identity)
        let answer: Response?
        do {
            answer = try await withThrowingTaskGroup(of: Response?.self) { [client] group in
                group.addTask {
                    let response = try await client.execute(outgoing, deadline: .distantFuture)
                    let body = try await response.body.collect(upTo: Self.mostBytes)
                    // A body that is no longer waited for ends as if it were whole.
                    try Task.checkCancellation()
                    return Response(response, body: Array(body.readableBytesView))
                }
                group.addTask {
                    try await Task.sleep(for: limit)
                    return nil
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
        } catch {
            throw await failure(onTheWay: error)
        }
        guard let answer else { throw unreachable("no answer within \(Units.text(limit))") }
        return answer
    }

    /// An answer whose body is read as it comes.
    func open(
        _ request: Request, as identity: KubernetesIdentity, within limit: Duration
    ) async throws(KubernetesError) -> (response: Response, body: HTTPClientResponse.Body) {
        let outgoing = try outgoing(request, identity)
        do {
            let response = try await client.execute(outgoing, timeout: .milliseconds(limit.milliseconds))
            return (Response(response, body: []), response.body)
        } catch {
            throw await failure(onTheWay: error)
        }
    }

    private func outgoing(
        _ request: Request, _ identity: KubernetesIdentity
    ) throws(KubernetesError) -> HTTPClientRequest {
        let server = configuration.server
        var target = server
        if let name = configuration.trust.serverName { target.host = name }
        var outgoing = HTTPClientRequest(url: "\(server.scheme)://\(target.authority)\(server.path)\(request.path)")
        outgoing.method = HTTPMethod(rawValue: request.method)
        outgoing.headers.add(name: "Host", value: server.authority)
        outgoing.headers.add(name: "User-Agent", value: "semelctl/\(Version.current)")
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        if let authorization = identity.authorization {
            outgoing.headers.add(name: "Authorization", value: authorization)
        }
        let impersonation = configuration.impersonation
        if let user = impersonation.user { outgoing.headers.add(name: "Impersonate-User", value: user) }
        if let uid = impersonation.uid { outgoing.headers.add(name: "Impersonate-Uid", value: uid) }
        for group in impersonation.groups { outgoing.headers.add(name: "Impersonate-Group", value: group) }
        if !request.body.isEmpty { outgoing.body = .bytes(ByteBuffer(bytes: request.body)) }
        if server.scheme == "https" { outgoing.tlsConfiguration = try tlsConfiguration(identity.certificate) }
        return outgoing
    }

    private func tlsConfiguration(
        _ certificate: KubernetesIdentity.Certificate?
    ) throws(KubernetesError) -> TLSConfiguration {
        if let known = tls.withLock({ $0 }), known.certificate == certificate { return known.configuration }
        var made = TLSConfiguration.makeClientConfiguration()
        made.minimumTLSVersion = .tlsv12
        if !configuration.trust.verifies { made.certificateVerification = .none }
        if let authorities = configuration.trust.authorities {
            made.trustRoots = .certificates(try certificates(authorities, "certificate-authority"))
        }
        if let certificate {
            made.certificateChain = try certificates(certificate.chain, "client-certificate")
                .map { .certificate($0) }
            guard let key = try? NIOSSLPrivateKey(bytes: certificate.key, format: .pem) else {
                throw .misconfigured("\(configuration.source): client-key: no private key in PEM form")
            }
            made.privateKey = .privateKey(key)
        }
        guard (try? NIOSSLContext(configuration: made)) != nil else {
            throw .misconfigured("\(configuration.source): client-certificate and client-key do not belong together")
        }
        tls.withLock { $0 = (certificate, made) }
        return made
    }

    private func certificates(_ pem: [UInt8], _ field: String) throws(KubernetesError) -> [NIOSSLCertificate] {
        guard let found = try? NIOSSLCertificate.fromPEMBytes(pem), !found.isEmpty else {
            throw .misconfigured("\(configuration.source): \(field): no certificates in PEM form")
        }
        return found
    }
}

extension KubernetesHTTP.Response {
    fileprivate init(_ response: HTTPClientResponse, body: [UInt8]) {
        self.init(
            status: Int(response.status.code), headers: response.headers.map { ($0.name, $0.value) }, body: body)
    }
}

extension KubernetesHTTP {
    private func unreachable(_ reason: String) -> KubernetesError {
        .unreachable("the API server at \(configuration.place) cannot be reached: \(reason)")
    }

    private func untrusted(_ reason: String) -> KubernetesError {
        .untrusted("the API server at \(configuration.place): \(reason)")
    }

    /// What went wrong before there was an answer.
    private func failure(onTheWay error: any Error) async -> KubernetesError {
        let known = failure(error)
        guard case .untrusted = known, Self.tlsWords(error)?.contains(Self.unverified) == true else { return known }
        let inquiry = CertificateInquiry(server: configuration.server, trust: configuration.trust)
        return switch await inquiry.problem() {
        case nil: known
        case .unknownAuthority: untrusted("its certificate is not signed by \(authorities)")
        case let problem?: untrusted(problem.description)
        }
    }

    private static let unverified = "CERTIFICATE_VERIFY_FAILED"

    /// BoringSSL's names of what went wrong.
    private static func tlsWords(_ error: any Error) -> String? {
        switch error {
        case let error as NIOConnectionError: error.connectionErrors.first.flatMap { tlsWords($0.error) }
        case NIOSSLError.handshakeFailed(.sslError(let stack)), BoringSSLError.sslError(let stack):
            stack.map(\.description).joined(separator: " ")
        default: nil
        }
    }

    private var authorities: String {
        configuration.trust.authorities == nil
            ? "this machine's authorities" : "the certificate-authority of \(configuration.source)"
    }

    /// What went wrong, in words.
    func failure(_ error: any Error) -> KubernetesError {
        if Task.isCancelled { return .cancelled }
        switch error {
        case let error as KubernetesError: return error
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout, .tlsHandshakeTimeout:
                return unreachable("no connection within \(Units.text(Self.connecting))")
            case .deadlineExceeded, .readTimeout: return unreachable("no answer in time")
            case .remoteConnectionClosed: return unreachable("the connection was closed")
            default: return unreachable(error.shortDescription.lowercased())
            }
        case let error as NIOConnectionError:
            guard let cause = error.connectionErrors.first else { return unreachable("unknown host") }
            return failure(cause.error)
        case let error as IOError:
            return unreachable(SystemError(doing: "connect", code: error.errnoCode).description)
        case NIOSSLError.uncleanShutdown, is ChannelError: return unreachable("the connection was closed")
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            let name = configuration.trust.serverName ?? configuration.server.host
            return untrusted("its certificate is for other names than ‘\(name)’; tls-server-name names another")
        case let error as NIOSSLExtraError where error == .serverHostnameImpossibleToMatch:
            return untrusted("no certificate can be for ‘\(configuration.server.host)’")
        case is NIOTooManyBytesError: return .unreachable("an answer of more than \(Self.mostBytes) bytes")
        default: return Self.tlsWords(error).map { failure(ofTLS: $0) } ?? unreachable("\(error)")
        }
    }

    /// - Parameter stack: BoringSSL's names of what went wrong.
    private func failure(ofTLS stack: String) -> KubernetesError {
        func says(_ words: String...) -> Bool { words.contains { stack.contains($0) } }
        if says(Self.unverified) {
            return untrusted("its certificate is not signed by \(authorities), or is not valid today")
        }
        if says("CERTIFICATE_REQUIRED") { return untrusted("it wants a client certificate") }
        let complaints = ["BAD_CERTIFICATE", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_", "UNKNOWN_CA", "ACCESS_DENIED"]
        if complaints.contains(where: { stack.contains("ALERT_\($0)") }) {
            return untrusted("it does not accept the client certificate")
        }
        if says("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "INVALID_RECORD", "UNEXPECTED_RECORD") {
            return untrusted("it does not speak TLS; its URL begins with http://")
        }
        return unreachable("TLS: \(stack)")
    }
}
