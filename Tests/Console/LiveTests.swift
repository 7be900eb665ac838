import Glibc
import TestSupport
import Testing

/// Pages that nobody loads again.
@Suite(.serialized)
struct LiveTests {
    @Test(arguments: PageTests.kinds)
    func progressMoves(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Scene.enqueue(queue, "long", "x")
        let worker = try PacedWorker(queue)
        try await worker.waitUntilItRuns()
        let console = try await ConsoleUnderTest.start([queue], ["--workers", worker.address])
        try await withBrowser { browser in
            try await browser.open(console.url("/workers"))
            try await browser.perform("window.isTheSamePage = true")
            try await browser.click("article summary")
            for (line, percent) in [("0.25 first half", "25 %"), ("0.75 second half", "75 %")] {
                try worker.say(line)
                try await browser.waitUntil("\(percent) is shown") {
                    try await browser.read("article .bar").contains(percent)
                }
                #expect(try await browser.read("article .bar").contains("half"))
            }
            // What somebody has opened stays open, and what has the focus keeps it.
            #expect(try await browser.ask("details") { try await $0.property("open") } == "true")
            #expect(try await browser.run("return document.activeElement.tagName") == "SUMMARY")
            #expect(try await worker.finish().status == .exited(0))
            try await browser.waitUntil("the worker is gone") { try await browser.read("article .tag") == "silent" }
            #expect(try await browser.run("return window.isTheSamePage") == true)
        }
        try await console.stop()
    }

    @Test func numbersMove() async throws {
        let queue = try await QueueKind.redis.make()
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser { browser in
            try await browser.open(console.url("/"))
            try await browser.waitUntil("none is ready") { try await browser.read(".ready dd") == "0" }
            try await queue.put("a", "b")
            try await browser.waitUntil("two are ready") { try await browser.read(".ready dd") == "2" }
        }
        try await console.stop()
    }

    /// What is shown may be old when nobody can say so any more; and it is live again by itself.
    @Test func aPageWithoutItsConsoleSaysSo() async throws {
        let queue = try await QueueKind.spool.make()
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser { browser in
            try await browser.open(console.url("/"))
            #expect(try await browser.find("#stale").isDisplayed == false)
            try await console.stop()
            try await browser.waitUntil("the page says that it is old") {
                try await browser.find("#stale").isDisplayed
            }
            let again = try RunningProcess(
                .semelctl, ["console", "--listen", "127.0.0.1:\(console.port)", "--queue", queue.url])
            try await browser.waitUntil("it is live again", timeout: .seconds(60)) {
                try await !browser.find("#stale").isDisplayed
            }
            again.send(SIGTERM)
            #expect(try await again.waitForExit() == .exited(0))
        }
    }
}
