import Foundation
import Testing

@testable import TestSupport

struct BrowserTests {
    private static let form = """
        <!doctype html><html lang=en><title>A form</title><style>.ghost { display: none }</style>
        <form action=/sent><label for=name>Your name</label> <input id=name name=name value=Ann>
        <select name=kind aria-label=Kind><option>one<option>two</select>
        <input type=checkbox name=sure aria-label=Sure> <button>Send it</button> <button disabled>Not yet</button>
        </form><p class=ghost>unseen</p><p id=seen>seen <b>here</b></p>
        """

    @Test func readsAPage() async throws {
        let server = try PageServer(["/": Self.form, "/other": "<title>Other</title>"])
        try await withBrowser { browser in
            try await browser.open(server.url("/"))
            #expect(try await browser.url == server.url("/"))
            #expect(try await browser.title == "A form")
            #expect(try await browser.source.contains("Your name"))
            #expect(try await browser.text("#seen") == "seen here")
            #expect(try await browser.text().contains("unseen") == false)
            #expect(try await browser.findAll("p").count == 2)
            #expect(try await browser.find("p#seen").findAll("b").count == 1)
            #expect(try await browser.findAll("table").isEmpty)
            let name = try await browser.find("#name")
            #expect(try await name.tag == "input")
            #expect(try await name.attribute("name") == "name")
            #expect(try await name.attribute("title") == nil)
            #expect(try await name.isDisplayed)
            #expect(try await name.isEnabled)
            #expect(try await browser.find(".ghost").isDisplayed == false)
            #expect(try await browser.find(".ghost").style("display") == "none")
            #expect(try await browser.find("button[disabled]").isEnabled == false)
            try await browser.open(server.url("/other"))
            try await browser.back()
            #expect(try await browser.title == "A form")
        }
    }

    @Test func typesAndSends() async throws {
        let server = try PageServer(["/": Self.form, "/sent": "<title>Sent</title>"])
        try await withBrowser { browser in
            try await browser.open(server.url("/"))
            let name = try await browser.find("#name")
            try await name.type(" Ä")
            #expect(try await name.property("value") == "Ann Ä")
            #expect(try await name.attribute("value") == "Ann")
            try await name.clear()
            try await name.type("Bo")
            let sure = try await browser.find("[name=sure]")
            try await sure.click()
            #expect(try await sure.isSelected)
            try await browser.find("button").click()
            #expect(try await browser.title == "Sent")
            #expect(server.requests.last == "/sent?name=Bo&kind=one&sure=on")
        }
    }

    @Test func worksWithoutAMouse() async throws {
        let server = try PageServer(["/": Self.form, "/sent": "<title>Sent</title>"])
        try await withBrowser { browser in
            try await browser.open(server.url("/"))
            #expect(try await browser.focused.tag == "body")
            try await browser.press(.tab)
            #expect(try await browser.focused.attribute("id") == "name")
            try await browser.type("Cy")
            try await browser.press(.tab)
            try await browser.press(.down)
            try await browser.press(.tab)
            try await browser.press(.space)
            try await browser.press(.tab)
            #expect(try await browser.focused.text == "Send it")
            try await browser.press(.shift, .tab)
            #expect(try await browser.focused.attribute("name") == "sure")
            try await browser.press(.tab)
            try await browser.press(.enter)
            try await browser.waitUntil("the form is sent") { try await browser.title == "Sent" }
            #expect(server.requests.last == "/sent?name=Cy&kind=two&sure=on")
        }
    }

    @Test func knowsWhatAScreenReaderSays() async throws {
        let server = try PageServer(["/": Self.form])
        try await withBrowser { browser in
            try await browser.open(server.url("/"))
            let expected = [
                ("#name", "textbox", "Your name"), ("select", "combobox", "Kind"), ("[name=sure]", "checkbox", "Sure"),
                ("button", "button", "Send it"),
            ]
            for (css, role, name) in expected {
                let element = try await browser.find(css)
                #expect(try await element.accessibleRole == role)
                #expect(try await element.accessibleName == name)
            }
        }
    }

    @Test func runsScripts() async throws {
        let server = try PageServer(["/": Self.form])
        try await withBrowser { browser in
            try await browser.open(server.url("/"))
            #expect(try await browser.run("return arguments[0] + arguments[1]", 40, 2) == 42)
            let element = try await browser.find("#seen")
            #expect(try await browser.run("return arguments[0].id", element.argument) == "seen")
            let nothing: String? = try await browser.run("return null")
            #expect(nothing == nil)
            let error = await #expect(throws: WebDriverError.self) { try await browser.perform("absent()") }
            #expect(error?.error == "javascript error")
            #expect(error?.description.contains("absent is not defined") == true)
        }
    }

