import Foundation
import TestSupport
import Testing

/// `semelctl dead retry` and `drop`.
@Suite(.oneLane)
struct CtlDeadChangeTests {
    /// A task that tells what it is given besides the body, then the body.
    private static let report = Shell.run(
        #"printf '%s\n%s\n%s\n%s\n' "$SEMEL_ATTEMPT" "$SEMEL_MESSAGE_ID" "$SEMEL_CONTENT_TYPE" "$SEMEL_HEADERS"; cat"#)

    @Test(arguments: QueueKind.allCases)
    func retryByID(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.kill("one", "two", "three")
        let ids = try await Ctl.deadIDs(queue)
        let end = try await Ctl.run(queue, "dead", "retry", "--yes", ids[1], ids[2])
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stdout == [])
        #expect(end.stderrText == "retried 2 messages\n")
        #expect(try await queue.left() == Left(ready: 2, dead: 1))
        for (body, id) in [("two", ids[1]), ("three", ids[2])] {
            let worker = try await Worker.run(queue, task: Shell.succeeding)
            #expect(worker.status == .exited(0), "\(worker.stderr)")
            #expect(worker.text == body)
            #expect(worker.report?.attempt == 1)
            #expect(worker.report?.messageId == id)
        }
        #expect(try await queue.left() == Left(dead: 1))
        #expect(try await Ctl.deadIDs(queue) == [ids[0]])
    }

    /// As often as there are attempts: the count begins anew.
    @Test(arguments: QueueKind.allCases)
    func retryBeginsAnew(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put([SampleBytes.all])
        let flags = ["--max-attempts", "2", "--wait", "60s"]
        for round in 1...2 {
            for attempt in 1...2 {
                let end = try await Worker.run(queue, flags, task: Shell.failing)
                #expect(end.report?.attempt == attempt)
                #expect(end.status == .exited(attempt == 2 ? 65 : 75), "\(end.stderr)")
            }
            let letter = try #require(try await Ctl.objects(queue, "dead", "list", "--json").first)
            #expect(letter["attempts"] as? Int == 2, "round \(round)")
            let end = try await Ctl.run(queue, "dead", "retry", "--all", "--yes")
            #expect(end.status == .exited(0), "\(end.stderrText)")
            #expect(try await queue.left() == Left(ready: 1))
        }
        let last = try await Worker.run(queue, flags, task: Shell.succeeding)
        #expect(last.stdout == SampleBytes.all)
        #expect(last.report?.attempt == 1)
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases.filter(\.traits.carriesHeaders))
    func retryKeepsWhatGoesWithTheBody(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Ctl.enqueue(
            queue, "--id", "order 17", "--content-type", "image/x-any", "--header", "a=1", "--header", "b=two words",
            input: SampleBytes.all)
        try await queue.killAll(1)
        let shown = try #require(try await Ctl.objects(queue, "dead", "show", "order 17", "--json").first)
        #expect(shown["contentType"] as? String == "image/x-any")
        #expect(shown["headers"] as? [String: String] == ["a": "1", "b": "two words"])
        let end = try await Ctl.run(queue, "dead", "retry", "order 17", "--yes")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        let worker = try await Worker.run(queue, task: Self.report)
        let parts = worker.stdout.split(separator: UInt8(ascii: "\n"), maxSplits: 4, omittingEmptySubsequences: false)
        try #require(parts.count == 5, "\(worker.text)")
        let lines = parts.prefix(4).map { String(decoding: $0, as: UTF8.self) }
        #expect(lines[0...2] == ["1", "order 17", "image/x-any"])
        #expect(try kind.traits.headersOfTheProducer(lines[3]) == ["a": "1", "b": "two words"])
        #expect(Array(parts[4]) == SampleBytes.all)
        #expect(try await queue.left() == .nothing)
    }

