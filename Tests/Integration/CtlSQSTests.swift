import Foundation
import TestSupport
import Testing

/// `semelctl explain`, `lint` and `scale` with SQS: what they read is what KEDA would read, with KEDA's own keys.
@Suite(.oneLane)
struct CtlSQSTests {
    private func text(
        _ queue: SQSUnderTest, named name: String? = nil, keys: AWSKeys?, _ more: [String: String] = [:]
    ) -> ScaledJobText {
        let endpoint = "http://127.0.0.1:\(queue.server.port)"
        let authentication = keys.map { ["awsAccessKeyID": $0.id, "awsSecretAccessKey": $0.secret] } ?? [:]
        return ScaledJobText(
            triggers: [.sqs(name ?? queue.name, endpoint: endpoint, more)],
            authentication: authentication.isEmpty ? ["unused": "x"] : authentication)
    }

    /// What is held counts unless the trigger says otherwise; what is delayed only if it does.
    @Test func messages() async throws {
        let queue = try await SQSUnderTest(.sqs)
        try await queue.put("a", "b", "c")
        let worker = try Worker(queue, task: Shell.untilStopped)
        try await worker.waitForTask()
        let later = SQSUnderTest.Outgoing(Array("later".utf8), delay: 600)
        try await queue.put([SQSUnderTest.Outgoing](repeating: later, count: 5))
        // The keys are in the Secret that the TriggerAuthentication names, and in nothing else.
        let keys = try await queue.server.makeUser(
            QueueKind.freshName(), may: ["sqs:GetQueueUrl", "sqs:GetQueueAttributes"])
        func reading(_ more: [String: String]) async throws -> Double? {
            try await Explain.reading(text(queue, keys: keys, more).text)
        }
        #expect(try await reading([:]) == 3)
        #expect(try await reading(["scaleOnInFlight": "false"]) == 2)
        #expect(try await reading(["scaleOnDelayed": "true"]) == 8)
        #expect(try await reading(["scaleOnInFlight": "false", "scaleOnDelayed": "true"]) == 7)
        let url = "http://127.0.0.1:\(queue.server.port)/123456789012/\(queue.name)"
        let end = try await Explain.run(["-f", "-"], input: text(queue, named: url, keys: keys).text)
        #expect(end.stdoutText.contains("q = 3, read just now, t = 1"), "\(end.stdoutText)\(end.stderrText)")
        #expect(end.stdoutText.contains("queue ‘\(queue.name)’"), "\(end.stdoutText)")
        #expect(!end.stdoutText.contains(keys.secret))
        worker.process.send(SIGTERM)
        #expect(try await worker.end().status == .exited(143))
    }

    /// Without a TriggerAuthentication's keys it asks as whoever runs it.
    @Test func asOneself() async throws {
        let queue = try await SQSUnderTest(.sqs)
        try await queue.put("a")
        let text = text(queue, keys: nil).text
        for (variables, status) in [(["AWS_PROFILE": "worker"], 0), (["AWS_PROFILE": "wrong"], 77)] {
            let end = try await Explain.run(["-f", "-"], input: text, environment: variables)
            #expect(end.status == .exited(Int32(status)), "\(end.stdoutText)\(end.stderrText)")
        }
    }

    @Test func whatCannotBeRead() async throws {
        let queue = try await SQSUnderTest(.sqs)
        let keys = queue.server.keys
        let user = QueueKind.freshName()
        let revoked = try await queue.server.makeUser(user, may: ["sqs:*"])
        try await queue.server.revokeKeys(of: user)
        let powerless = try await queue.server.makeUser(QueueKind.freshName(), may: ["sqs:GetQueueUrl"])
        var nobody = text(queue, keys: keys)
        nobody.triggers = [.sqs(queue.name, endpoint: "http://127.0.0.1:1")]
        let cases: [(ScaledJobText, Int32, String)] = [
            (text(queue, keys: revoked), 77, "refused: InvalidClientTokenId"),
            (text(queue, keys: AWSKeys(id: keys.id, secret: Credentials.wrong)), 77, "refused: SignatureDoesNotMatch"),
            (text(queue, keys: powerless), 77, "refused: AccessDenied"),
            (text(queue, named: "nowhere", keys: keys), 78, "no queue ‘nowhere’"),
            (nobody, 69, "SQS at 127.0.0.1:1"),
        ]
        for (text, status, complaint) in cases {
            let end = try await Explain.run(["-f", "-"], input: text.text)
            #expect(end.status == .exited(status) && end.stdout.isEmpty, "\(end.stderrText)")
            #expect(end.complaint.contains("spec.triggers[0]"), "\(end.stderrText)")
            #expect(end.complaint.contains(complaint), "\(end.stderrText)")
            #expect(!end.stderrText.contains(keys.secret) && !end.stderrText.contains(revoked.secret))
        }
    }

