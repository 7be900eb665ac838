import Foundation
import Semel
import Testing

@testable import SemelStatusServer

@Suite struct StatusPagesTests {
    private let status = WorkerStatus(queue: "redis://host:6379/0?list=usertask")
    private var pages: StatusPages { StatusPages(board: StatusBoard(status)) }

    private func claim() throws {
        status.claimed(
            Message(id: "m-1", body: try MessageBody("secret body".utf8), attempt: 2), maxAttempts: 5,
            deadline: Timestamp(milliseconds: 1_795_267_662_123), lease: .seconds(30))
    }

    private func json() throws -> [String: Any] {
        let body = pages.answer(method: "GET", uri: "/status").body
        return try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
    }

    @Test func wordsForPollLoops() throws {
        #expect(pages.answer(method: "GET", uri: "/get/status").body == "IDLE")
        try claim()
        let page = pages.answer(method: "GET", uri: "/get/status")
        #expect(page.body == "ING")
        #expect(page.code == 200)
        #expect(page.type == "text/plain; charset=utf-8")
        status.ended(.completed, reason: nil)
        #expect(pages.answer(method: "GET", uri: "/get/status").body == "COMPLETED")
    }

    @Test func failureForPollLoops() throws {
        try claim()
        status.ended(.retry, reason: "why")
        #expect(pages.answer(method: "GET", uri: "/get/status").body == "FAILED")
    }

    @Test func statusBeforeAClaim() throws {
        let page = pages.answer(method: "GET", uri: "/status")
        #expect(page.code == 200)
        #expect(page.type == "application/json")
        #expect(page.body.hasSuffix("}\n"))
        let document = try json()
        #expect(
            Set(document.keys)
                == ["state", "queue", "started", "waitSeconds", "seconds", "outputBytes", "output", "version"])
        #expect(document["state"] as? String == "IDLE")
        #expect(document["queue"] as? String == "redis://host:6379/0?list=usertask")
        #expect(document["seconds"] as? Double == 0)
        #expect(document["version"] as? String == Version.current)
    }

    @Test func statusOfARunningTask() throws {
        try claim()
        status.progress(0.25, "unpacking \"layer\" 3")
        status.leaseExtended()
        Array("one\ntwo\n".utf8).withUnsafeBytes { status.output($0) }
        let document = try json()
        #expect(document["state"] as? String == "ING")
        #expect(document["messageId"] as? String == "m-1")
        #expect(document["attempt"] as? Int == 2)
        #expect(document["maxAttempts"] as? Int == 5)
        #expect(document["progress"] as? Double == 0.25)
        #expect(document["note"] as? String == "unpacking \"layer\" 3")
        #expect(document["deadline"] as? String == "2026-11-21T13:27:42.123Z")
        #expect(document["output"] as? [String] == ["one", "two"])
        #expect(document["outputBytes"] as? Int == 8)
        let lease = try #require(document["lease"] as? [String: Any])
        #expect(lease["seconds"] as? Double == 30)
        #expect(lease["extensions"] as? Int == 1)
        #expect(document["outcome"] == nil)
        #expect(document["claimLost"] == nil)
        #expect(!pages.answer(method: "GET", uri: "/status").body.contains("secret body"))
    }

    @Test func statusAtTheEnd() throws {
        try claim()
        status.claimLost(ClaimLoss("the lease is over"))
        status.ended(.lost, reason: "the lease is over")
        let document = try json()
        #expect(document["state"] as? String == "FAILED")
        #expect(document["outcome"] as? String == "lost")
        #expect(document["reason"] as? String == "the lease is over")
        #expect(document["claimLost"] as? String == "the lease is over")
    }

    @Test func healthLastsAsLongAsTheClaim() throws {
        let page = pages.answer(method: "GET", uri: "/healthz")
        #expect(page.code == 200)
        #expect(page.body == "ok\n")
        try claim()
        #expect(pages.answer(method: "GET", uri: "/healthz").code == 200)
        status.claimLost(ClaimLoss("the lease is over"))
        let sick = pages.answer(method: "GET", uri: "/healthz")
        #expect(sick.code == 503)
        #expect(sick.body == "claim lost: the lease is over\n")
    }

    @Test func readyFromTheClaimOnAndForEver() throws {
        let page = pages.answer(method: "GET", uri: "/readyz")
        #expect(page.code == 503)
        #expect(page.body == "no message claimed yet\n")
        try claim()
        #expect(pages.answer(method: "GET", uri: "/readyz").code == 200)
        #expect(pages.answer(method: "GET", uri: "/readyz").body == "claimed\n")
        status.claimLost(ClaimLoss("gone"))
        status.ended(.lost, reason: nil)
        #expect(pages.answer(method: "GET", uri: "/readyz").code == 200)
    }

    @Test func metrics() {
        let page = pages.answer(method: "GET", uri: "/metrics")
        #expect(page.code == 200)
        #expect(page.type == "text/plain; version=0.0.4; charset=utf-8")
        #expect(page.body.hasPrefix("# HELP semel_state "))
    }

    @Test func pageForPeople() {
        let page = pages.answer(method: "GET", uri: "/")
        #expect(page.code == 200)
        #expect(page.type == "text/html; charset=utf-8")
        #expect(page.headers.count == 1)
        #expect(page.headers.first?.0 == "content-security-policy")
        #expect(page.body.lowercased().hasPrefix("<!doctype html>"))
        // Self-contained: a cluster has no way out, and nobody is to be asked for scripts.
        #expect(!page.body.contains("http://") && !page.body.contains("https://"))
    }

    @Test(arguments: ["/nothing", "", "*", "/status/", "/STATUS", "//", "/get", "/../etc/passwd", "http://host/status"])
    func pagesThatAreNotThere(uri: String) {
        let page = pages.answer(method: "GET", uri: uri)
        #expect(page.code == 404)
        #expect(page.body == "no such page; there are /get/status /status /healthz /readyz /metrics and /\n")
    }

    @Test(arguments: ["/get/status?x=1", "/get/status#top", "/get/status?", "/get/status?a?b#c"])
    func whatComesBehindThePathDoesNotMatter(uri: String) {
        #expect(pages.answer(method: "GET", uri: uri).body == "IDLE")
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "get", ""])
    func methodsThatAreNotAllowed(method: String) {
        let page = pages.answer(method: method, uri: "/status")
        #expect(page.code == 405)
        #expect(page.headers.map { $0.0 + ": " + $0.1 } == ["allow: GET, HEAD"])
    }

    @Test func headIsLikeGet() {
        #expect(pages.answer(method: "HEAD", uri: "/get/status").code == 200)
        #expect(pages.answer(method: "HEAD", uri: "/readyz").code == 503)
    }
}

