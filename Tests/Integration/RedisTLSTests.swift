import Foundation
import TestSupport
import Testing

/// Redis over TLS: a whole life, and everything that one side may have against the other.
@Suite(.oneLane)
struct RedisTLSTests {
    private static let user = #"user worker on ">\#(Credentials.password)" ~* +@all"#

    /// A server, its authority and a client's certificate.
    private struct Place {
        let server: RedisServer
        let port: Int
        let authority: CertificateAuthority
        let client: CertificateAuthority.Certificate

        init(
            names: [String] = CertificateAuthority.loopback, validity: CertificateAuthority.Validity = .today,
            wantsClients: Bool = false
        ) async throws {
            authority = try await CertificateAuthority()
            client = try await authority.issue("worker", for: [])
            let tls = try RedisTLS(
                try await authority.issue(for: names, validity: validity), clientsOf: authority,
                wantsClients: wantsClients)
            port = tls.port
            server = try await .start(configuration: tls.configuration + [RedisTLSTests.user])
        }

        func url(_ options: String, host: String = "127.0.0.1", scheme: String = "rediss", port: Int? = nil) -> String {
            "\(scheme)://\(host):\(port ?? self.port)/0?list=q\(options)"
        }

        var trusting: String { "&cacert=\(authority.certificate)" }
    }