    /// The real queue, beside the file.
    @Test func lint() async throws {
        let queue = try await SQSUnderTest(.sqs)
        func rules(_ url: String) async throws -> [String] {
            let text = text(queue, keys: queue.server.keys, ["scaleOnInFlight": "false"]).text
            let end = try await TestSupport.run(
                .semelctl, ["lint", "--queue", url, "--json", "-"], input: Array(text.utf8), timeout: .seconds(60))
            #expect(!end.stdoutText.contains(queue.server.keys.secret), "\(end.stdoutText)")
            let object = try JSONSerialization.jsonObject(with: Data(end.stdout)) as? [String: any Sendable]
            let findings = try #require(object?["findings"] as? [[String: any Sendable]], "\(end.stderrText)")
            return findings.compactMap { $0["rule"] as? String }
        }
        let own = try await rules(queue.url)
        // The default strategy on a count without held messages.
        #expect(own.contains("SJ011") && !own.contains { $0.hasPrefix("SJ10") }, "\(own)")
        let other = try await SQSUnderTest(.sqs)
        #expect(try await rules(other.url).contains("SJ101"))
        let missing = try #require(queue.urlOfMissingQueue)
        #expect(try await rules(missing).contains("SJ100"))
    }

    /// The repository's own manifest, with another queue's name and keys.
    @Test func scale() async throws {
        let queue = try await SQSUnderTest(.sqs)
        let messages = (1...12).map { "m-\($0)" }
        try await queue.put(messages.map { Array($0.utf8) })
        let ledger = try TemporaryDirectory("ledger")
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "k8s/manifests/sqs")
        let files = try ["scaledjob", "triggerauthentication", "secret"].map { name in
            try String(contentsOf: root.appending(path: "\(name).yaml"), encoding: .utf8)
        }
        let keys = queue.server.keys
        let text = files.joined(separator: "\n---\n").replacing("\"scans\"", with: "\"\(queue.name)\"")
            .replacing("/scans\"", with: "/\(queue.name)\"")
            .replacing("KEY_ID: \"change-me\"", with: "KEY_ID: \"\(keys.id)\"")
            .replacing("ACCESS_KEY: \"change-me\"", with: "ACCESS_KEY: \"\(keys.secret)\"")
        let endpoint = "AWS_ENDPOINT_URL=http://127.0.0.1:\(queue.server.port)"
        let run = try Scale.start(
            text,
            ["--until-empty", "--poll", "500ms", "--env", endpoint, "--env", "SEMEL_WAIT=2s", "--"]
                + ["sh", "-c", "m=$(cat); sleep 1; echo \"$m\" >>\"$0\"", ledger.path("ledger")],
            environment: ["AWS_ENDPOINT_URL": "http://127.0.0.1:\(queue.server.port)"])
        let end = try await run.end()
        #expect(end.status == .exited(0), "\(end.text)\(end.stderrText)")
        #expect(!end.text.contains(keys.secret) && !end.stderrText.contains(keys.secret))
        let summary = try end.summary
        #expect(summary.outcomes["completed"] == 12 && summary.jobsCreated == 12 + summary.idleJobs, "\(summary)")
        let done = try String(contentsOfFile: ledger.path("ledger"), encoding: .utf8).split(separator: "\n")
        #expect(done.map(String.init).sorted() == messages.sorted())
        #expect(try await queue.left() == .nothing)
    }
}
