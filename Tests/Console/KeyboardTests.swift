import TestSupport
import Testing

/// Without a mouse.
@Suite(.serialized)
struct KeyboardTests {
    /// The focus is to be seen wherever it is.
    private func expectVisibleFocus(_ browser: Browser) async throws {
        let outline: [String] = try await browser.run(
            """
            const style = getComputedStyle(document.activeElement);
            return [style.outlineStyle, style.outlineWidth, document.activeElement.outerHTML.slice(0, 80)];
            """)
        #expect(outline[0] == "solid" && outline[1] == "3px", "\(outline[2])")
    }

    /// Presses Tab until the focus is on the element of a CSS selector; on the way, everything has to show that it has it.
    private func tab(to css: String, _ browser: Browser) async throws {
        for _ in 0..<30 {
            try await browser.press(.tab)
            try await expectVisibleFocus(browser)
            if try await browser.run("return document.activeElement.matches(arguments[0])", .string(css)) { return }
        }
        Issue.record("thirty times Tab do not lead to \(css): \(await browser.report)")
    }

    @Test func fromTheOverviewToTheRetry() async throws {
        let queue = try await QueueKind.spool.make()
        try await Scene.bury(queue, [("lost-1", "a"), ("lost-2", "b")])
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser { browser in
            try await browser.open(console.url("/"))
            try await tab(to: ".dead a", browser)
            try await browser.press(.enter)
            try await browser.waitUntil("both are listed") { try await browser.findAll("tbody tr").count == 2 }
            try await tab(to: "input[value=lost-2]", browser)
            try await browser.press(.space)
            #expect(try await browser.find("input[value=lost-2]").isSelected)
            try await tab(to: "#retry-chosen", browser)
            try await browser.press(.enter)
            #expect(try await browser.read(".notice.done") == "1 message back in the queue.")
        }
        try await queue.waitUntilLeft(Left(ready: 1, dead: 1))
        try await console.stop()
    }

    @Test func theFirstTabLeadsPastTheNavigation() async throws {
        let queue = try await QueueKind.spool.make()
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser { browser in
            for path in ["/", "/workers", "/dead", "/enqueue", "/decision"] {
                try await browser.open(console.url(path))
                try await browser.press(.tab)
                let link = try await browser.focused
                #expect(try await link.text == "To the content")
                #expect(try await link.isDisplayed)
                try await expectVisibleFocus(browser)
                try await browser.press(.enter)
                #expect(try await browser.focused.attribute("id") == "main")
            }
            // In the order in which they are read.
            try await browser.open(console.url("/"))
            try await browser.press(.tab)
            var names: [String] = []
            for _ in 0..<6 {
                try await browser.press(.tab)
                names.append(try await browser.focused.text)
            }
            #expect(names == ["semel", "Overview", "Workers", "Dead letters", "Enqueue", "Decision"])
        }
        try await console.stop()
    }

    @Test func aFormIsFilledAndSent() async throws {
        let queue = try await QueueKind.spool.make()
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser { browser in
            try await browser.open(console.url("/enqueue"))
            try await tab(to: "#text", browser)
            try await browser.type("by hand")
            try await tab(to: "#id", browser)
            try await browser.type("mine")
            try await tab(to: "button.main", browser)
            try await browser.press(.space)
            #expect(try await browser.read(".notice.done") == "1 message in the queue.")
        }
        #expect(try await queue.readyTexts() == ["by hand"])
        try await console.stop()
    }

    @Test func theQuestionIsAnsweredByEnter() async throws {
        let queue = try await QueueKind.spool.make()
        try await Scene.bury(queue, [("lost-1", "a"), ("lost-2", "b")])
        let console = try await ConsoleUnderTest.start([queue])
        try await withBrowser { browser in
            try await browser.open(console.url("/dead"))
            try await tab(to: "#choose-all", browser)
            try await browser.press(.space)
            #expect(try await browser.findAll("tbody input:checked").count == 2)
            try await tab(to: "#drop-all", browser)
            try await browser.press(.enter)
            // The answer has the focus already.
            #expect(try await browser.focused.text == "Drop for good")
            try await browser.press(.enter)
            #expect(try await browser.read(".notice.done") == "2 messages dropped.")
        }
        try await queue.waitUntilLeft(.nothing)
        try await console.stop()
    }
}
