import Semel
import Testing

@testable import SemelStatusServer

@Suite struct MetricsTests {
    private let status = WorkerStatus(queue: "q")

    /// Samples by name and labels; checks the format on the way.
    private func samples() throws -> [String: Double] {
        let text = Metrics.text(StatusBoard(status).snapshot)
        #expect(text.hasSuffix("\n"))
        var samples: [String: Double] = [:]
        var described: Set<Substring> = []
        var typed: [Substring: Substring] = [:]
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# HELP ") {
                #expect(described.insert(words[2]).inserted, "described twice: \(line)")
            } else if line.hasPrefix("# TYPE ") {
                #expect(described.contains(words[2]))
                #expect(typed.updateValue(words[3], forKey: words[2]) == nil, "typed twice: \(line)")
            } else {
                #expect(words.count == 2, "\(line)")
                let name = words[0].prefix { $0 != "{" }
                let type = try #require(typed[name], "no type: \(line)")
                #expect(type == "gauge" || (type == "counter" && name.hasSuffix("_total")))
                #expect(samples.updateValue(try #require(Double(words[1])), forKey: String(words[0])) == nil)
            }
        }
        return samples
    }

    @Test func beforeAClaim() throws {
        let samples = try samples()
        #expect(samples[#"semel_state{state="IDLE"}"#] == 1)
        #expect(samples[#"semel_state{state="ING"}"#] == 0)
        #expect(samples[#"semel_state{state="COMPLETED"}"#] == 0)
        #expect(samples[#"semel_state{state="FAILED"}"#] == 0)
        #expect(samples["semel_claimed"] == 0)
        #expect(samples["semel_attempt"] == 0)
        #expect(samples["semel_progress_ratio"] == 0)
        #expect(samples["semel_task_seconds"] == 0)
        #expect(try #require(samples["semel_wait_seconds"]) >= 0)
        #expect(samples["semel_lease_extensions_total"] == 0)
        #expect(samples["semel_output_bytes_total"] == 0)
        #expect(samples["semel_claim_lost"] == 0)
        #expect(samples[#"semel_build_info{version="\#(Version.current)"}"#] == 1)
        let started = try #require(samples["semel_start_time_seconds"])
        #expect(abs(started - Double(status.snapshot.started.milliseconds) / 1_000) < 0.001)
        #expect(samples.count == 14)
    }

    @Test func whileATaskRuns() throws {
        status.claimed(
            Message(id: "m", body: try MessageBody([]), attempt: 3), maxAttempts: 5, deadline: nil, lease: nil)
        status.progress(0.75, nil)
        status.leaseExtended()
        status.leaseExtended()
        Array("12345".utf8).withUnsafeBytes { status.output($0) }
        let samples = try samples()
        #expect(samples[#"semel_state{state="IDLE"}"#] == 0)
        #expect(samples[#"semel_state{state="ING"}"#] == 1)
        #expect(samples["semel_claimed"] == 1)
        #expect(samples["semel_attempt"] == 3)
        #expect(samples["semel_progress_ratio"] == 0.75)
        #expect(samples["semel_lease_extensions_total"] == 2)
        #expect(samples["semel_output_bytes_total"] == 5)
        #expect(samples.keys.allSatisfy { !$0.hasPrefix("semel_outcome") })
    }

    @Test(arguments: Outcome.allCases)
    func atTheEnd(outcome: Outcome) throws {
        status.claimLost(ClaimLoss("x"))
        status.ended(outcome, reason: "x")
        let samples = try samples()
        #expect(samples[#"semel_outcome{outcome="\#(outcome.rawValue)"}"#] == 1)
        #expect(samples[#"semel_state{state="\#(outcome.state.rawValue)"}"#] == 1)
        #expect(samples["semel_claim_lost"] == 1)
    }
}
