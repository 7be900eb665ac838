import Foundation
import TestSupport
import Testing

/// Everything that is done on a plain connection is done over TLS.
@Suite(.oneLane)
struct TLSTests {
    private func queue() async throws -> RabbitMQUnderTest {
        try await RabbitMQUnderTest(.quorum, over: .shared())
    }

    @Test func aWholeLife() async throws {
        let queue = try await queue()
        try await Semelctl.run(queue, ["enqueue", "--id", "one"], input: Array("body".utf8))
        #expect(try await Semelctl.run(queue, ["queue", "--json"]).contains(/"ready" ?: ?1\b/))
        // Retry and dead letter are published on a connection of their own.
        let failed = try await Worker.run(queue, task: Shell.failing)
        #expect(failed.status == .exited(75), "\(failed.stderr)")
        let rejected = try await Worker.run(queue, task: Shell.rejecting)
        #expect(rejected.status == .exited(65), "\(rejected.stderr)")
        #expect(rejected.report?.attempt == 2)
        #expect(try await Semelctl.run(queue, ["queue", "--json"]).contains(/"dead" ?: ?1\b/))
        #expect(try await Semelctl.run(queue, ["dead", "list"]).contains("no good"))
        try await Semelctl.run(queue, ["dead", "retry", "--all", "--yes"])
        let completed = try await Worker.run(queue, task: Shell.run(#"cat; printf ' to %s' "$SEMEL_QUEUE""#))
        #expect(completed.status == .exited(0), "\(completed.stderr)")
        #expect(completed.text.hasPrefix("body to amqps://127.0.0.1:"), "\(completed.text)")
        #expect(try await queue.left() == .nothing)
    }

    @Test func aResultThatIsAwaited() async throws {
        let queue = try await queue()
        let asking = Task {
            try await Semelctl.run(
                queue, ["enqueue", "--await", "--await-timeout", "60s"], input: Array("question".utf8))
        }
        let answering = try await Worker.run(queue, ["--result", "stdout"], task: Shell.run("cat; echo ' answered'"))
        #expect(answering.status == .exited(0), "\(answering.stderr)")
        #expect(try await asking.value == "question answered\n")
    }

    /// Many frames come in one record of TLS, and large ones in many: whatever OpenSSL has decrypted is read before the
    /// socket is waited for.
    @Test func manySmallMessages() async throws {
        let queue = try await queue()
        let letters = 200
        try await queue.server.declareQueue("\(queue.queue).dead")
        try await queue.server.publish(
            bodies: (1...letters).map { Array("letter \($0)".utf8) }, to: "\(queue.queue).dead")
        let started = ContinuousClock.now
        let list = try await Semelctl.run(queue, ["dead", "list"])
        #expect(list.split(separator: "\n").count == letters)
        // A frame that is overlooked waits for the next heartbeat, ten seconds at the least.
        #expect(ContinuousClock.now - started < .seconds(letters / 4))
    }

    @Test func theNameAndTheAddressAreBothInTheCertificate() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        let queue = try await queue()
        try await queue.put("m")
        let end = try await Worker(
            url: queue.url.replacing("127.0.0.1:\(tls.port)", with: "localhost:\(tls.port)"), task: ["true"]
        ).end()
        #expect(end.report?.outcome == "completed", "\(end.stderr)")
    }

    @Test func nothingIsVerifiedWhenThatIsSaid() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        let queue = try await queue()
        try await queue.put("m")
        let place = "\(RabbitMQOverTLS.unnamedHost):\(tls.unnamedPort)"
        let url = tls.url(queue: queue.queue, user: "guest:guest", at: place, options: ["verify": "off"])
        let end = try await Worker(url: url, task: ["true"]).end()
        #expect(end.report?.outcome == "completed", "\(end.stderr)")
    }

