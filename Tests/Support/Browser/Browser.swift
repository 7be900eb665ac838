import Foundation
import Glibc

/// A Chromium without a window, driven by `chromedriver`: with a profile of its own, and with nothing in reach but
/// loopback. Ended with its last reference.
public final class Browser: Sendable {
    /// What it is like to look at a page with.
    public struct Shape: Sendable {
        public var width: Int
        public var height: Int
        /// Obeys the page's `viewport` and has a finger instead of a mouse.
        public var isPhone: Bool

        public init(width: Int, height: Int, isPhone: Bool) {
            (self.width, self.height, self.isPhone) = (width, height, isPhone)
        }

        public static let desk = Shape(width: 1280, height: 900, isPhone: false)
        public static let phone = Shape(width: 390, height: 844, isPhone: true)
    }

    let driver: WebDriver
    private let process: RunningProcess
    private let directory: TemporaryDirectory

    /// A browser is several processes: more of them at a time would only wait for each other.
    fileprivate static let gate = Gate(places: 2)

    /// Starts a driver on a port that it chooses, and a browser.
    static func start(_ shape: Shape = .desk) async throws -> Browser {
        // Chromium puts a socket into it, and the path of a socket must be short.
        let directory = try TemporaryDirectory("browser", in: "/tmp")
        // The driver's process group has the browser's processes in it.
        let process = try RunningProcess(
            .installed("chromedriver"), ["--port=0"],
            environment: RunningProcess.environment(adding: ["HOME": directory.path, "TMPDIR": directory.path]))
        var driver = WebDriver(port: try await port(of: process))
        struct Session: Decodable {
            let sessionId: String
        }
        let session: Session = try await driver.ask("/session", capabilities(shape, directory))
        driver.base = "/session/\(session.sessionId)"
        let browser = Browser(driver, process, directory)
        try await browser.take(shape)
        return browser
    }

    private init(_ driver: WebDriver, _ process: RunningProcess, _ directory: TemporaryDirectory) {
        self.driver = driver
        self.process = process
        self.directory = directory
    }

    deinit {
        process.killGroup()
    }

    private static func port(of process: RunningProcess) async throws -> Int {
        let announcement = "started successfully on port "
        try await process.waitForOutput(containing: announcement)
        var port: Int?
        try await eventually("chromedriver names its port") {
            let line = process.stdout.text.components(separatedBy: announcement).last ?? ""
            // The full stop behind it says that the number is complete.
            port = line.firstIndex(of: ".").flatMap { Int(line[..<$0]) }
            return port != nil
        }
        guard let port else { throw SupportError("chromedriver names no port: \(process.report)") }
        return port
    }

    private static func capabilities(_ shape: Shape, _ directory: TemporaryDirectory) throws -> WireValue {
        let arguments = [
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
            "--disable-component-update", "--user-data-dir=\(directory.path("profile"))",
            "--window-size=\(shape.width),\(shape.height)",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        ]
        let options: WireValue = [
            "binary": .string(try Executable.installed("chromium").path),
            "args": .array(arguments.map { .string($0) }),
        ]
        let wanted: WireValue = [
            "goog:chromeOptions": options, "goog:loggingPrefs": ["browser": "ALL"],
            "timeouts": ["pageLoad": 60_000, "script": 60_000], "unhandledPromptBehavior": "ignore",
        ]
        return ["capabilities": ["alwaysMatch": wanted]]
    }

    /// The driver's process group, which the browser's processes are in.
    var group: pid_t { process.pid }

    /// The profile and whatever else was written.
    var directoryPath: String { directory.path }

    /// Ends the browser in good order, and then the driver.
    public func quit() async throws {
        try await driver.tell("", nil, method: "DELETE")
        process.send(SIGTERM)
        try await process.waitForExit()
        directory.remove()
    }
}

/// Does something with a browser of its own, which is gone afterwards.
public func withBrowser(
    _ shape: Browser.Shape = .desk, _ body: @concurrent @Sendable (Browser) async throws -> Void
) async throws {
    try await Browser.gate.pass {
        let browser = try await Browser.start(shape)
        do {
            try await body(browser)
        } catch {
            try? await browser.quit()
            throw error
        }
        try await browser.quit()
    }
}
