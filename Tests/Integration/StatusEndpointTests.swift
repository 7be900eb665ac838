import Foundation
import Glibc
import TestSupport
import Testing

/// What the endpoint answers in the course of a worker's life.
@Suite(.oneLane)
struct StatusEndpointTests {
    /// The poll loop that setups built around such workers have, noting every state that it sees.
    private func poller(_ port: Int, until last: String, in spool: TaskSpool) throws -> RunningProcess {
        let loop = """
            seen=
            while [ "$(curl -s http://127.0.0.1:\(port)/get/status)" != \(last) ]; do
                state=$(curl -s http://127.0.0.1:\(port)/get/status)
                [ -z "$state" ] || [ "$state" = "$seen" ] || echo "$state" >>seen
                seen=$state
                sleep 0.05
            done
            echo \(last) >>seen
            """
        return try RunningProcess(.installed("sh"), ["-c", loop], directory: spool.directory.path)
    }

    @Test(arguments: [(0, "COMPLETED", 0), (1, "FAILED", 75), (65, "FAILED", 65)] as [(Int, String, Int32)])
    func aPollLoopSeesTheStatesInOrder(_ exit: Int, _ last: String, _ code: Int32) async throws {
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let poller = try poller(port, until: last, in: spool)
        let worker = try spool.start(
            ["--wait", "forever", "--linger", "1h", "--status-address", "127.0.0.1:\(port)"],
            task: spool.script("await go; exit \(exit)"))
        try await eventually(timeout: .seconds(60), "IDLE is seen") { spool.notes("seen").contains("IDLE") }
        try spool.put("body", "a")
        try await eventually(timeout: .seconds(60), "ING is seen") { spool.notes("seen").contains("ING") }
        try spool.release("go")
        #expect(try await poller.waitForExit(timeout: .seconds(60)) == .exited(0))
        // COMPLETED may already have been seen by the second look of the round before.
        #expect(spool.notes("seen").reduce(into: []) { if $0.last != $1 { $0.append($1) } } == ["IDLE", "ING", last])
        // The message is settled before the end is told.
        #expect(spool.rooms.ready.isEmpty && spool.rooms.claimed.isEmpty)

        #expect(worker.isRunning, "it lingers")
        worker.send(SIGTERM)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(code))
    }

    @Test func readyFromTheClaimOn() async throws {
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        func code(_ path: String) async throws -> Int { try await HTTP.get(port: port, path: path).status }
        let worker = try spool.start(
            ["--wait", "forever", "--linger", "1h", "--status-address", "127.0.0.1:\(port)"],
            task: spool.script("echo >started; await go"))
        try await eventually(timeout: .seconds(60), "the endpoint answers") { (try? await code("/healthz")) == 200 }
        #expect(try await code("/readyz") == 503)

        try spool.put("body", "a")
        try await spool.waitForNote("started")
        #expect(try await code("/readyz") == 200)
        #expect(try await code("/healthz") == 200)

        try spool.release("go")
        try await eventually(timeout: .seconds(60), "it is over") {
            try await HTTP.get(port: port, path: "/get/status").text == "COMPLETED"
        }
        #expect(try await code("/readyz") == 200)
        #expect(try await code("/healthz") == 200)
        worker.send(SIGTERM)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
    }

    /// Nobody waits for the status of a worker that found nothing, and a worker without one is not kept.
    @Test func aWorkerThatFoundNothingDoesNotLinger() async throws {
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let finished = try await spool.work(
            ["--linger", "1h", "--status-address", "127.0.0.1:\(port)"], task: ["true"])
        #expect(finished.status == .exited(0))
        #expect(try spool.terminationLog()["outcome"] as? String == "idle")
    }

    private static let pages = ["/get/status", "/status", "/healthz", "/readyz", "/metrics", "/"]

    @Test func methodsAndPaths() async throws {
        try await withRunningWorker { port, _ in
            for page in Self.pages {
                let got = try await HTTP.get(port: port, path: page)
                #expect(got.status == 200, "\(page)")
                #expect(got.header("cache-control") == "no-store" && got.header("x-content-type-options") == "nosniff")
                let asked = try await HTTP.get(port: port, path: page + "?a=b")
                #expect(asked.status == 200, "\(page)")
                let head = try await HTTP.request("HEAD", port: port, path: page)
                #expect(head.status == 200 && head.body.isEmpty, "\(page)")
                #expect(head.header("content-type") == got.header("content-type"))
                #expect(head.header("content-length").flatMap { Int($0) } ?? 0 > 0)
                for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
                    let refused = try await HTTP.request(method, port: port, path: page)
                    #expect(refused.status == 405 && refused.header("allow") == "GET, HEAD", "\(method) \(page)")
                }
            }
            for page in ["/nowhere", "/status/", "/get/status/x", "//", "/../status", "/%73tatus", "/favicon.ico"] {
                #expect(try await HTTP.get(port: port, path: page).status == 404, "\(page)")
            }
            #expect(try await HTTP.get(port: port, path: "/get/status").text == "ING")
            #expect(
                try await HTTP.get(port: port, path: "/get/status").header("content-type")?.hasPrefix("text/plain")
                    == true)
            #expect(try await HTTP.get(port: port, path: "/status").header("content-type") == "application/json")
        }
    }

    @Test func thePageIsCompleteInItself() async throws {
        try await withRunningWorker { port, _ in
            let page = try await HTTP.get(port: port, path: "/")
            let policy = try #require(page.header("content-security-policy"))
            #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
            #expect(!policy.contains("http") && !policy.contains("*"))
            #expect(page.header("content-type") == "text/html; charset=utf-8")
            #expect(page.text.hasPrefix("<!doctype html>"))
            // Nothing from elsewhere, and no way to put markup in.
            for foreign in ["http:", "https:", "src=", "@import", "url(", "innerHTML", "document.write"] {
                #expect(!page.text.contains(foreign), "\(foreign)")
            }
            let references = page.text.matches(of: /(?:href|action)="([^"]*)"/).map { String($0.1) }
            #expect(references.allSatisfy { Self.pages.contains($0) }, "\(references)")
        }
    }

    @Test func statusAsJSON() async throws {
        let spool = try TaskSpool(["order-7": "the secret body"])
        let flags = ["--timeout", "1h", "--max-attempts", "3"]
        let output = #"seq 60; printf 'a <b>"line"\n\377\n'"#
        let more = "await more; echo an error >&2; '\(try Executable.semel.path)' progress 0.25 quarter"
        try await withRunningWorker(spool, flags: flags, doing: output, then: more) { port, worker in
            var shown: [String: Any] = [:]
            func look() async throws {
                shown = try #require(await HTTP.get(port: port, path: "/status").json() as? [String: Any])
            }
            // The two streams come in any order, and only the last lines are kept.
            try await eventually(timeout: .seconds(60), "standard output is shown") {
                try await look()
                return (shown["output"] as? [String])?.contains { $0.hasPrefix("a <b>") } == true
            }
            try spool.release("more")
            try await eventually(timeout: .seconds(60), "progress is shown") {
                try await look()
                return shown["progress"] != nil && (shown["output"] as? [String])?.contains("an error") == true
            }
            #expect(shown["state"] as? String == "ING")
            #expect(shown["queue"] as? String == spool.url)
            #expect(shown["messageId"] as? String == "order-7")
            #expect(shown["attempt"] as? Int == 1)
            #expect(shown["maxAttempts"] as? Int == 3)
            #expect(shown["progress"] as? Double == 0.25)
            #expect(shown["note"] as? String == "quarter")
            #expect(shown["outcome"] == nil && shown["reason"] == nil)
            let lines = try #require(shown["output"] as? [String])
            #expect(lines.count == 50)
            #expect(lines.contains("60") && lines.contains("a <b>\"line\"") && !lines.contains("1"))
            #expect(shown["outputBytes"] as? Int == worker.stdout.count + "an error\n".utf8.count)
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            let times = try ["started", "claimed", "deadline"].map { try style.parse(#require(shown[$0] as? String)) }
            #expect(times[0] <= times[1] && times[2].timeIntervalSince(times[1]) >= 3599)
            #expect(try #require(shown["seconds"] as? Double) >= 0 && #require(shown["waitSeconds"] as? Double) >= 0)
            for page in Self.pages {
                #expect(try await !HTTP.get(port: port, path: page).text.contains("the secret body"))
            }
        }
    }

    /// A worker whose task waits until the body has returned. The body begins when the first script has ended.
    private func withRunningWorker(
        _ given: TaskSpool? = nil, flags: [String] = [], doing script: String = "", then more: String = "",
        _ body: (Int, RunningProcess) async throws -> Void
    ) async throws {
        let spool = try given ?? TaskSpool()
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--status-address", "127.0.0.1:\(port)"] + flags,
            task: spool.script("\(script)\necho >started\n\(more)\nawait go"))
        try await spool.waitForNote("started")
        try await body(port, worker)
        try spool.release("go")
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(0))
    }
}