    /// The authorities of an image are where OpenSSL's variable says, else in one of the usual places.
    @Test func authoritiesOfTheMachine() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        let queue = try await queue()
        try await queue.put("m")
        let url = String(queue.url.replacing(/[?&]cacert=[^&]*/, with: "").replacing("%2F&", with: "%2F?"))
        let end = try await Worker(
            url: url, environment: ["SSL_CERT_FILE": tls.authority.certificate], task: ["true"]
        ).end()
        #expect(end.report?.outcome == "completed", "\(end.stderr)")
    }

    /// The machine's own in their place would be trusted unasked.
    @Test func authoritiesThatAreNotThere() async throws {
        let queue = try await queue()
        let url = String(queue.url.replacing(/[?&]cacert=[^&]*/, with: "").replacing("%2F&", with: "%2F?"))
        let end = try await Worker(url: url, environment: ["SSL_CERT_FILE": "/nowhere"], task: ["true"]).end()
        #expect(end.status == .exited(78))
        #expect(end.stderr.contains("SSL_CERT_FILE: cannot read /nowhere"), "\(end.stderr)")
    }

    /// The certificate is the user, also for what is published.
    @Test func aClientWithACertificate() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        let queue = try await queue()
        let client = try await tls.clients.issue(queue.user)
        let url = tls.url(queue: queue.queue, user: nil, options: ["cert": client.chain, "key": client.key])
        try await queue.put("m", "n")
        let rejected = try await Worker(url: url, task: Shell.rejecting).end()
        #expect(rejected.status == .exited(65), "\(rejected.stderr)")
        // One with a password besides is the user of that name.
        let named = tls.url(
            queue: queue.queue, user: "guest:guest", options: ["cert": client.chain, "key": client.key])
        let completed = try await Worker(url: named, task: ["true"]).end()
        #expect(completed.report?.outcome == "completed", "\(completed.stderr)")
        #expect(try await queue.left() == .oneDead)
    }

    @Test func theURLInAFile() async throws {
        let queue = try await queue()
        let directory = try TemporaryDirectory("url")
        let file = try directory.write("\(queue.url)\n", to: "queue")
        try await queue.put("m", "n")
        let task = Shell.run(#"printf '%s' "$SEMEL_QUEUE $SEMEL_QUEUE_FILE""#)
        let byVariable = try await Worker(
            environment: ["SEMEL_QUEUE_FILE": file], secrets: queue.secrets, task: task
        ).end()
        #expect(byVariable.status == .exited(0), "\(byVariable.stderr)")
        #expect(byVariable.text.hasPrefix("amqps://127.0.0.1:"))
        let byFlag = try await Worker(["--queue-file", file], secrets: queue.secrets, task: task).end()
        #expect(byFlag.status == .exited(0), "\(byFlag.stderr)")
        let counted = try await TestSupport.run(.semelctl, ["queue", "--queue-file", file])
        #expect(counted.status == .exited(0), "\(counted.stderrText)")
        #expect(try await queue.left() == .nothing)
    }

    /// Certificates and keys of a TriggerAuthentication are text in a Secret.
    @Test func aTriggerThatIsReadOverTLS() async throws {
        let tls = try await RabbitMQOverTLS.shared()
        let queue = try await queue()
        let client = try await tls.clients.issue(queue.user)
        try await queue.put("a", "b")
        var text = ScaledJobText(triggers: [.rabbitMQ(queue.queue)])
        text.authentication = [
            "host": "amqps://127.0.0.1:\(tls.port)/", "tls": "enable", "ca": try tls.authority.certificateText,
            "cert": try client.chainText, "key": try client.keyText,
        ]
        #expect(try await Explain.reading(text.text) == 2)

        text.authentication["host"] = String(queue.url.prefix { $0 != "?" })
        text.authentication["cert"] = nil
        text.authentication["key"] = nil
        #expect(try await Explain.reading(text.text) == 2)

        text.authentication["ca"] = try await CertificateAuthority("others").certificateText
        let untrusted = try await Explain.run(["-f", "-"], input: text.text)
        #expect(untrusted.status == .exited(78))
        #expect(
            untrusted.complaint.contains("not signed by an authority in ‘ca’ of the authentication"),
            "\(untrusted.stderrText)")
    }
}

@Suite(.allLanes)
struct LargeBodyOverTLSTests {
    @Test func theLargest() async throws {
        let queue = try await RabbitMQUnderTest(.classic, over: .shared())
        let directory = try TemporaryDirectory("large")
        let file = directory.path("body")
        let made = try await run(
            .init(path: "/bin/sh"),
            [
                "-c", #"head -c "$2" /dev/urandom > "$1"; sha256sum < "$1""#, "sh", file,
                "\(queue.kind.traits.largestBody)",
            ])
        try #require(made.status == .exited(0))
        try await Semelctl.enqueue(queue, file: file)
        let end = try await Worker.run(queue, task: ["sha256sum"], timeout: .seconds(180))
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == made.stdoutText)
        #expect(try await queue.left() == .nothing)
    }
}
