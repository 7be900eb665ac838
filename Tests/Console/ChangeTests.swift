import Foundation
import TestSupport
import Testing

/// What is clicked is done, on the broker.
@Suite(.serialized)
struct ChangeTests {
    private static let letters = (1...3).map { (id: "lost-\($0)", body: "body \($0)") }

    /// An operator's minute: what failed, why, and back with it.
    @Test(arguments: PageTests.kinds)
    func aMessageIsPutBackAndDone(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Scene.bury(queue, [("lost-1", "once more")], complaint: "disk full")
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser { browser in
            try await browser.open(console.url("/"))
            try await browser.click(".dead a")
            #expect(try await browser.read("tbody").contains("lost-1"))
            try await browser.find("tbody a").click()
            #expect(try await browser.read("main").contains("disk full"))
            try await browser.find("#retry").click()
            #expect(try await browser.read(".notice.done") == "1 message back in the queue.")
            #expect(try await browser.read(".empty").contains("No dead letters"))
        }
        try await queue.waitUntilLeft(.oneReady)
        let end = try await Scene.worker(queue, ["--status-address", "off"], task: Shell.succeeding).end()
        #expect(end.status == .exited(0) && end.text == "once more")
        #expect(end.report?.messageId == "lost-1" && end.report?.attempt == 1)
        try await queue.waitUntilLeft(.nothing)
        let audit = try #require(try console.audit.first)
        #expect(audit["audit"] as? String == "retry" && audit["user"] as? String == "local")
        #expect(audit["ids"] as? [String] == ["lost-1"] && audit["messages"] as? Int == 1)
        #expect(!console.process.stdout.text.contains("once more"), "bodies are not in the audit")
        try await console.stop()
    }

    @Test(arguments: PageTests.kinds)
    func chosenOnesAreDroppedAfterAQuestion(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Scene.bury(queue, Self.letters)
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser { browser in
            try await browser.open(console.url("/dead"))
            try await browser.waitUntil("all three are listed") { try await browser.findAll("tbody tr").count == 3 }
            for id in ["lost-1", "lost-3"] { try await browser.find("input[value=\(id)]").click() }
            try await browser.find("#drop-chosen").click()
            #expect(try await browser.read("h1") == "Are you sure?")
            try await Looks.expectGood(browser, "the question")
            #expect(try await queue.left().dead == 3, "a question changes nothing")
            try await browser.find("main form a").click()
            #expect(try await browser.findAll("tbody tr").count == 3)
            for id in ["lost-1", "lost-3"] { try await browser.find("input[value=\(id)]").click() }
            try await browser.find("#drop-chosen").click()
            try await browser.find("button.danger").click()
            #expect(try await browser.read(".notice.done") == "2 messages dropped.")
            #expect(try await browser.findAll("tbody tr").count == 1)
        }
        try await queue.waitUntilLeft(.oneDead)
        #expect(try await queue.deadLetter().text == "body 2")
        try await console.stop()
    }

    @Test(arguments: PageTests.kinds)
    func allOfAReason(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Scene.bury(queue, [("a-1", "a"), ("a-2", "a")], complaint: "x")
        let large = ["--status-address", "off", "--max-message-bytes", "10"]
        try await Scene.enqueue(queue, "b-1", "a body that is too large")
        _ = try await Scene.worker(queue, large, task: Shell.succeeding).end()
        try await queue.waitUntilLeft(Left(dead: 3))
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser { browser in
            try await browser.open(console.url("/dead"))
            try await browser.waitUntil("all are listed") { try await browser.findAll("tbody tr").count == 3 }
            let field = try await browser.find("#reason")
            try await field.type("status 65")
            try await browser.press(.enter)
            try await browser.waitUntil("the filter holds") { try await browser.findAll("tbody tr").count == 2 }
            #expect(try await browser.find("#reason").property("value") == "status 65")
            try await browser.find("#retry-all").click()
            #expect(try await browser.read("main").contains("status 65"))
            try await browser.find("button.main").click()
            #expect(try await browser.read(".notice.done") == "2 messages back in the queue.")
        }
        try await queue.waitUntilLeft(Left(ready: 2, dead: 1))
        try await console.stop()
    }

    @Test(arguments: PageTests.kinds)
    func aFormIsQueued(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let console = try await ConsoleUnderTest.start([queue])
        let directory = try TemporaryDirectory("file")
        let bytes: [UInt8] = [0, 255, 13, 10, 0x3C]
        let file = directory.path("body.bin")
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try await withBrowser { browser in
            try await browser.open(console.url("/enqueue"))
            try await browser.find("#text").type("two\nlines & <b>more</b> +")
            try await browser.find("#headers").type("no header at all")
            try await browser.find("button.main").click()
            #expect(try await browser.read(".error").contains("no header at all"))
            try await Looks.expectGood(browser, "a form that cannot be taken")
            // What was typed is still there.
            #expect(try await browser.find("#text").property("value") == "two\nlines & <b>more</b> +")
            try await browser.find("#headers").clear()
            try await browser.find("button.main").click()
            #expect(try await browser.read(".notice.done") == "1 message in the queue.")
            try await browser.find("#file").type(file)
            try await browser.find("button.main").click()
            try await browser.waitUntil("the file is sent") {
                try await browser.read("#sent") == "body.bin is in the queue."
            }
        }
        #expect(try await queue.readyBodies() == [Array("two\nlines & <b>more</b> +".utf8), bytes])
        #expect(try console.audit.map { $0["audit"] as? String } == ["enqueue", "enqueue"])
        try await console.stop()
    }
}
