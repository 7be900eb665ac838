import Foundation
import TestSupport
import Testing

/// Who may look, and who may change anything.
@Suite(.serialized)
struct AccessTests {
    private static let token = "correct-horse-battery-staple"
    private static let pages = ["/", "/workers", "/dead", "/enqueue", "/decision"]
    private static let objects = ["/api/queues", "/api/workers", "/api/dead", "/api/decisions", "/api/openapi.json"]

    @Test func aTokenLetsIn() async throws {
        let queue = try await QueueKind.redis.make()
        try await Scene.bury(queue, [("lost-1", "x")])
        let console = try await ConsoleUnderTest.start([queue], token: Self.token)
        #expect(try await console.get("/healthz").text == "ok\n")
        for path in Self.objects { #expect(try await console.get(path).status == 401, "\(path)") }
        try await withBrowser { browser in
            for path in Self.pages {
                try await browser.open(console.url(path))
                #expect(try await browser.url == console.url("/login"), "\(path)")
            }
            try await Looks.expectGood(browser, "the login")
            #expect(try await browser.focused.attribute("id") == "token")
            try await browser.type("guessed, guessed")
            try await browser.press(.enter)
            #expect(try await browser.read(".error") == "That is not the token.")
            #expect(try await browser.cookies.isEmpty)
            try await browser.find("#token").type(Self.token)
            try await browser.press(.enter)
            try await browser.waitUntil("the overview is there") { try await browser.read("h1") == "Overview" }
            let cookie = try #require(try await browser.cookies.first)
            #expect(cookie.httpOnly && cookie.sameSite == "Strict" && !cookie.value.contains(Self.token))
            #expect(try await browser.run("return document.cookie") == "")
            for path in Self.pages + ["/queues/\(try await slug(console))/message?id=lost-1"] {
                try await browser.open(console.url(path))
                console.expectNoSecret(in: try await browser.source, path)
            }
            try await browser.find("header button.quiet").click()
            #expect(try await browser.url == console.url("/login"))
            try await browser.open(console.url("/"))
            #expect(try await browser.url == console.url("/login"))
        }
        let bearer = ["Authorization": "Bearer \(Self.token)"]
        for path in Self.objects {
            let answer = try await console.get(path, bearer)
            #expect(answer.status == 200, "\(path)")
            console.expectNoSecret(in: answer.text, path)
        }
        #expect(try await console.get("/api/queues", ["Authorization": "Bearer x"]).status == 401)
        #expect(try console.audit.map { $0["audit"] as? String } == ["refused", "sign-in", "refused"])
        try await console.stop()
    }

    private func slug(_ console: ConsoleUnderTest) async throws -> String {
        let answer = try await console.get("/api/queues", ["Authorization": "Bearer \(Self.token)"])
        let queues = (try answer.json() as? [String: Any])?["queues"] as? [[String: Any]]
        return try #require(queues?.first?["slug"] as? String)
    }

    @Test func aProxyLetsIn() async throws {
        let queue = try await QueueKind.spool.make()
        let console = try await ConsoleUnderTest.start([queue], ["--trust-proxy-user", "X-Forwarded-User"])
        #expect(try await console.get("/").status == 401)
        let answer = try await console.get("/", ["X-Forwarded-User": "ann"])
        #expect(answer.status == 200 && answer.text.contains("ann"))
        let sent = try await console.post(
            "/api/messages", "x", ["X-Forwarded-User": "ann", "Content-Type": "text/plain"])
        #expect(sent.status == 201)
        #expect(try console.audit.first?["user"] as? String == "ann")
        try await console.stop()
    }

    @Test func readOnlyHasNothingToPress() async throws {
        let queue = try await QueueKind.spool.make()
        try await Scene.bury(queue, [("lost-1", "x")])
        let console = try await ConsoleUnderTest.start([queue], ["--read-only"])
        try await withBrowser { browser in
            for path in ["/", "/workers", "/dead", "/decision", "message"] {
                if path == "message" {
                    try await browser.open(console.url("/dead"))
                    try await browser.find("tbody a").click()
                } else {
                    try await browser.open(console.url(path))
                }
                #expect(try await browser.findAll("form[method=post] button").isEmpty, "\(path)")
                #expect(try await browser.read("header").contains("read-only"))
                #expect(try await browser.read("nav").contains("Enqueue") == false)
            }
        }
        for path in ["/dead/retry", "/dead/drop", "/enqueue"] {
            #expect(try await console.post(path, "id=lost-1&body=x").status == 403, "\(path)")
        }
        for path in ["/api/dead/retry", "/api/dead/drop", "/api/messages"] {
            let answer = try await console.post(path, #"{"all": true}"#, ["Content-Type": "application/json"])
            #expect(answer.status == 403 && answer.text.contains("read-only"), "\(path)")
        }
        #expect(try await queue.left() == .oneDead)
        #expect(try console.audit.isEmpty)
        try await console.stop()
    }

    /// Another site's page, in the browser of somebody who may come in.
    @Test func otherSitesChangeNothing() async throws {
        let queue = try await QueueKind.spool.make()
        try await Scene.bury(queue, [("lost-1", "x")])
        let console = try await ConsoleUnderTest.start([queue])
        let form = """
            <title>Other</title><form method=post action="\(console.url("/dead/retry"))">
            <input name=id value=lost-1><button>Win</button></form>
            """
        let server = try PageServer(["/": form])
        try await withBrowser { browser in
            // That there is a cookie must not help.
            try await browser.open(console.url("/dead"))
            try await browser.open(server.url("/"))
            try await browser.find("button").click()
            #expect(try await browser.read("h1") == "Forbidden")
            // Nor may its own pages send what they have not been given.
            try await browser.open(console.url("/dead"))
            try await browser.find("tbody input").click()
            try await browser.perform("document.querySelector('input[name=form]').value = 'guessed'")
            try await browser.find("#retry-chosen").click()
            #expect(try await browser.read("h1") == "Forbidden")
            #expect(try await browser.read(".error").contains("load the page again"))
        }
        let headers = ["Origin": "http://evil.example", "Content-Type": "application/json"]
        #expect(try await console.post("/api/dead/drop", #"{"all": true}"#, headers).status == 403)
        let own = ["Origin": console.url(""), "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"]
        #expect(try await console.post("/api/dead/drop", #"{"all": true}"#, own).status == 403, "without X-Form-Token")
        #expect(try await queue.left() == .oneDead)
        #expect(try console.audit.isEmpty)
        try await console.stop()
    }

    /// A name of somebody else's may lead to this machine.
    @Test func onLoopbackOnlyItsOwnNamesAreKnown() async throws {
        let queue = try await QueueKind.spool.make()
        let console = try await ConsoleUnderTest.start([queue])
        for host in [
            "evil.example", "evil.example:\(console.port)", "127.0.0.1.evil.example", "localhost.evil.example",
        ] {
            for path in ["/", "/api/queues"] {
                #expect(try await console.get(path, ["Host": host]).status == 421, "\(host)")
            }
        }
        for host in ["localhost:\(console.port)", "127.0.0.1", "[::1]:\(console.port)"] {
            #expect(try await console.get("/", ["Host": host]).status == 200, "\(host)")
        }
        try await console.stop()
    }

    @Test func everyAnswerIsGuarded() async throws {
        let queue = try await QueueKind.spool.make()
        let console = try await ConsoleUnderTest.start([queue])
        for path in Self.pages + Self.objects + ["/nowhere", "/assets/console.js", "/assets/console.css"] {
            let answer = try await console.get(path)
            let policy = answer.header("content-security-policy") ?? ""
            #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "\(path)")
            #expect(answer.header("x-content-type-options") == "nosniff" && answer.header("x-frame-options") == "DENY")
            // Nothing from elsewhere.
            #expect(answer.text.firstMatch(of: #/(src|href|url\()=?["'(]?(https?:)?\/\//#) == nil, "\(path)")
        }
        try await console.stop()
    }
}