    /// What has a type of its own in RabbitMQ keeps it.
    @Test(arguments: [QueueKind.classic, .quorum])
    func retryKeepsTypes(_ kind: QueueKind) async throws {
        let queue = try #require(try await kind.make() as? RabbitMQUnderTest)
        let headers: [String: AMQPValue] = [
            "text": "t", "number": 17, "truth": true, "table": ["a": [1, "b"]], "when": .timestamp(1_700_000_000),
        ]
        try await queue.put(
            "body", MessageProperties(headers: headers, correlationID: "c-1", messageID: "m-1"))
        try await queue.killAll(1)
        let end = try await Ctl.run(queue, "dead", "retry", "m-1", "--yes")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        let messages = try await queue.server.messages(in: queue.queue)
        let message = try #require(messages.first)
        #expect(message.properties.correlationID == "c-1")
        #expect(message.properties.messageID == "m-1")
        #expect(message.headers.filter { !$0.key.hasPrefix("x-") } == headers)
        #expect(message.headers.keys.filter { $0.hasPrefix("x-semel") } == [])
    }

    @Test(arguments: QueueKind.allCases)
    func dropByReason(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.kill("one", "two", "three")
        let end = try await Ctl.run(queue, "dead", "drop", "--reason", "bad t", "--yes")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stderrText == "dropped 2 messages\n")
        #expect(try await queue.left() == Left(dead: 1))
        #expect(try await queue.deadLetter().text == "one")
    }

    @Test(arguments: QueueKind.allCases, ["retry", "drop"])
    func all(_ kind: QueueKind, _ action: String) async throws {
        let queue = try await kind.make()
        try await queue.kill("one", "two", "three")
        let end = try await Ctl.run(queue, "dead", action, "--all", "--yes")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stderrText == (action == "drop" ? "dropped 3 messages\n" : "retried 3 messages\n"))
        #expect(try await queue.left() == (action == "drop" ? .nothing : Left(ready: 3)))
        if action == "retry" { #expect(try await queue.readyTexts() == ["one", "two", "three"]) }
    }

    /// Workers that reject again what is retried must not keep it busy for ever.
    @Test(arguments: QueueKind.allCases)
    func retryEndsWhileWorkersRejectAgain(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let bodies = (1...12).map { "\($0)" }
        try await queue.put(bodies.map { Array($0.utf8) })
        try await queue.killAll(bodies.count)
        let workers = try bodies.map { _ in try Worker(queue, ["--wait", "60s"], task: Shell.rejecting) }
        let end = try await Ctl.run(queue, "dead", "retry", "--all", "--yes")
        #expect(end.stderrText == "retried 12 messages\n")
        for worker in workers { #expect(try await worker.end().status == .exited(65)) }
        #expect(try await queue.left() == Left(dead: 12))
    }

    /// Whatever belongs to a dead letter goes with it.
    @Test(arguments: ["retry", "drop"])
    func nothingIsLeftInTheSpool(_ action: String) async throws {
        let queue = try SpoolUnderTest()
        try await Ctl.enqueue(queue, "--header", "a=1", "body")
        try await queue.killAll(1)
        #expect(queue.files("dead").count == 2)
        _ = try await Ctl.run(queue, "dead", action, "--all", "--yes")
        #expect(queue.files("dead") == [])
        #expect(queue.files("meta").count == (action == "drop" ? 0 : 1))
    }

    // MARK: Asking first

    @Test(arguments: QueueKind.allCases, ["retry", "drop"])
    func nobodyIsThereToConfirm(_ kind: QueueKind, _ action: String) async throws {
        let queue = try await kind.make()
        try await queue.kill("one")
        // A pipe that says yes is not somebody.
        let end = try await Ctl.run(queue, ["dead", action, "--all"], input: Array("y\n".utf8))
        #expect(end.status == .exited(64))
        #expect(end.complaint == "nobody is there to confirm; add --yes")
        #expect(try await queue.left() == Left(dead: 1))
    }

    @Test(arguments: QueueKind.allCases, ["y", "YES", "n", "", "yes please"])
    func somebodyIsAsked(_ kind: QueueKind, _ answer: String) async throws {
        let queue = try await kind.make()
        try await queue.kill("one", "two")
        let end = try await Ctl.runOnTerminal(queue, ["dead", "drop", "--all"], typing: answer + "\n")
        #expect(end.output.contains("drop 2 messages of "), "\(end.output)")
        #expect(end.output.contains("? [y/N] "))
        let confirmed = ["y", "YES"].contains(answer)
        #expect(end.status == .exited(confirmed ? 0 : 64), "\(end.output)")
        #expect(end.output.contains(confirmed ? "dropped 2 messages" : "not confirmed; nothing was changed"))
        #expect(try await queue.left() == (confirmed ? .nothing : Left(dead: 2)))
    }
}
