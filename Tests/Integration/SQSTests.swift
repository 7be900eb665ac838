import Foundation
import TestSupport
import Testing

/// What SQS has and no other queue: its keys, its own dead letter queues, its groups.
@Suite(.oneLane)
struct SQSTests {
    private func url(_ queue: SQSUnderTest, _ more: String = "") -> String {
        "sqs://\(MotoServer.region)/\(queue.name)?endpoint=http://127.0.0.1:\(queue.server.port)\(more)"
    }

    private func worker(
        _ queue: SQSUnderTest, _ more: String = "", _ flags: [String] = [], keys: AWSKeys? = nil, task: [String]
    ) async throws -> WorkerEnd {
        let keys = keys ?? queue.server.keys
        return try await Worker(
            url: url(queue, more), flags, environment: keys.variables, secrets: [keys.secret], task: task
        ).end()
    }

    private let keysSeen = Shell.run("cat; env | grep -c '^AWS_ACCESS_KEY_ID\\|^AWS_SECRET_ACCESS_KEY' || true")

    // MARK: Credentials

    @Test func theKeysOfTheEnvironmentAreNotTheTasks() async throws {
        let queue = try await SQSUnderTest(.sqs)
        try await queue.put("one ", "two ")
        let own = try await worker(queue, task: keysSeen)
        #expect(own.status == .exited(0), "\(own.stderr)")
        #expect(own.text == "one 0\n")
        // With a profile semel does not use them.
        let profile = try await worker(queue, "&profile=worker", task: keysSeen)
        #expect(profile.status == .exited(0), "\(profile.stderr)")
        #expect(profile.text == "two 2\n")
    }