@Suite struct StatusAddressTests {
    @Test(arguments: [
        ("0.0.0.0:8082", "0.0.0.0", 8082), (":8082", "0.0.0.0", 8082), ("[::]:8082", "::", 8082),
        ("[::1]:0", "::1", 0), ("127.0.0.1:65535", "127.0.0.1", 65_535), ("localhost:80", "localhost", 80),
    ])
    func isRead(text: String, host: String, port: Int) throws {
        let address = try #require(try StatusAddress.parse(text, source: "--status-address"))
        #expect(address == StatusAddress(host: host, port: port, source: "--status-address"))
    }

    @Test func canBeOff() throws {
        #expect(try StatusAddress.parse("off", source: "--status-address") == nil)
    }

    @Test func isGivenUnlessSomebodySaysOtherwise() throws {
        let address = try StatusAddress.parse(StatusAddress.defaultText, source: "x")
        #expect(address == StatusAddress(host: "0.0.0.0", port: 8082, source: "x"))
    }

    @Test(arguments: [
        "", ":", "8082", "host:", "host:x", "host:-1", "host:65536", "host: 80", "ho st:80", "http://host:80", "OFF",
        "[::1]",
        "host:80/", "host:+80", "[::1:80", "::1]:80",
    ])
    func mistakes(text: String) {
        let mistake = #expect(throws: ConfigurationError.self) {
            try StatusAddress.parse(text, source: "SEMEL_STATUS_ADDRESS")
        }
        #expect(
            mistake?.description
                == "SEMEL_STATUS_ADDRESS: ‘\(text)’ is not an address; write host:port as in 0.0.0.0:8082, or off")
    }

    @Test func aPortThatIsTakenIsAMistake() throws {
        // A port of the system's choice, of which only its number is not known: so another socket takes one first.
        let taken = try TakenPort()
        let address = StatusAddress(host: "127.0.0.1", port: taken.number, source: "--status-address")
        let mistake = #expect(throws: ConfigurationError.self) { try StatusSocket(address) }
        #expect(
            mistake?.description
                == "--status-address: cannot listen on 127.0.0.1:\(taken.number): Address already in use")
    }
}