    private func expect(
        _ url: String, _ code: Int32, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let end = try await Worker(url: url, secrets: Credentials.secrets, task: ["true"]).end()
        #expect(end.status == .exited(code), "\(end.stderr)", sourceLocation: sourceLocation)
        #expect(end.lastLine.contains(words), "\(end.stderr)", sourceLocation: sourceLocation)
        #expect(end.report?.reason?.contains(words) == true, "\(end.stderr)", sourceLocation: sourceLocation)
        #expect(end.stderr.count { $0 == "\n" } == 1, "\(end.stderr)", sourceLocation: sourceLocation)
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func aWholeLife(_ host: String) async throws {
        let place = try await Place(wantsClients: true)
        let password = try TemporaryDirectory("password")
        let file = try password.write(Credentials.password + "\n", to: "password")
        let url =
            "rediss://worker@\(host):\(place.port)/0?list=q\(place.trusting)&cert=\(place.client.chain)"
            + "&key=\(place.client.key)&passwordFile=\(file)"
        func work(_ task: [String]) throws -> Worker {
            try Worker(url: url, ["--max-attempts", "2"], secrets: Credentials.secrets, task: task)
        }
        let waiting = try work(Shell.succeeding)
        try await eventually(timeout: .seconds(60), "it waits: \(waiting.process.report)") {
            try await place.server.command("CLIENT", "LIST").text?.contains("cmd=blmove") ?? false
        }
        // More than one record of TLS, and more than one read.
        let large = String(repeating: "0123456789abcdef", count: 1 << 16)
        try await place.server.command("RPUSH", "q", "\(large)")
        let first = try await waiting.end()
        #expect(first.status == .exited(0), "\(first.stderr)")
        #expect(first.text == large)
        let queued = try await run(.semelctl, ["enqueue", "hello"], environment: ["SEMEL_QUEUE": url])
        #expect(queued.status == .exited(0), "\(queued.stderrText)")
        #expect(try await work(Shell.failing).end().status == .exited(75))
        #expect(try await work(Shell.failing).end().status == .exited(65))
        let dead = try await run(.semelctl, ["dead", "list"], environment: ["SEMEL_QUEUE": url])
        #expect(dead.stdoutText.contains("exited with 3"), "\(dead.stdoutText)\(dead.stderrText)")
        // Read again for every connection.
        try password.write(Credentials.wrong, to: "password")
        try await expect(url, 77, "WRONGPASS")
    }

    // MARK: What a worker has against a server

    @Test func anUnknownAuthority() async throws {
        let place = try await Place()
        let other = try await CertificateAuthority("other")
        try await expect(
            place.url("&cacert=\(other.certificate)"), 78, "not signed by an authority in \(other.certificate) (cacert)"
        )
        try await expect(place.url(""), 78, "not signed by an authority in /etc/")
        let trusted = try await Worker(url: place.url("&verify=off"), ["--wait", "0"], task: ["true"]).end()
        #expect(trusted.status == .exited(0), "\(trusted.stderr)")
    }

    @Test func somebodyElse() async throws {
        let name = try await Place(names: ["DNS:localhost"])
        try await expect(name.url(name.trusting), 78, "the server's certificate is not for ‘127.0.0.1’")
        let address = try await Place(names: ["IP:192.0.2.1", "DNS:redis.example"])
        try await expect(
            address.url(address.trusting, host: "localhost"), 78, "the server's certificate is not for ‘localhost’")
    }

    // MARK: What a server has against a worker

    @Test func noCertificate() async throws {
        let place = try await Place(wantsClients: true)
        try await expect(place.url(place.trusting), 77, "it wants a client certificate")
        let other = try await CertificateAuthority("other")
        let stranger = try await other.issue("worker", for: [])
        try await expect(
            place.url("\(place.trusting)&cert=\(stranger.chain)&key=\(stranger.key)"), 77,
            "it does not accept the client certificate: unknown ca")
        withExtendedLifetime(other) {}
        let old = try await place.authority.issue("worker", for: [], validity: .past)
        try await expect(
            place.url("\(place.trusting)&cert=\(old.chain)&key=\(old.key)"), 77,
            "it does not accept the client certificate: certificate expired")
    }

    @Test func unknownUser() async throws {
        let place = try await Place()
        try await expect(
            "rediss://nobody:\(Credentials.wrong)@127.0.0.1:\(place.port)/0?list=q\(place.trusting)", 77, "WRONGPASS")
    }

    // MARK: No TLS

    @Test func onlyOneSideSpeaksIt() async throws {
        let place = try await Place()
        try await expect(place.url("", scheme: "redis"), 69, "one that speaks TLS wants rediss://")
        // Redis itself would wait for the end of a line, which need not come.
        let other = try await RabbitMQServer.shared().managementPort
        try await expect(place.url(place.trusting, port: other), 69, "it does not speak TLS")
    }

    @Test func nobodyAnswers() async throws {
        let place = try await Place()
        let silent = try TCPProxy(to: place.port)
        await silent.freeze()
        try await expect(place.url(place.trusting, port: silent.port), 69, "no TLS handshake within 10s")
    }

    // MARK: Files

    @Test func filesThatHoldSomethingElse() async throws {
        let place = try await Place()
        let key = place.client.key
        try await expect(place.url("&cacert=\(key)"), 78, "cacert: no certificates in PEM form in \(key)")
        try await expect(
            place.url("\(place.trusting)&cert=\(key)&key=\(key)"), 78, "cert: no certificates in PEM form in \(key)")
        try await expect(
            place.url("\(place.trusting)&cert=\(place.client.chain)&key=\(place.client.chain)"), 78,
            "key: no private key in PEM form in \(place.client.chain)")
        let other = try await place.authority.issue("other", for: [])
        try await expect(
            place.url("\(place.trusting)&cert=\(place.client.chain)&key=\(other.key)"), 78,
            "certificate and its key do not belong together")
    }

    // MARK: explain

    @Test func triggersAreReadWithCertificatesFromSecrets() async throws {
        let place = try await Place(wantsClients: true)
        try await place.server.command("RPUSH", "q", "a", "b")
        var text = ScaledJobText(triggers: [.redis("q", address: "localhost:\(place.port)")])
        text.authentication = [
            "tls": "enable", "ca": try place.authority.certificateText, "cert": try place.client.chainText,
            "key": try place.client.keyText, "username": "worker", "password": Credentials.password,
        ]
        #expect(try await Explain.reading(text.text) == 2)
        text.authentication["ca"] = try await CertificateAuthority("other").certificateText
        let end = try await Explain.run(["-f", "-"], input: text.text)
        #expect(
            end.status == .exited(78)
                && end.complaint.contains("not signed by an authority in the text that was given"), "\(end.stderrText)")
    }
}
