import Foundation
import Glibc
import TestSupport
import Testing

/// What a Prometheus scrapes, checked by Prometheus' own tool.
@Suite(.oneLane)
struct StatusMetricsTests {
    private struct Scrape {
        let samples: [String: Double]

        init(_ text: String) {
            let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            samples = Dictionary(
                lines.compactMap { line in
                    let fields = line.split(separator: " ")
                    return fields.count == 2 ? Double(fields[1]).map { (String(fields[0]), $0) } : nil
                }, uniquingKeysWith: { first, _ in first })
        }

        subscript(_ name: String) -> Double? { samples[name] }
    }

    private func scrape(_ port: Int, _ when: String) async throws -> Scrape {
        let page = try await HTTP.get(port: port, path: "/metrics")
        #expect(page.header("content-type")?.hasPrefix("text/plain; version=0.0.4") == true)
        let check = try await run(.installed("promtool"), ["check", "metrics"], input: page.body)
        #expect(check.status == .exited(0), "\(when): \(check.stderrText)\(check.stdoutText)\n\(page.text)")
        #expect(check.stderr.isEmpty && check.stdout.isEmpty, "\(when): \(check.stderrText)\(check.stdoutText)")
        return Scrape(page.text)
    }

    @Test(arguments: [(0, "COMPLETED", "completed"), (1, "FAILED", "retry")])
    func fromTheWaitToTheEnd(_ exit: Int, _ last: String, _ outcome: String) async throws {
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--wait", "forever", "--linger", "1h", "--status-address", "127.0.0.1:\(port)"],
            task: spool.script(
                "printf 12345; printf 678 >&2; echo '0.5 half' >&3; echo >started; await go; exit \(exit)"))
        try await eventually(timeout: .seconds(60), "the endpoint answers") {
            (try? await HTTP.get(port: port, path: "/healthz").status) == 200
        }
        let idle = try await scrape(port, "idle")
        #expect(idle[#"semel_state{state="IDLE"}"#] == 1 && idle[#"semel_state{state="ING"}"#] == 0)
        #expect(idle["semel_attempt"] == 0 && idle["semel_claimed"] == 0)
        #expect(try #require(idle["semel_wait_seconds"]) > 0)
        #expect(idle["semel_task_seconds"] == 0)

        try spool.put("body", "a")
        try await spool.waitForNote("started")
        try await eventually(timeout: .seconds(60), "the progress has come") {
            let page = try await HTTP.get(port: port, path: "/metrics").text
            return page.contains("semel_progress_ratio 0.5\n") && page.contains("semel_output_bytes_total 8.0\n")
        }
        let running = try await scrape(port, "running")
        #expect(running[#"semel_state{state="ING"}"#] == 1 && running[#"semel_state{state="IDLE"}"#] == 0)
        #expect(running["semel_attempt"] == 1 && running["semel_claimed"] == 1 && running["semel_claim_lost"] == 0)
        #expect(try #require(running["semel_task_seconds"]) > 0)
        #expect(running["semel_lease_extensions_total"] == 0)

        try spool.release("go")
        try await eventually(timeout: .seconds(60), "it is over") {
            try await HTTP.get(port: port, path: "/get/status").text == last
        }
        let over = try await scrape(port, "over")
        #expect(over[#"semel_state{state="\#(last)"}"#] == 1 && over[#"semel_state{state="ING"}"#] == 0)
        #expect(over[#"semel_outcome{outcome="\#(outcome)"}"#] == 1)
        let taskSeconds = try #require(over["semel_task_seconds"])
        #expect(try await scrape(port, "still over")["semel_task_seconds"] == taskSeconds)
        #expect(abs(try #require(over["semel_start_time_seconds"]) - Date().timeIntervalSince1970) < 600)

        worker.send(SIGTERM)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(exit == 0 ? 0 : 75))
    }
}
