import TestSupport
import Testing

/// What is wrong with a connection over TLS is said, and decides the exit code: the server is not the one that was asked
/// for (78), it does not want this client (77), or there is none (69).
@Suite(.throttled)
struct TLSRefusalTests {
    /// Of a worker that claims nothing.
    private func end(of url: String) async throws -> WorkerEnd {
        try await Worker(url: url, ["--wait", "0"], secrets: [Credentials.wrong], task: ["true"]).end()
    }

    @Test func aServerThatAnotherAuthoritySigned() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        let other = try await CertificateAuthority("others")
        try await end(of: tls.url(queue: "q", user: "guest:guest", options: ["cacert": other.certificate]))
            .expect(
                78, "misconfigured", saying: "RabbitMQ at 127.0.0.1:\(tls.port)",
                "not signed by an authority in \(other.certificate)")
    }

    /// The machine's own authorities do not know the test's.
    @Test func aServerThatNoKnownAuthoritySigned() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        try await end(of: "amqps://127.0.0.1:\(tls.port)/?queue=q")
            .expect(78, "misconfigured", saying: "not signed by an authority in /etc/")
    }

    @Test func aServerOfAnotherName() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        let place = "\(RabbitMQOverTLS.unnamedHost):\(tls.unnamedPort)"
        try await end(of: tls.url(queue: "q", user: "guest:guest", at: place))
            .expect(78, "misconfigured", saying: "is not for ‘\(RabbitMQOverTLS.unnamedHost)’")
        // The same where nothing is verified: the next thing that is wrong is the queue.
        try await end(of: tls.url(queue: "missing", user: "guest:guest", at: place, options: ["verify": "off"]))
            .expect(78, "misconfigured", saying: "no queue 'missing'")
    }

    @Test func aVersionOfLongAgo() async throws {
        let authority = try await CertificateAuthority()
        let server = try await TLSListener(authority.issue(), "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        try await end(of: "amqps://127.0.0.1:\(server.port)/?queue=q&cacert=\(authority.certificate)")
            .expect(69, "unreachable", saying: "TLS", "version")
    }

    @Test func aServerThatSpeaksNoTLS() async throws {
        let server = try await RabbitMQServer.shared()
        try await end(of: "amqps://127.0.0.1:\(server.port)/?queue=q&verify=off")
            .expect(69, "unreachable", saying: "127.0.0.1:\(server.port)", "no TLS is spoken there")
    }

    @Test func aServerThatSpeaksOnlyTLS() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        try await end(of: "amqp://guest:guest@127.0.0.1:\(tls.port)/?queue=q")
            .expect(69, "unreachable", saying: "127.0.0.1:\(tls.port)", "amqps://")
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func aServerThatWantsACertificate(_ version: String) async throws {
        let authority = try await CertificateAuthority()
        let clients = try await CertificateAuthority("clients")
        let server = try await TLSListener(authority.issue(), demandingClientsOf: clients, version)
        let url = "amqps://127.0.0.1:\(server.port)/?queue=q&cacert=\(authority.certificate)"
        try await end(of: url).expect(77, "refused", saying: "wants a client's certificate", "cert=FILE&key=FILE")

        let stranger = try await authority.issue("stranger")
        try await end(of: "\(url)&cert=\(stranger.chain)&key=\(stranger.key)")
            .expect(77, "refused", saying: "the client's certificate is not accepted", "unknown ca")
    }

    @Test func aCertificateThatTheBrokerDoesNotKnow() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        let strangers = try await CertificateAuthority("strangers")
        let stranger = try await strangers.issue("guest")
        let own = try await tls.clients.issue("nobody-here")
        try await end(of: tls.url(queue: "q", user: nil, options: ["cert": stranger.chain, "key": stranger.key]))
            .expect(77, "refused", saying: "the client's certificate is not accepted", "unknown ca")
        try await end(of: tls.url(queue: "q", user: nil, options: ["cert": own.chain, "key": own.key]))
            .expect(77, "refused", saying: "EXTERNAL")
    }

    @Test func aBrokerThatKnowsNoUsersByCertificate() async throws {
        let authority = try await CertificateAuthority()
        let port = try FreePort.next()
        let (certificate, client) = (try await authority.issue(), try await authority.issue("guest"))
        let server = try await RabbitMQServer.start(configuration: [
            "listeners.ssl.1 = 127.0.0.1:\(port)", "ssl_options.certfile = \(certificate.chain)",
            "ssl_options.keyfile = \(certificate.key)",
        ])
        try await end(
            of:
                "amqps://127.0.0.1:\(port)/?queue=q&cacert=\(authority.certificate)&cert=\(client.chain)&key=\(client.key)"
        ).expect(77, "refused", saying: "SASL EXTERNAL", "rabbitmq_auth_mechanism_ssl")
        withExtendedLifetime(server) {}
    }

    @Test func aPasswordThatIsWrong() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        try await end(of: tls.url(queue: "q", user: "guest:\(Credentials.wrong)")).expect(
            77, "refused", saying: "refused")
    }

    /// They are read before anything is connected to, or with the connection; never is it the broker's fault.
    @Test func filesThatCannotBeUsed() async throws {
        let directory = try TemporaryDirectory("files")
        let empty = try directory.write("no PEM", to: "empty.pem")
        let tls = try await RabbitMQOverTLS.shared()
        let (one, other) = (try await tls.clients.issue("one"), try await tls.clients.issue("other"))
        for (options, word) in [
            (["cacert": directory.path("none")], "cacert: cannot read"), (["cacert": empty], "cacert: \(empty)"),
            (["cert": empty, "key": one.key], "cert: \(empty)"), (["cert": one.chain, "key": empty], "key: \(empty)"),
            (["cert": one.chain, "key": other.key], "key: \(other.key)"), (["cert": one.chain], "without its key"),
        ] {
            // Those that are noticed before anything is logged have a line of another form.
            let end = try await end(of: tls.url(queue: "q", user: "guest:guest", options: options))
            #expect(end.status == .exited(78), "\(end.stderr)")
            #expect(end.report?.outcome == "misconfigured", "\(end.stderr)")
            #expect(
                end.lastLine.contains("SEMEL_QUEUE: ") && end.lastLine.contains(word), "‘\(word)’ in \(end.lastLine)")
        }
    }
}
