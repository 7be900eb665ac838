import TestSupport
import Testing

/// A server whose certificate is not accepted: the same rules, the same words and the same exit code for every queue that
/// speaks TLS. The server knows the handshake and nothing else.
@Suite(.throttled)
struct UntrustedServerTests {
    enum Scheme: String, CaseIterable, Sendable {
        case amqps, rediss, sqs

        func url(_ host: String, _ port: Int, trusting authority: CertificateAuthority) -> String {
            let options = "cacert=\(authority.certificate)"
            return switch self {
            case .amqps: "amqps://\(host):\(port)/?queue=q&\(options)"
            case .rediss: "rediss://\(host):\(port)/0?list=q&\(options)"
            case .sqs: "sqs://\(MotoServer.region)/q?endpoint=https://\(host):\(port)&\(options)"
            }
        }
    }

    private func expect(
        _ scheme: Scheme, _ server: TLSListener, at host: String = "127.0.0.1",
        trusting authority: CertificateAuthority,
        saying words: String, place: SourceLocation = #_sourceLocation
    ) async throws {
        let keys = AWSKeys(id: "AKIAIOSFODNN7EXAMPLE", secret: Credentials.wrong)
        let end = try await Worker(
            url: scheme.url(host, server.port, trusting: authority), ["--wait", "0"], environment: keys.variables,
            secrets: [Credentials.wrong], task: ["true"]
        ).end()
        end.expect(78, "misconfigured", saying: "SEMEL_QUEUE: ", "\(host):\(server.port): \(words)", at: place)
    }

    @Test(arguments: Scheme.allCases)
    func ofAnotherAuthority(_ scheme: Scheme) async throws {
        let (authority, other) = (try await CertificateAuthority(), try await CertificateAuthority("others"))
        let server = try await TLSListener(authority.issue())
        try await expect(
            scheme, server, trusting: other,
            saying: "the server's certificate is not signed by an authority in \(other.certificate) (cacert)")
    }

    /// Another authority of the same name has another key.
    @Test(arguments: Scheme.allCases)
    func ofAnotherAuthorityThatIsCalledTheSame(_ scheme: Scheme) async throws {
        let (authority, other) = (try await CertificateAuthority("same"), try await CertificateAuthority("same"))
        let server = try await TLSListener(authority.issue())
        try await expect(
            scheme, server, trusting: other, saying: "the server's certificate is not signed by an authority in")
    }

    @Test(arguments: Scheme.allCases)
    func thatHasExpired(_ scheme: Scheme) async throws {
        let authority = try await CertificateAuthority()
        let server = try await TLSListener(authority.issue(validity: .past))
        try await expect(scheme, server, trusting: authority, saying: "the server's certificate has expired")
    }

    @Test(arguments: Scheme.allCases)
    func thatIsNotValidYet(_ scheme: Scheme) async throws {
        let authority = try await CertificateAuthority()
        let server = try await TLSListener(authority.issue(validity: .future))
        try await expect(
            scheme, server, trusting: authority,
            saying: "the server's certificate is not valid yet; is the clock of this machine right?")
    }

    @Test(arguments: Scheme.allCases)
    func whoseAuthorityHasExpired(_ scheme: Scheme) async throws {
        let root = try await CertificateAuthority()
        let between = try await CertificateAuthority("between", signedBy: root, validity: .past)
        let server = try await TLSListener(between.issue())
        try await expect(
            scheme, server, trusting: root,
            saying: "the certificate of an authority behind the server's has expired")
    }

    /// A name that only looks alike, and one in the wrong place; nor does it count that the server is at an address that
    /// its certificate has, when a name was asked for.
    @Test(arguments: [
        ["DNS:localhos"], ["DNS:*"], ["DNS:localhost.example"], ["IP:127.0.0.1"], ["email:localhost"],
    ])
    func ofASimilarName(_ names: [String]) async throws {
        let authority = try await CertificateAuthority()
        let server = try await TLSListener(authority.issue("similar", for: names))
        for scheme in Scheme.allCases {
            try await expect(
                scheme, server, at: "localhost", trusting: authority,
                saying: "the server's certificate is not for ‘localhost’")
        }
    }

    @Test(arguments: [["DNS:localhost"], ["IP:127.0.0.2"], ["DNS:127.0.0.1"]])
    func ofAnotherAddress(_ names: [String]) async throws {
        let authority = try await CertificateAuthority()
        let server = try await TLSListener(authority.issue("similar", for: names))
        for scheme in Scheme.allCases {
            try await expect(
                scheme, server, trusting: authority, saying: "the server's certificate is not for ‘127.0.0.1’")
        }
    }
}
