import TestSupport
import Testing

/// Every page by day and by night, on a desk and on a phone.
@Suite(.serialized)
struct LooksTests {
    @Test(arguments: ["light", "dark"])
    func pagesCanBeReadEverywhere(_ scheme: String) async throws {
        let queue = try await QueueKind.spool.make()
        let long = "a/very/long/path/without/a/single/space/" + String(repeating: "x", count: 200)
        try await Scene.bury(
            queue, [("lost-1", long), ("lost-\(long.prefix(120).replacing("/", with: "-"))", "b")], complaint: long)
        try await Scene.enqueue(queue, "now", "x")
        let worker = try PacedWorker(queue)
        try await worker.waitUntilItRuns()
        try worker.say("0.5 \(long)")
        let console = try await ConsoleUnderTest.start([queue], ["--workers", worker.address])
        try await withBrowser(.phone) { browser in
            try await browser.prefer(["prefers-color-scheme": scheme])
            let pages = ["/", "/workers", "/dead", "/enqueue", "/decision", "/nowhere", "message"]
            for path in pages {
                if path == "message" {
                    try await browser.open(console.url("/dead"))
                    try await browser.find("tbody a").click()
                } else {
                    try await browser.open(console.url(path))
                }
                let page = "\(path), \(scheme)"
                let background: String = try await browser.run("return getComputedStyle(document.body).backgroundColor")
                #expect((background == "rgb(21, 23, 26)") == (scheme == "dark"), "\(page): \(background)")
                try await browser.take(.phone)
                try await Looks.expectNoSidewaysScrolling(browser, page)
                try await Looks.expectGood(browser, page)
                try await browser.take(.desk)
                try await Looks.expectNoSidewaysScrolling(browser, page)
            }
        }
        #expect(try await worker.finish().status == .exited(0))
        try await console.stop()
    }

    /// With letters twice as large nothing is cut off.
    @Test func lettersMayBeLarger() async throws {
        let queue = try await QueueKind.spool.make()
        try await Scene.bury(queue, [("lost-1", "x")])
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser(.phone) { browser in
            for path in ["/", "/dead", "/enqueue"] {
                try await browser.open(console.url(path))
                try await browser.perform("document.documentElement.style.fontSize = '200%'")
                try await Looks.expectNoSidewaysScrolling(browser, "\(path) in large letters")
            }
        }
        try await console.stop()
    }
}
