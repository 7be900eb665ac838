public import Foundation

extension Browser {
    // MARK: Going about

    /// Goes to an address and waits until the page is loaded.
    public func open(_ url: String) async throws {
        try await driver.tell("/url", ["url": .string(url)])
    }

    public func reload() async throws { try await driver.tell("/refresh") }

    public func back() async throws { try await driver.tell("/back") }

    public var url: String { get async throws { try await driver.ask("/url") } }

    public var title: String { get async throws { try await driver.ask("/title") } }

    /// The page as it is now, and not as it was sent.
    public var source: String { get async throws { try await driver.ask("/source") } }

    // MARK: Finding

    /// The first element of a CSS selector, which is waited for.
    public func find(_ css: String, within timeout: Duration = .seconds(20)) async throws -> BrowserElement {
        var found: BrowserElement?
        try await waitUntil("there is \(css)", timeout: timeout) {
            found = try await findAll(css).first
            return found != nil
        }
        guard let found else { throw SupportError("there is no \(css)") }
        return found
    }

    /// All elements of a CSS selector that are there now.
    public func findAll(_ css: String) async throws -> [BrowserElement] {
        let found: [BrowserElement.Reference] = try await driver.ask(
            "/elements", ["using": "css selector", "value": .string(css)])
        return found.map { BrowserElement(driver, $0) }
    }

    /// The text of the first element of a CSS selector, as it is to be read; that of the whole page without one.
    public func text(_ css: String = "body") async throws -> String {
        try await find(css).text
    }

    /// The element that has the focus: the body, if no other has it.
    public var focused: BrowserElement {
        get async throws { BrowserElement(driver, try await driver.ask("/element/active")) }
    }

    // MARK: Waiting

    /// Waits until a condition holds. Should the page change while it is asked, it is asked again.
    public func waitUntil(
        _ what: String, timeout: Duration = .seconds(20), isolation: isolated (any Actor)? = #isolation,
        condition: () async throws -> Bool
    ) async throws {
        let came = try await holds(within: timeout) {
            do {
                return try await condition()
            } catch let error as WebDriverError where error.isOfAPageThatChanged {
                return false
            }
        }
        guard came else {
            throw SupportError("not within \(timeout): \(what). \(await report)")
        }
    }

    /// Where the browser is and what is to be read there, for messages.
    public var report: String {
        get async {
            let url = (try? await url) ?? "(nowhere)"
            let text: String = (try? await run("return document.body.innerText")) ?? "(nothing)"
            return "At \(url):\n\(text.prefix(4000))"
        }
    }

    // MARK: Scripts

    /// Runs a function's body in the page: its `arguments` are the given ones, what it returns is the answer.
    public func run<Value: Decodable & Sendable>(_ script: String, _ arguments: WireValue...) async throws -> Value {
        try await driver.ask("/execute/sync", ["script": .string(script), "args": .array(arguments)])
    }

    /// The same without an answer.
    public func perform(_ script: String, _ arguments: WireValue...) async throws {
        try await driver.tell("/execute/sync", ["script": .string(script), "args": .array(arguments)])
    }

    // MARK: Cookies and dialogs

    public struct Cookie: Decodable, Sendable {
        public let name: String
        public let value: String
        public let path: String
        public let httpOnly: Bool
        public let secure: Bool
        public let sameSite: String?
    }

    /// Those that the page's address would be sent.
    public var cookies: [Cookie] { get async throws { try await driver.ask("/cookie") } }

    public func setCookie(_ name: String, _ value: String) async throws {
        try await driver.tell("/cookie", ["cookie": ["name": .string(name), "value": .string(value)]])
    }

    public func deleteCookies() async throws { try await driver.tell("/cookie", nil, method: "DELETE") }

    /// The text of the dialog that is open.
    public var dialog: String { get async throws { try await driver.ask("/alert/text") } }

    public func acceptDialog() async throws { try await driver.tell("/alert/accept") }

    public func dismissDialog() async throws { try await driver.tell("/alert/dismiss") }

    // MARK: Looks

    /// What is to be seen, as a PNG.
    public var screenshot: Data {
        get async throws {
            let text: String = try await driver.ask("/screenshot")
            guard let bytes = Data(base64Encoded: text) else { throw SupportError("the screenshot is not in Base64") }
            return bytes
        }
    }

    public struct LogEntry: Decodable, Sendable {
        /// `SEVERE`, `WARNING`, `INFO` or `DEBUG`.
        public let level: String
        public let message: String
    }

    /// What the console of the browser has said since the last question: scripts' errors, refused content.
    public func takeLog() async throws -> [LogEntry] { try await driver.ask("/se/log", ["type": "browser"]) }
}
