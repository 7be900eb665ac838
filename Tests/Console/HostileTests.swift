import Foundation
import TestSupport
import Testing

/// What is in messages is written by others. On a page it is text, whatever it says.
@Suite(.serialized)
struct HostileTests {
    private static let script = "<script>window.isHacked = true</script>"
    private static let image = #"<img src=x onerror="window.isHacked = true">"#
    private static let all =
        "\(script)'\"><svg onload=window.isHacked=true>\(image){{content}}</textarea></pre>&lt;b&gt;"

    @Test(arguments: PageTests.kinds)
    func aMessageFullOfScriptsStaysText(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let body = String(repeating: Self.all, count: 200)
        try await Scene.bury(
            queue, [("lost-1", body)], complaint: Self.all, headers: ["x-note": Self.script])
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser { browser in
            func expectText(_ page: String) async throws {
                let hacked: Bool = try await browser.run("return window.isHacked === true")
                #expect(!hacked, "\(page)")
                #expect(try await browser.findAll("script").count == 1, "\(page)")
                #expect(try await browser.findAll("main img, main [onload], main [onerror]").isEmpty, "\(page)")
                let refused = try await browser.takeLog().filter { $0.message.contains("Content Security Policy") }
                #expect(refused.isEmpty, "\(page): it did not even come to that")
            }
            try await browser.open(console.url("/dead"))
            #expect(try await browser.read("tbody").contains("lost-1"))
            try await expectText("the list")
            try await browser.find("tbody a").click()
            #expect(try await browser.read("section[aria-labelledby=output] pre").contains(Self.script))
            for view in ["text", "json", "hex"] {
                try await browser.open(try await browser.url.replacing(#/&view=.*$/#, with: "") + "&view=\(view)")
                try await expectText(view)
                if view == "text" {
                    let shown: String = try await browser.run("return document.getElementById('body-text').textContent")
                    #expect(shown == body)
                }
            }
            if queue.kind.traits.carriesHeaders {
                #expect(try await browser.read("section[aria-labelledby=headers]").contains(Self.script))
            }
            // In an address, too.
            let query = Self.all.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            for path in ["/dead?reason=", "/queues/", "/workers?state=", "/enqueue?queue="] {
                try await browser.open(console.url(path + query))
                try await expectText(path)
            }
            let filtered = try await browser.run("return location.pathname") as String
            #expect(filtered == "/enqueue")
        }
        try await console.stop()
    }

    /// A worker is somebody else, too.
    @Test func aNoteAndALogFullOfScriptsStayText() async throws {
        let queue = try await QueueKind.spool.make()
        try await Scene.enqueue(queue, "long", "x")
        let worker = try PacedWorker(queue)
        try await worker.waitUntilItRuns()
        let console = try await ConsoleUnderTest.start([queue], ["--workers", worker.address])
        try await withBrowser { browser in
            try await browser.open(console.url("/workers"))
            try worker.say("0.5 \(Self.all)")
            try await browser.waitUntil("the note is shown") {
                try await browser.read("article .note").contains("<script>")
            }
            #expect(try await browser.run("return window.isHacked === true") == false)
            #expect(try await browser.findAll("article img, article svg, article script").isEmpty)
            try await Looks.expectNoSidewaysScrolling(browser, "a long note")
        }
        #expect(try await worker.finish().status == .exited(0))
        try await console.stop()
    }

    /// As a file it is nothing that a browser would show.
    @Test func aBodyIsDownloadedAsBytes() async throws {
        let queue = try await QueueKind.spool.make()
        try await Scene.bury(queue, [("lost-1", Self.script)])
        let console = try await ConsoleUnderTest.start([queue])
        let answer = try await console.get("/api/dead/body?id=lost-1")
        #expect(answer.status == 200 && answer.text == Self.script)
        #expect(answer.header("content-type") == "application/octet-stream")
        #expect(answer.header("content-disposition")?.hasPrefix("attachment") == true)
        #expect(answer.header("x-content-type-options") == "nosniff")
        try await console.stop()
    }
}
