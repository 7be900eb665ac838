import TestSupport
import Testing

/// SQS over HTTPS, as everybody has it: a whole life, and what a worker and a server may have against each other. See
/// `UntrustedServerTests` for certificates that are not accepted.
@Suite(.oneLane)
struct SQSTLSTests {
    /// Moto behind TLS.
    private struct Place {
        let queue: SQSUnderTest
        let authority: CertificateAuthority
        let terminator: TLSTerminator

        init() async throws {
            queue = try await SQSUnderTest(.sqs)
            authority = try await CertificateAuthority()
            terminator = try await TLSTerminator(authority.issue(), to: queue.server.port)
        }

        func url(at host: String = "127.0.0.1", _ more: String) -> String {
            SQSTLSTests.url(terminator.port, at: host, queue: queue.name, more)
        }

        var trusting: String { "&cacert=\(authority.certificate)" }
    }

    private static func url(
        _ port: Int, at host: String = "127.0.0.1", queue: String = "q", scheme: String = "https", _ more: String = ""
    ) -> String {
        "sqs://\(MotoServer.region)/\(queue)?endpoint=\(scheme)://\(host):\(port)\(more)"
    }

    private func expect(
        _ url: String, _ code: Int32, _ words: String...,
        with environment: [String: String] = AWSKeys(id: "AKIA", secret: Credentials.wrong).variables,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let end = try await Worker(
            url: url, ["--wait", "0"], environment: environment, secrets: [Credentials.wrong], task: ["true"]
        ).end()
        #expect(end.status == .exited(code), "\(end.stderr)", sourceLocation: sourceLocation)
        for word in words {
            #expect(end.lastLine.contains(word), "‘\(word)’ in \(end.stderr)", sourceLocation: sourceLocation)
            #expect(end.report?.reason?.contains(word) == true, "\(end.stderr)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func aWholeLife(_ host: String) async throws {
        let place = try await Place()
        let url = place.url(at: host, "&profile=worker\(place.trusting)")
        func work(_ flags: [String] = [], _ task: [String]) async throws -> WorkerEnd {
            try await Worker(url: url, ["--retry-delay", "0"] + flags, secrets: place.queue.secrets, task: task).end()
        }
        // More than one record of TLS, and more than one read.
        let large = String(repeating: "0123456789abcdef", count: 1 << 15)
        let queued = try await run(
            .semelctl, ["enqueue"], environment: RunningProcess.environment(adding: ["SEMEL_QUEUE": url]),
            input: Array(large.utf8))
        #expect(queued.status == .exited(0), "\(queued.stderrText)")
        let failed = try await work([], Shell.failing)
        #expect(failed.status == .exited(75), "\(failed.stderr)")
        // Long enough for extensions on the same connections.
        let completed = try await work(["--lease", "3s"], Shell.run("sleep 4; cat"))
        #expect(completed.status == .exited(0), "\(completed.stderr)")
        #expect(completed.text == large)
        #expect(try await place.queue.left() == .nothing)
    }

    @Test func theAuthoritiesOfAWSsOwnVariable() async throws {
        let place = try await Place()
        try await place.queue.put("m")
        let variables = ["AWS_CA_BUNDLE": place.authority.certificate]
        let end = try await Worker(
            url: place.url("&profile=worker"), environment: variables, secrets: place.queue.secrets,
            task: Shell.succeeding
        ).end()
        #expect(end.text == "m", "\(end.stderr)")
        // Without it the machine's own do not know the test's.
        try await expect(
            place.url("&profile=worker"), 78, "not signed by an authority in /etc/", "SQS at 127.0.0.1", with: [:])
    }

    @Test func noTLS() async throws {
        let port = try await MotoServer.shared().port
        let authority = try await CertificateAuthority()
        try await expect(
            Self.url(port, "&cacert=\(authority.certificate)"), 69, "SQS at 127.0.0.1:\(port)", "it does not speak TLS")
    }

    @Test func onlyTLS() async throws {
        let server = try await TLSListener(CertificateAuthority().issue())
        try await expect(Self.url(server.port, scheme: "http"), 69, "one that speaks TLS wants https://")
    }

    @Test func aVersionOfLongAgo() async throws {
        let authority = try await CertificateAuthority()
        let server = try await TLSListener(authority.issue(), "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        try await expect(Self.url(server.port, "&cacert=\(authority.certificate)"), 69, "TLS from 1.2 on")
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func aServerThatWantsACertificate(_ version: String) async throws {
        let authority = try await CertificateAuthority()
        let server = try await TLSListener(authority.issue(), demandingClientsOf: authority, version)
        try await expect(
            Self.url(server.port, "&cacert=\(authority.certificate)"), 77, "it wants a client certificate")
    }

    @Test func aHandshakeThatIsNotAnswered() async throws {
        let silent = try TCPProxy(to: try await MotoServer.shared().port)
        await silent.freeze()
        let authority = try await CertificateAuthority()
        try await expect(
            Self.url(silent.port, "&cacert=\(authority.certificate)"), 69, "no TLS handshake within 5s")
    }

    @Test func aFileWithoutCertificates() async throws {
        let authority = try await CertificateAuthority()
        let certificate = try await authority.issue()
        try await expect(
            Self.url(1, "&cacert=\(certificate.key)"), 78, "cacert: no certificates in PEM form in \(certificate.key)")
    }

    // MARK: Where credentials come from

    @Test func credentialsFromAStranger() async throws {
        let server = try await TLSListener(CertificateAuthority().issue())
        let address = "https://localhost:\(server.port)/"
        let directory = try TemporaryDirectory("token")
        let token = try directory.write(Credentials.wrong, to: "token")
        let moto = try await MotoServer.shared().port
        let alone = ["AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"]
        let container = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": address, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token,
        ]
        let identity = [
            "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
            "AWS_ENDPOINT_URL_STS": address,
        ]
        for variables in [container, identity] {
            try await expect(
                Self.url(moto, scheme: "http"), 78, address,
                "the server's certificate is not signed by an authority in /etc/",
                with: alone.merging(variables) { $1 })
        }
    }
}