    @Test func theVariableOfSQSWorkers() async throws {
        let queue = try await SQSUnderTest(.sqs)
        try await queue.put("as before")
        let variables = [
            "SQS_QUEUE_URL": "http://127.0.0.1:\(queue.server.port)/123456789012/\(queue.name)",
            "AWS_REGION": MotoServer.region,
        ].merging(queue.server.keys.variables) { $1 }
        let end = try await Worker(environment: variables, secrets: queue.secrets, task: Shell.succeeding).end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == "as before")
        #expect(try await queue.left() == .nothing)
    }

    @Test func keysThatAreNotAnybodys() async throws {
        let queue = try await SQSUnderTest(.sqs)
        let cases = [
            (AWSKeys(id: "AKIAIOSFODNN7EXAMPLE", secret: Credentials.wrong), "InvalidClientTokenId"),
            (AWSKeys(id: queue.server.keys.id, secret: Credentials.wrong), "SignatureDoesNotMatch"),
        ]
        for (keys, says) in cases {
            let end = try await worker(queue, keys: keys, task: Shell.succeeding)
            #expect(end.status == .exited(77), "\(end.stderr)")
            #expect(end.report?.reason?.contains(says) ?? false, "\(end.stderr)")
            #expect(end.report?.reason?.contains("(credentials from AWS_ACCESS_KEY_ID)") ?? false)
        }
    }

    @Test func noRightToReceive() async throws {
        let queue = try await SQSUnderTest(.sqs)
        let keys = try await queue.server.makeUser(QueueKind.freshName(), may: ["sqs:GetQueueUrl"])
        let end = try await worker(queue, keys: keys, task: Shell.succeeding)
        #expect(end.status == .exited(77), "\(end.stderr)")
        #expect(end.report?.reason?.contains("AccessDenied") ?? false, "\(end.stderr)")
    }

    // MARK: Dead letters

    @Test(arguments: [QueueKind.sqs, .fifo])
    func theTargetOfTheRedrivePolicy(_ kind: QueueKind) async throws {
        let target = try await SQSUnderTest(kind)
        let queue = try await SQSUnderTest(kind, redriveTo: target, after: 10)
        try await queue.put("no good")
        let end = try await Worker.run(queue, task: Shell.rejecting)
        #expect(end.status == .exited(65), "\(end.stderr)")
        #expect(try await queue.left() == .nothing)
        #expect(try await target.readyTexts() == ["no good"])
        let listed = try await Semelctl.run(queue, ["dead", "list"])
        #expect(listed.contains("attempts 1  the task rejected the message"))
        try await Semelctl.run(queue, ["dead", "retry", "--all", "--yes"])
        #expect(try await queue.left() == .oneReady)
        #expect(try await target.left() == .nothing)
    }

    @Test func aNamedQueue() async throws {
        let queue = try await SQSUnderTest(.sqs)
        let dead = QueueKind.freshName()
        try await queue.put("no good")
        let end = try await worker(queue, "&dead=\(dead)", task: Shell.rejecting)
        #expect(end.status == .exited(65), "\(end.stderr)")
        let messages = try #require(try await queue.messages(in: dead))
        #expect(messages.map(\.body) == ["no good"])
    }

    /// Moved by SQS itself: nobody has written a reason.
    @Test func whatSQSHasMoved() async throws {
        let target = try await SQSUnderTest(.sqs)
        let queue = try await SQSUnderTest(.sqs, redriveTo: target, after: 1)
        try await queue.put("crashed")
        let failed = try await Worker.run(queue, task: Shell.failing)
        #expect(failed.status == .exited(75), "\(failed.stderr)")
        let idle = try await Worker.run(queue, ["--wait", "3s"], task: Shell.succeeding)
        #expect(idle.report?.outcome == "idle", "\(idle.stderr)")
        let listed = try await Semelctl.run(queue, ["dead", "list"])
        #expect(listed.contains("unknown: moved here by SQS, or by somebody else"))
        try await Semelctl.run(queue, ["dead", "retry", "--all", "--yes"])
        let next = try await Worker.run(queue, task: Shell.succeeding)
        #expect(next.text == "crashed")
    }

    @Test func nowhereToPutIt() async throws {
        let queue = try await SQSUnderTest(.sqs)
        try await queue.put("no good")
        let rights = ["GetQueueUrl", "ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage"].map { "sqs:\($0)" }
        let keys = try await queue.server.makeUser(QueueKind.freshName(), may: rights)
        let end = try await worker(queue, "", ["--lease", "4s"], keys: keys, task: Shell.rejecting)
        #expect(end.status == .exited(75), "\(end.stderr)")
        #expect(
            end.report?.reason?.contains("handed back to the queue: SQS refused the settlement: AccessDenied") ?? false)
        #expect(try await queue.left().all == 1)
    }

    // MARK: Groups

    /// Whoever is behind a message that waits for its retry waits, too; other groups do not.
    @Test func aGroupStaysInOrder() async throws {
        let queue = try await SQSUnderTest(.fifo)
        let texts = [("one", "a"), ("two", "a"), ("other", "b")]
        try await queue.put(texts.map { SQSUnderTest.Outgoing(Array($0.0.utf8), group: $0.1) })
        let failed = try await Worker.run(queue, ["--retry-delay", "3s"], task: Shell.failing)
        #expect(failed.status == .exited(75), "\(failed.stderr)")
        var order: [String] = []
        for _ in 1...3 { order.append(try await Worker.run(queue, task: Shell.succeeding).text) }
        #expect(order == ["other", "one", "two"])
    }

    @Test func groupsOfSemelctl() async throws {
        let queue = try await SQSUnderTest(.fifo)
        try await Semelctl.run(queue, ["enqueue", "first", "second"])
        try await Semelctl.run(queue, ["enqueue", "--header", "MessageGroupId=g", "--id", "i-1", "third"])
        // The same id within five minutes is the same message.
        try await Semelctl.run(queue, ["enqueue", "--header", "MessageGroupId=g", "--id", "i-1", "third"])
        let messages = try #require(try await queue.messages(in: queue.name))
        #expect(messages.map(\.body) == ["first", "second", "third"])
        #expect(messages.map(\.group) == ["semel", "semel", "g"])
        try await queue.killAll(2)
        let own = try await Worker.run(queue, task: Shell.run(#"cat; echo " $SEMEL_MESSAGE_ID $SEMEL_HEADERS""#))
        #expect(
            own.text.hasPrefix("third i-1 {\"MessageDeduplicationId\":\"i-1\",\"MessageGroupId\":\"g\""), "\(own.text)")
        try await Semelctl.run(queue, ["dead", "retry", "--all", "--yes"])
        let back = try #require(try await queue.messages(in: queue.name))
        #expect(back.map(\.body).sorted() == ["first", "second"])
        #expect(back.map(\.group) == ["semel", "semel"])
    }

    // MARK: Results, sizes, waiting

    @Test func aResultGoesToTheQueueThatTheMessageNames() async throws {
        let queue = try await SQSUnderTest(.sqs)
        let answers = try await SQSUnderTest(.sqs)
        let address = "http://127.0.0.1:\(queue.server.port)/123456789012/\(answers.name)"
        for reply in [address, "\(address)-gone", nil] {
            let attributes = reply.map { ["reply-to": $0] } ?? [:]
            try await queue.put([SQSUnderTest.Outgoing(Array("question".utf8), attributes)])
            let end = try await Worker.run(queue, ["--result", "stdout"], task: Shell.run("cat; echo ' answered'"))
            #expect(end.status == .exited(0), "\(end.stderr)")
        }
        #expect(try await answers.readyTexts() == ["question answered\n"])
        #expect(try await queue.left() == .nothing)
    }

    @Test func tooLargeForSQS() async throws {
        let queue = try await SQSUnderTest(.sqs)
        let variables = ["SEMEL_QUEUE": queue.url]
        let end = try await TestSupport.run(
            .semelctl, ["enqueue"], environment: RunningProcess.environment(adding: variables),
            input: [UInt8](repeating: 65, count: 1 + 1 << 20), timeout: .seconds(60))
        #expect(end.status == .exited(78))
        #expect(end.stderrText.contains("a message of 1048577 bytes is over SQS' limit of 1 MiB"))
        #expect(try await queue.left() == .nothing)
    }

    /// Whatever a poll brings after the signal is handed back.
    @Test func aMessageThatComesWithTheSignal() async throws {
        for _ in 1...5 {
            let queue = try await SQSUnderTest(.sqs)
            let worker = try Worker(queue, ["--wait", "forever"], task: Shell.succeeding)
            try await queue.waitUntilAwaited(by: worker)
            worker.process.send(SIGTERM)
            try await queue.put("in between")
            let end = try await worker.end()
            // It may have been running already when the signal came.
            #expect([.exited(143), .exited(0)].contains(end.status), "\(end.stderr)")
            if end.status == .exited(143) { try await queue.waitUntilLeft(.oneReady) }
        }
    }
}
