import Foundation
import TestSupport
import Testing

/// `semelctl simulate`: how many Jobs a load would make of the project's own manifests.
@Suite(.oneLane)
struct CtlSimulateTests {
    /// The load that was measured on a running operator.
    private static let measured = [
        "--arrivals", "3:10,43:5", "--task", "60s", "--pod-pending", "1s", "--claim-after", "5s",
    ]

    @Test(arguments: ["rabbitmq-amqp", "redis-list", "redis-stream", "sqs"]) func aJobForEachMessage(_ preset: String)
        async throws
    {
        let json = try await Simulate.json(preset, Self.measured)
        #expect(json["jobsCreated"] as? Int == 15 && json["idleJobs"] as? Int == 0, "\(json)")
        #expect(json["peakJobs"] as? Int == 15 && json["done"] as? Int == 15 && json["left"] as? Int == 0)
        let names = try #require(json["strategies"] as? [[String: any Sendable]]).compactMap {
            $0["strategy"] as? String
        }
        #expect(Set(names) == ["default", "accurate", "accurate [Ready]", "eager"] && names.count == 4)
    }

    /// SQS hides a dead worker's message for its lease, for which the Job that comes for it has to wait.
    @Test func aLeaseOnSQS() async throws {
        let flags = Self.measured + ["--crash", "0.2"]
        let own = try await Simulate.json("sqs", flags)
        #expect(own["idleJobs"] as? Int == 0 && own["done"] as? Int == 15, "\(own)")
        #expect(own["crashes"] as? Int ?? 0 > 0, "\(own)")
        let impatient = try await Simulate.json("sqs", flags + ["--wait", "5s"])
        #expect(impatient["idleJobs"] as? Int ?? 0 > 0 && impatient["done"] as? Int == 15, "\(impatient)")
    }

    /// The file's own linger is as long as the counts are old.
    @Test func flagsWinOverTheFile() async throws {
        let own = try await Simulate.json("rabbitmq-http", Self.measured)
        let without = try await Simulate.json("rabbitmq-http", Self.measured + ["--linger", "0"])
        let fresh = try await Simulate.json("rabbitmq-http", Self.measured + ["--linger", "0", "--stale", "0"])
        #expect(own["idleJobs"] as? Int == 0)
        #expect(without["idleJobs"] as? Int ?? 0 > 0)
        #expect(fresh["idleJobs"] as? Int == 0)
        let few = try await Simulate.json("rabbitmq-amqp", Self.measured + ["--max", "3"])
        #expect(few["peakJobs"] as? Int == 3 && few["done"] as? Int == 15)
    }

    @Test func aReportForPeople() async throws {
        let end = try await Simulate.run("rabbitmq-amqp", Self.measured)
        #expect(end.status == .exited(0) && end.stderrText == "")
        #expect(end.stdoutText.contains("15 created, 0 of them idle; 15 at a time"), "\(end.stdoutText)")
        let rows = end.stdoutText.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(rows.contains { $0.starts(with: ["accurate", "[Ready]", "*", "15", "0", "15"]) }, "\(end.stdoutText)")
        #expect(rows.contains { $0.starts(with: ["accurate", "30", "15"]) }, "\(end.stdoutText)")
    }

    @Test func theSameSeedTheSameOutput() async throws {
        let flags = [
            "--rate", "random:1/s", "--for", "10m", "--task", "lognormal:30s,0.5", "--pod-pending", "uniform:1s..8s",
            "--crash", "0.05", "--drain", "100:3,200:3", "--json",
        ]
        let first = try await Simulate.run("redis-list", flags + ["--seed", "7"])
        let second = try await Simulate.run("redis-list", flags + ["--seed", "7"])
        let third = try await Simulate.run("redis-list", flags + ["--seed", "8"])
        #expect(first.stdoutText == second.stdoutText && first.stdoutText != third.stdoutText)
        #expect(first.status == .exited(0), "\(first.stderrText)")
    }

    @Test func arrivalsFromAFileAndAPlot() async throws {
        let files = try TemporaryDirectory("simulate")
        let arrivals = try files.write("seconds,count\n# the morning\n3,10\n\n43.0, 5\n", to: "arrivals.csv")
        let plot = files.path("plot.svg")
        let json = try await Simulate.json(
            "rabbitmq-amqp",
            ["--arrivals-file", arrivals, "--pod-pending", "1s", "--claim-after", "5s", "--plot", plot])
        #expect(json["jobsCreated"] as? Int == 15 && json["messages"] as? Int == 15)
        let svg = try String(contentsOfFile: plot, encoding: .utf8)
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
    }

    @Test func whatIsNotSimulatedIsSaid() async throws {
        let text = ScaledJobText(triggers: [.rabbitMQ(), .other("kafka")]).text
        let end = try await Simulate.run(text: text, ["--arrivals", "0:1"])
        #expect(end.status == .exited(0))
        #expect(
            end.complaint.hasPrefix("standard input:") && end.complaint.contains("‘kafka’")
                && end.complaint.contains("trigger 1 is not simulated"),
            "\(end.stderrText)")
        let alone = try await Simulate.run(
            text: ScaledJobText(triggers: [.other("kafka")]).text, ["--arrivals", "0:1"])
        #expect(
            alone.status == .exited(78) && alone.complaint.contains("‘kafka’")
                && alone.complaint.contains("trigger 0 is not simulated"))
    }

    @Test(
        arguments: [
            ([], "say when messages come: --arrivals 0:10,300:5, --rate 2/s with --for 10m, or --arrivals-file"),
            (["--arrivals", "x"], "--arrivals: ‘x’ is not SECONDS:COUNT, such as 300:5"),
            (["--arrivals", "0:-1"], "--arrivals: ‘0:-1’ is not SECONDS:COUNT, such as 300:5"),
            (["--arrivals", "0:99999999"], "--arrivals, --rate: too many messages; at most 10000000 are simulated"),
            (["--rate", "2/s"], "--rate: say with --for for how long"),
            (["--rate", "2", "--for", "1m"], "--rate: ‘2’ is not a rate such as 2/s"),
            (["--rate", "2/s", "--for", "0"], "--for: ‘0’ is not a time such as 10m"),
            (["--arrivals", "0:1", "--for", "1m"], "--for: goes with --rate only"),
            (["--arrivals", "0:1", "--task", "soon"], "--task: ‘soon’ is not a time between 0 and 1000h"),
            (["--arrivals", "0:1", "--task", "uniform:9s..1s"], "--task: ‘uniform:9s..1s’ is none of 60s, uniform:"),
            (["--arrivals", "0:1", "--crash", "1"], "--crash: ‘1’ is not a share from 0 to less than 1"),
            (["--arrivals", "0:1", "--drain", "5"], "--drain: ‘5’ is not SECONDS:PODS"),
            (["--arrivals", "0:1", "--stale", "7s"], "--stale: only a rabbitmq trigger over http has counts"),
            (["--arrivals", "0:1", "--max=-1"], "--max: -1 is less than 0"),
            (["--arrivals", "0:1", "--poll", "0"], "--poll: KEDA polls once a second at most"),
        ] as [([String], String)])
    func wrongUsage(_ flags: [String], _ complaint: String) async throws {
        let end = try await Simulate.run("rabbitmq-amqp", flags)
        #expect(end.status == .exited(64) && end.stdout.isEmpty)
        #expect(end.complaint.hasPrefix(complaint), "\(end.stderrText)")
    }

    @Test func wrongFiles() async throws {
        let missing = try await Simulate.run("rabbitmq-amqp", ["--arrivals-file", "/none.csv"])
        #expect(missing.status == .exited(78))
        #expect(missing.complaint == "--arrivals-file: /none.csv: cannot be read as text")
        let files = try TemporaryDirectory("simulate")
        let bad = try files.write("0,5\nsoon,5\n", to: "bad.csv")
        let end = try await Simulate.run("rabbitmq-amqp", ["--arrivals-file", bad])
        #expect(end.status == .exited(78))
        #expect(end.complaint == "--arrivals-file: \(bad):2: is not SECONDS,COUNT, such as 300,5")
        let plot = try await Simulate.run("rabbitmq-amqp", ["--arrivals", "0:1", "--plot", "/none/plot.svg"])
        #expect(plot.status == .exited(78) && plot.complaint == "--plot: /none/plot.svg: cannot be written")
    }
}

/// Runs `semelctl simulate`.
enum Simulate {
    /// On one of the project's manifests.
    static func run(_ preset: String, _ flags: [String]) async throws -> CtlEnd {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try await run(
            ["-f", root.appendingPathComponent("k8s/manifests/\(preset)/scaledjob.yaml").path] + flags)
    }

    static func run(text: String, _ flags: [String]) async throws -> CtlEnd {
        try await run(["-f", "-"] + flags, input: text)
    }

    static func json(_ preset: String, _ flags: [String]) async throws -> [String: any Sendable] {
        let end = try await run(preset, flags + ["--json"])
        #expect(end.status == .exited(0), "\(end.stderrText)")
        let object = try JSONSerialization.jsonObject(with: Data(end.stdout)) as? [String: any Sendable]
        return try #require(object, "\(end.stdoutText)")
    }

    private static func run(_ arguments: [String], input: String = "") async throws -> CtlEnd {
        let end = try await TestSupport.run(
            .semelctl, ["simulate"] + arguments, input: Array(input.utf8), timeout: .seconds(60))
        return CtlEnd(status: end.status, stdout: end.stdout, stderrText: end.stderrText)
    }
}
