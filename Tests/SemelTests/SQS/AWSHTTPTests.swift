import NIOPosix
import Semel
import Testing

@testable import SemelSQS

/// The HTTP client on a real connection, with a server that does as it is told.
@Suite struct AWSHTTPTests {
    private static func client(authorities: String? = nil, idleLimit: Duration = .seconds(60)) -> AWSHTTP {
        AWSHTTP(on: MultiThreadedEventLoopGroup.singleton, authorities: authorities, idleLimit: idleLimit)
    }

    private let http = Self.client()

    private static func answer(_ body: String, _ headers: String...) -> [ByteServer.Step] {
        let fields = ["content-length: \(body.utf8.count)"] + headers
        return [.write("HTTP/1.1 200 OK\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n\(body)")]
    }

    private func text(_ url: String, within limit: Duration = .seconds(60)) async throws -> String {
        String(decoding: try await http.send(AWSHTTP.Request(url: url), within: limit).body, as: UTF8.self)
    }

    private func failure(_ url: String, within limit: Duration = .seconds(60), of http: AWSHTTP? = nil) async
        -> AWSHTTP.Failure?
    {
        do throws(AWSHTTP.Failure) {
            _ = try await (http ?? self.http).send(AWSHTTP.Request(url: url), within: limit)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Requests

    @Test func whatIsAskedArrivesAsItWasGiven() async throws {
        let server = try await ByteServer { _, _ in Self.answer("yes", "X-Thing: a") }
        let request = AWSHTTP.Request(
            method: "POST", url: "\(server.url)/path%20x?q=1&r=%2F",
            headers: [("host", "signed.example"), ("authorization", "AWS4 x=y"), ("X-Amz-Target", "AmazonSQS.Do")],
            body: Array("body".utf8))
        let response = try await http.send(request, within: .seconds(60))
        #expect(response.status == 200)
        #expect(response.header("x-thing") == "a")
        #expect(String(decoding: response.body, as: UTF8.self) == "yes")
        #expect(
            server.requests == [
                "POST /path%20x?q=1&r=%2F HTTP/1.1\r\nhost: signed.example\r\nauthorization: AWS4 x=y\r\n"
                    + "X-Amz-Target: AmazonSQS.Do\r\ncontent-length: 4\r\n\r\nbody"
            ])
    }

    @Test func withoutABody() async throws {
        let server = try await ByteServer { _, _ in Self.answer("") }
        _ = try await http.send(AWSHTTP.Request(url: server.url), within: .seconds(60))
        _ = try await http.send(AWSHTTP.Request(method: "PUT", url: server.url), within: .seconds(60))
        #expect(
            server.requests == [
                "GET / HTTP/1.1\r\nhost: 127.0.0.1:\(server.port)\r\n\r\n",
                "PUT / HTTP/1.1\r\nhost: 127.0.0.1:\(server.port)\r\ncontent-length: 0\r\n\r\n",
            ])
    }

