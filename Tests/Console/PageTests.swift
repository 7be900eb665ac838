import Foundation
import TestSupport
import Testing

/// Every page in a browser, on real queues, while workers run.
@Suite(.serialized)
struct PageTests {
    static let kinds: [QueueKind] = [.spool, .redis, .quorum]

    @Test(arguments: kinds)
    func showsWhatThereIs(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Scene.bury(queue, [("lost-1", #"{"path": "/usr"}"#)], complaint: "no such directory")
        try await Scene.enqueue(queue, "now", "being worked on")
        let worker = try PacedWorker(queue)
        try await worker.waitUntilItRuns()
        try worker.say("0.42 unpacking layer 3")
        try await Scene.enqueue(queue, "later", "still waiting")
        let console = try await ConsoleUnderTest.start([queue], ["--workers", worker.address])
        let slug = try await slug(console)
        try await withBrowser { browser in
            try await overview(browser, console, slug, claimed: kind.traits.tellsClaimed ? "1" : "–")
            try await workers(browser, console)
            try await deadLetters(browser, console, slug)
            try await message(browser, console, slug)
            try await enqueueAndDecision(browser, console)
        }
        #expect(try await worker.finish().status == .exited(0))
        try await console.stop()
    }

    private func slug(_ console: ConsoleUnderTest) async throws -> String {
        let queues = try await console.object("/api/queues")["queues"] as? [[String: Any]]
        return try #require(queues?.first?["slug"] as? String)
    }

    private func open(_ path: String, _ title: String, _ browser: Browser, _ console: ConsoleUnderTest) async throws {
        try await browser.open(console.url(path))
        #expect(try await browser.read("h1") == title)
        #expect(try await browser.title.hasPrefix(title))
        console.expectNoSecret(in: try await browser.source, path)
        try await Looks.expectGood(browser, path)
        try await Looks.expectNoComplaints(browser, path)
    }

    private func overview(
        _ browser: Browser, _ console: ConsoleUnderTest, _ slug: String, claimed: String
    ) async throws {
        try await open("/", "Overview", browser, console)
        #expect(try await browser.read("nav [aria-current]") == "Overview")
        let card = "section[aria-labelledby='queue-\(slug)']"
        // What the broker does not tell is no number.
        for (name, count) in [("ready", "1"), ("claimed", claimed), ("dead", "1")] {
            try await browser.waitUntil("\(count) \(name)") { try await browser.read("\(card) .\(name) dd") == count }
        }
        #expect(try await browser.ask("\(card) figure svg") { try await $0.isDisplayed })
        #expect(try await browser.read("section[aria-labelledby=workers-heading]").contains("running"))
    }

    private func workers(_ browser: Browser, _ console: ConsoleUnderTest) async throws {
        try await open("/workers", "Workers", browser, console)
        try await browser.waitUntil("the worker runs") { try await browser.read("article .tag") == "running" }
        try await browser.waitUntil("its progress") { try await browser.read("article .bar").contains("42 %") }
        let text = try await browser.read("article")
        #expect(text.contains("unpacking layer 3") && text.contains("now") && text.contains("1 of 1"))
        #expect(try await browser.ask("progress") { try await $0.property("value") } == "0.42")
        try await browser.click("article summary")
        #expect(try await browser.read("article pre") == "unpacking the archive")
    }

    private func deadLetters(_ browser: Browser, _ console: ConsoleUnderTest, _ slug: String) async throws {
        try await open("/queues/\(slug)/dead", "Dead letters of \(slug)", browser, console)
        let row = try await browser.read("tbody tr")
        #expect(row.contains("lost-1") && row.contains("65"))
    }

    private func message(_ browser: Browser, _ console: ConsoleUnderTest, _ slug: String) async throws {
        try await browser.find("tbody a").click()
        #expect(try await browser.read("h1") == "Message lost-1")
        console.expectNoSecret(in: try await browser.source, "the message")
        try await Looks.expectGood(browser, "the message")
        #expect(try await browser.read("section[aria-labelledby=output] pre") == "no such directory")
        #expect(try await browser.read("#body-text").filter { !$0.isWhitespace } == #"{"path":"/usr"}"#)
        for (view, shown) in [("Text", #"{"path": "/usr"}"#), ("Hex", "7b 22 70")] {
            for link in try await browser.findAll(".tabs a") where try await link.text == view {
                try await link.click()
                break
            }
            #expect(try await browser.read(".tabs [aria-current]") == view)
            #expect(try await browser.read("#body-text").contains(shown))
        }
    }

    private func enqueueAndDecision(_ browser: Browser, _ console: ConsoleUnderTest) async throws {
        try await open("/enqueue", "Enqueue", browser, console)
        #expect(try await browser.find("#file").isDisplayed)
        try await open("/decision", "Decision", browser, console)
        #expect(try await browser.read("main").contains("knows of no ScaledJob"))
    }

    /// The same without JavaScript, by which pages are only live.
    @Test func canBeReadAndUsedWithoutScripts() async throws {
        let queue = try await QueueKind.spool.make()
        try await Scene.bury(queue, [("lost-1", "a body")])
        let console = try await ConsoleUnderTest.start([queue])
        let slug = try await slug(console)
        try await withBrowser { browser in
            try await browser.allowScripts(false)
            try await browser.open(console.url("/"))
            #expect(try await browser.read(".dead dd") == "1")
            #expect(try await browser.read("noscript").contains("load it again"))
            try await browser.open(console.url("/queues/\(slug)/dead"))
            #expect(try await browser.findAll("#choose-all[hidden]").count == 1)
            try await browser.find("tbody input").click()
            try await browser.find("#retry-chosen").click()
            #expect(try await browser.read(".notice.done").contains("1 message"))
            try await browser.open(console.url("/enqueue"))
            #expect(try await browser.find("#file").isDisplayed == false)
        }
        #expect(try await queue.left() == .oneReady)
    }

    /// Nothing to show, and nothing that could be shown.
    @Test func saysWhyThereIsNothing() async throws {
        let empty = try await QueueKind.spool.make()
        let nobody = try FreePort.next()
        let console = try await ConsoleUnderTest.start(
            urls: [empty.url, "redis://127.0.0.1:\(nobody)/0?list=gone"], ["--workers", "127.0.0.1:\(nobody)"])
        try await withBrowser { browser in
            try await browser.open(console.url("/"))
            try await browser.waitUntil("the lost queue says so") {
                try await browser.read("section[aria-labelledby=queue-gone] .error").contains("Cannot be read")
            }
            try await Looks.expectGood(browser, "an overview with a problem")
            try await browser.open(console.url("/dead"))
            #expect(try await browser.read(".empty").contains("No dead letters"))
            try await browser.open(console.url("/queues/gone/dead"))
            #expect(try await browser.read(".error").contains("cannot be read"))
            try await Looks.expectGood(browser, "dead letters that cannot be read")
            try await browser.open(console.url("/workers"))
            try await browser.waitUntil("the worker is silent") { try await browser.read("article .tag") == "silent" }
            try await browser.open(console.url("/nowhere"))
            #expect(try await browser.read("h1") == "Not Found")
            try await Looks.expectGood(browser, "a page that is not there")
        }
        try await console.stop()
    }
}
