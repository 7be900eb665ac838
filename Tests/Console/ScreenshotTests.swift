import Foundation
import TestSupport
import Testing

/// The pictures in the documentation. `make screenshots` says where they belong; without it nothing is written.
@Suite(.serialized)
struct ScreenshotTests {
    private static let directory = ProcessInfo.processInfo.environment["SEMEL_SCREENSHOTS"] ?? ""
    private static let shape = Browser.Shape(width: 1120, height: 760, isPhone: false)

    @Test(.enabled(if: !directory.isEmpty, "SEMEL_SCREENSHOTS names no directory"))
    func picturesForTheDocumentation() async throws {
        let (scans, thumbnails) = (try await RedisUnderTest("scans"), try await RedisUnderTest("thumbnails"))
        try await Scene.bury(
            scans, [("scan-0141", #"{"path": "/srv/photos/2026", "deep": true}"#)],
            complaint: "permission denied: /srv/photos/2026", headers: ["producer": "nightly"])
        try await Scene.bury(
            scans, [("scan-0156", #"{"path": "/mnt/nas"}"#), ("scan-0157", #"{"path": "/mnt/nas/b"}"#)],
            complaint: "no such directory")
        for id in ["scan-0201", "scan-0202", "scan-0203"] { try await Scene.enqueue(scans, id, "{}") }
        let workers = try (0..<3).map { _ in try PacedWorker(scans) }
        for worker in workers { try await worker.waitUntilItRuns() }
        for (worker, line) in zip(workers, ["0.42 unpacking layer 3", "0.85 12,406 files", "0.07 listing"]) {
            try worker.say(line)
        }
        for number in 0..<17 { try await Scene.enqueue(scans, "scan-03\(10 + number)", "{}") }
        let console = try await ConsoleUnderTest.start(
            [scans, thumbnails], workers.flatMap { ["--workers", $0.address] })
        try await withBrowser(Self.shape) { browser in
            try await pictures(browser, console)
        }
        for worker in workers { #expect(try await worker.finish().status == .exited(0)) }
        try await console.stop()
    }

    private func pictures(_ browser: Browser, _ console: ConsoleUnderTest) async throws {
        try await browser.open(console.url("/"))
        let ready = "section[aria-labelledby=queue-scans] .ready dd"
        try await browser.waitUntil("the numbers are there") { try await browser.read(ready) == "17" }
        try await browser.waitUntil("the chart has begun", timeout: .seconds(90)) {
            try await !browser.findAll("figure svg .line").isEmpty
        }
        try await save("overview", browser)
        try await browser.open(console.url("/workers"))
        try await browser.waitUntil("all run") { try await browser.read().contains("85 %") }
        try await browser.click("article summary")
        try await save("workers", browser)
        try await browser.open(console.url("/queues/scans/dead"))
        try await browser.waitUntil("the letters are there") { try await browser.findAll("tbody tr").count == 3 }
        try await save("dead", browser)
        try await browser.find("tbody a").click()
        try await save("message", browser)
        try await browser.prefer(["prefers-color-scheme": "dark"])
        try await browser.take(.phone)
        try await browser.open(console.url("/workers"))
        try await save("phone", browser)
    }

    private func save(_ name: String, _ browser: Browser) async throws {
        let file = URL(fileURLWithPath: Self.directory).appending(path: "console-\(name).png")
        try await browser.screenshot.write(to: file)
    }
}