    /// A token from a file must not become a header of its own.
    @Test func aHeaderThatWouldBeTwo() async throws {
        let server = try await ByteServer { _, _ in Self.answer("") }
        let request = AWSHTTP.Request(url: server.url, headers: [("authorization", "a\r\nx: y")])
        let failure = await #expect(throws: AWSHTTP.Failure.self) {
            try await http.send(request, within: .seconds(60))
        }
        #expect(failure?.reason.contains("has characters that HTTP has no place for") ?? false, "\(failure as Any)")
        #expect(server.requests.isEmpty)
    }

    @Test(arguments: ["nonsense", "ftp://127.0.0.1/", "http:///x", "http://127.0.0.1:99999/"])
    func noURL(_ url: String) async {
        #expect(await failure(url) == AWSHTTP.Failure(reason: "not a URL", kind: .misconfigured))
    }

    @Test(arguments: [
        ("http://host/x", "host", 80), ("https://host", "host", 443), ("https://host:8443/", "host", 8443),
        ("http://[::1]:8080/x", "::1", 8080), ("http://[fd00:ec2::254]/latest", "fd00:ec2::254", 80),
    ])
    func whomAURLMeans(_ url: String, _ name: String, _ port: Int) throws {
        let origin = try #require(ServiceURL(url).flatMap { HTTPOrigin($0) })
        #expect(origin.name == name && origin.port == port && origin.isEncrypted == url.hasPrefix("https"))
    }

    // MARK: Answers

    @Test func inChunks() async throws {
        let server = try await ByteServer { _, number in
            guard number == 0 else { return Self.answer("next") }
            return [
                "HTTP/1.1 200 OK\r\ntransfer-enc", "oding: chunked\r\n\r\n5\r\nfi", "ve \r\n6;x=y\r\npieces\r\n0\r\n",
                "\r\n",
            ]
            .map { .write($0) }
        }
        #expect(try await text(server.url) == "five pieces")
        #expect(try await text(server.url) == "next")
        #expect(server.opened == 1)
    }

    @Test func toTheEndOfTheConnection() async throws {
        let server = try await ByteServer { _, _ in
            [.write("HTTP/1.1 200 OK\r\n\r\nto the"), .write(" end"), .hangUp]
        }
        #expect(try await text(server.url) == "to the end")
        #expect(try await text(server.url) == "to the end")
        #expect(server.opened == 2)
    }

    @Test(arguments: ["100 Continue", "103 Early Hints"])
    func wordsBeforeTheAnswer(_ status: String) async throws {
        let server = try await ByteServer { _, _ in [.write("HTTP/1.1 \(status)\r\n\r\n")] + Self.answer("at last") }
        #expect(try await text(server.url) == "at last")
    }

    @Test func anotherStatusIsAnAnswer() async throws {
        let server = try await ByteServer { _, _ in
            [.write("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")]
        }
        let response = try await http.send(AWSHTTP.Request(url: server.url), within: .seconds(60))
        #expect(response.status == 302 && server.requests.count == 1)
    }

    @Test func asLargeAsItMayBe() async throws {
        let most = 16 << 20
        let server = try await ByteServer { _, number in
            [.write("HTTP/1.1 200 OK\r\ncontent-length: \(most + number)\r\n\r\n"), .fill(most + number)]
        }
        let response = try await http.send(AWSHTTP.Request(url: server.url), within: .seconds(60))
        #expect(response.body.count == most)
        #expect(await failure(server.url)?.reason == "the answer is larger than 16 MiB")
        try await eventually("the rest is not read") { server.gone == server.opened }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", "HTTP/1.1 200 OK\r\ncontent-le",
    ])
    func cutInTheMiddle(_ half: String) async throws {
        let server = try await ByteServer { _, _ in [.write(half), .hangUp] }
        let failure = await failure(server.url)
        #expect(failure?.kind == .unanswered)
        #expect(failure?.reason.contains("the connection was closed") ?? false, "\(failure as Any)")
    }

    @Test func somethingElseThanHTTP() async throws {
        let other = try await ByteServer { _, _ in [.write("SSH-2.0-OpenSSH_9.2\r\n")] }
        #expect(await failure(other.url)?.reason.hasPrefix("the answer is not HTTP") ?? false)
        // An alert.
        let tls = try await ByteServer { _, _ in [.write("\u{15}\u{3}\u{1}\0\u{2}\u{2}F"), .hangUp] }
        #expect(await failure(tls.url)?.reason.contains("one that speaks TLS wants https://") ?? false)
    }

    // MARK: Waiting

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"])
    func tooSlow(_ first: String) async throws {
        let server = try await ByteServer { _, _ in [.write(first)] }
        #expect(
            await failure(server.url, within: .milliseconds(300)) == AWSHTTP.Failure(reason: "no answer within 300ms"))
        try await eventually("it hangs up") { server.gone == 1 }
    }

    @Test func calledOff() async throws {
        let server = try await ByteServer { _, _ in [] }
        let asking = Task { await failure(server.url) }
        try await eventually("it asks") { server.requests.count == 1 }
        asking.cancel()
        #expect(await asking.value?.reason == "nobody waits for the answer any more")
        try await eventually("it hangs up") { server.gone == 1 }
    }

    /// What was called off before there was a connection is not sent when there is one.
    @Test func calledOffBeforeItBegins() async throws {
        let server = try await ByteServer { _, _ in Self.answer("") }
        let asking = Task {
            try? await Task.sleep(for: .seconds(60))
            return await failure(server.url)
        }
        asking.cancel()
        #expect(await asking.value?.reason == "nobody waits for the answer any more")
        try await eventually("it hangs up") { server.gone == server.opened }
        #expect(server.requests.isEmpty)
    }

    @Test func nobodyThere() async throws {
        let server = try await ByteServer { _, _ in [] }
        try await server.close()
        #expect(await failure(server.url) == AWSHTTP.Failure(reason: "cannot connect: Connection refused"))
    }

    // MARK: Connections

    @Test func oneAfterTheOther() async throws {
        let server = try await ByteServer { _, number in Self.answer("\(number)") }
        for number in 0..<5 { #expect(try await text(server.url) == "\(number)") }
        #expect(server.opened == 1)
    }

    @Test func severalAtOnce() async throws {
        let server = try await ByteServer { request, _ in
            request.contains("/now") ? Self.answer("now") : [.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n")]
        }
        // A poll that is not answered, and an extension beside it.
        let poll = Task { await failure("\(server.url)/poll") }
        try await eventually("it polls") { server.requests.count == 1 }
        #expect(try await text("\(server.url)/now") == "now")
        #expect(try await text("\(server.url)/now") == "now")
        #expect(server.opened == 2)
        poll.cancel()
        _ = await poll.value
    }

    @Test func toAnotherServer() async throws {
        let servers = [
            try await ByteServer { _, _ in Self.answer("a") }, try await ByteServer { _, _ in Self.answer("b") },
        ]
        for _ in 0..<2 {
            #expect(try await text(servers[0].url) == "a")
            #expect(try await text(servers[1].url) == "b")
        }
        #expect(servers.map(\.opened) == [1, 1])
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nConnection: close", "HTTP/1.0 200 OK"])
    func notToBeKept(_ head: String) async throws {
        let server = try await ByteServer { _, _ in [.write("\(head)\r\ncontent-length: 1\r\n\r\n.")] }
        for _ in 0..<2 { #expect(try await text(server.url) == ".") }
        #expect(server.opened == 2)
        try await eventually("it hangs up") { server.gone == 2 }
    }

    @Test func theServerEndsAnIdleConnection() async throws {
        let server = try await ByteServer { _, number in Self.answer("\(number)") + [.hangUp] }
        for number in 0..<3 {
            #expect(try await text(server.url) == "\(number)")
            try await eventually("the client has noticed") { server.gone == number + 1 }
        }
    }

    /// It may have been heard: whoever asks decides whether to ask again.
    @Test func theServerEndsItWithTheQuestion() async throws {
        let server = try await ByteServer { _, number in number == 1 ? [.hangUp] : Self.answer("\(number)") }
        #expect(try await text(server.url) == "0")
        #expect(await failure(server.url) == AWSHTTP.Failure(reason: "the connection was closed"))
        #expect(server.requests.count == 2)
        #expect(try await text(server.url) == "2")
    }

    @Test func bytesThatNobodyAskedFor() async throws {
        let server = try await ByteServer { _, _ in Self.answer("first") + Self.answer("second") }
        #expect(try await text(server.url) == "first")
        try await eventually("the connection is not used again") { server.gone == 1 }
        #expect(try await text(server.url) == "first")
        #expect(server.opened == 2)
    }

    @Test func idleForTooLong() async throws {
        let server = try await ByteServer { _, _ in Self.answer("") }
        let http = Self.client(idleLimit: .milliseconds(100))
        #expect(await failure(server.url, of: http) == nil)
        try await eventually("it hangs up") { server.gone == 1 }
        #expect(await failure(server.url, of: http) == nil)
        #expect(server.opened == 2)
    }

    @Test func closed() async throws {
        let server = try await ByteServer { _, _ in Self.answer("") }
        var http: AWSHTTP? = Self.client()
        #expect(await failure(server.url, of: http) == nil)
        await http?.close()
        try await eventually("it hangs up") { server.gone == 1 }
        // As when it is forgotten.
        http = Self.client()
        #expect(await failure(server.url, of: http) == nil)
        http = nil
        try await eventually("it hangs up") { server.gone == 2 }
    }

    // MARK: HTTPS

    @Test func nobodyToTrust() async {
        let failure = await failure("https://127.0.0.1:1/")
        #expect(failure?.kind == .misconfigured)
        #expect(failure?.reason.contains("no certificate authorities are on this machine") ?? false)
    }

    @Test func noAuthoritiesInTheFile() async throws {
        let directory = try TemporaryDirectory()
        let file = directory / "ca.pem"
        try Files.write("nothing", to: file)
        let failure = await failure("https://127.0.0.1:1/", of: Self.client(authorities: file))
        #expect(failure?.kind == .misconfigured)
        #expect(
            failure?.reason.contains("cacert: no certificates in PEM form in \(file)") ?? false, "\(failure as Any)")
    }
}