    @Test func waitsForWhatIsToCome() async throws {
        let page = """
            <p id=old>old</p><script>setTimeout(() => { old.outerHTML = '<p id=new>new</p>' }, 300)</script>
            """
        let server = try PageServer(["/": page])
        try await withBrowser { browser in
            try await browser.open(server.url("/"))
            #expect(try await browser.find("#new").text == "new")
            let error = await #expect(throws: SupportError.self) {
                try await browser.find("#never", within: .milliseconds(50))
            }
            #expect(error?.description.contains("there is #never") == true)
            #expect(error?.description.contains(server.url("/")) == true)
            #expect(error?.description.hasSuffix("new") == true)
            await #expect(throws: WebDriverError.self) { try await browser.find("p:::") }
        }
    }

    @Test func aReplacedElementIsStale() async throws {
        let server = try PageServer(["/": Self.form])
        try await withBrowser { browser in
            try await browser.open(server.url("/"))
            let element = try await browser.find("#seen")
            try await browser.reload()
            let error = await #expect(throws: WebDriverError.self) { try await element.text }
            #expect(error?.isOfAPageThatChanged == true)
        }
    }

    @Test func hasCookies() async throws {
        let server = try PageServer(["/": Self.form], headers: ["Set-Cookie": "a=1; HttpOnly; SameSite=Strict"])
        try await withBrowser { browser in
            try await browser.open(server.url("/"))
            try await browser.setCookie("b", "2")
            let cookies = try await browser.cookies.sorted { $0.name < $1.name }
            #expect(cookies.map(\.name) == ["a", "b"] && cookies.map(\.value) == ["1", "2"])
            #expect(cookies.map(\.httpOnly) == [true, false])
            #expect(cookies.first?.sameSite == "Strict")
            #expect(try await browser.run("return document.cookie") == "b=2")
            try await browser.deleteCookies()
            #expect(try await browser.cookies.isEmpty)
        }
    }

    @Test func answersDialogs() async throws {
        let server = try PageServer(["/": "<button onclick=\"title = confirm('Really?')\">Ask</button>"])
        try await withBrowser { browser in
            try await browser.open(server.url("/"))
            let button = try await browser.find("button")
            try await button.click()
            #expect(try await browser.dialog == "Really?")
            try await browser.dismissDialog()
            #expect(try await button.attribute("title") == "false")
            try await button.click()
            try await browser.acceptDialog()
            #expect(try await button.attribute("title") == "true")
        }
    }

    @Test func looksAsItIsTold() async throws {
        let page = """
            <!doctype html><meta name=viewport content="width=device-width"><script>document.title = 'ran'</script>
            <style>body { background: white } @media (prefers-color-scheme: dark) { body { background: black } }</style>
            """
        let server = try PageServer(["/": page])
        try await withBrowser(.phone) { browser in
            try await browser.open(server.url("/"))
            #expect(try await browser.run("return [innerWidth, innerHeight]") == [390, 844])
            #expect(try await size(ofPNG: browser.screenshot) == [390, 844])
            try await browser.take(.desk)
            #expect(try await size(ofPNG: browser.screenshot) == [1280, 900])
            let body = try await browser.find("body")
            #expect(try await body.style("background-color") == "rgba(255, 255, 255, 1)")
            try await browser.prefer(["prefers-color-scheme": "dark"])
            #expect(try await body.style("background-color") == "rgba(0, 0, 0, 1)")
            #expect(try await browser.title == "ran")
            try await browser.allowScripts(false)
            try await browser.reload()
            #expect(try await browser.title != "ran")
            #expect(try await browser.run("return 1 + 1") == 2)
        }
    }

    /// Width and height, which are at a fixed place.
    private func size(ofPNG bytes: Data) -> [Int] {
        guard bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]), bytes.count > 24 else { return [] }
        return [16, 20].map { start in bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
    }

    @Test func tellsWhatTheConsoleSays() async throws {
        let page = "<img src=http://elsewhere.example/a.png><script>console.error('broken', 7)</script>"
        let server = try PageServer(["/": page])
        try await withBrowser { browser in
            try await browser.open(server.url("/"))
            let entries = try await browser.takeLog().filter { $0.level == "SEVERE" }
            #expect(entries.contains { $0.message.contains("broken") })
            #expect(entries.contains { $0.message.contains("elsewhere.example") }, "another host is out of reach")
            try await browser.perform("console.error('second')")
            let later = try await browser.takeLog()
            #expect(later.contains { $0.message.contains("second") })
            #expect(!later.contains { $0.message.contains("broken") })
        }
    }

    @Test func leavesNothingBehind() async throws {
        let browser = try await Browser.start()
        #expect(alive(browser.group).count > 2)
        try await browser.quit()
        #expect(alive(browser.group).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: browser.directoryPath))
    }

    @Test func goesWithItsLastReference() async throws {
        var browser: Browser? = try await Browser.start()
        let group = try #require(browser?.group)
        #expect(alive(group).count > 2)
        browser = nil
        try await eventually("all processes are gone") { alive(group).isEmpty }
    }

    /// Processes of a group, but those not that have ended and only wait to be asked for their status.
    private func alive(_ group: pid_t) -> [pid_t] {
        let pids = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
        return pids.filter { pid in
            let stat = FileManager.default.contents(atPath: "/proc/\(pid)/stat") ?? Data()
            // Behind the name, which is in parentheses and may hold anything: state, parent, group.
            let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 2 && fields[0] != "Z" && pid_t(fields[2]) == group
        }
    }
}
