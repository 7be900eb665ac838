import Foundation
import TestSupport
import Testing

/// The line of JSON that a worker leaves behind for `kubectl describe pod`. That it is one line, of known fields and
/// at most 4096 bytes, is checked with every worker that these tests run: see ``TerminationReport``.
@Suite(.oneLane)
struct TerminationLogTests {
    /// Reasons come from tasks, which may say anything, and as much of it as they like.
    @Test(arguments: QueueKind.allCases)
    func aLongReasonIsShortened(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("why")
        // Characters that take six bytes each in JSON.
        let script = #"head -c 6000 /dev/zero | tr '\0' '\001' >&2; echo >&2; exit 65"#
        let end = try await Worker.run(queue, task: Shell.run(script))
        #expect(end.status == .exited(65))
        let report = try #require(end.report)
        #expect(report.outcome == "dead-lettered")
        #expect(report.reason?.contains("rejected the message") == true)
        #expect(try await queue.left() == Left(dead: 1))
    }

    /// The only part of it that a stranger chooses the length of on the way in.
    @Test func aLongMessageID() async throws {
        let queue = try await RabbitMQUnderTest(.quorum, named: "long-id")
        let id = String(repeating: "\u{1}", count: 255)
        try await queue.put("x", MessageProperties(messageID: id))
        let end = try await Worker.run(queue, task: Shell.rejecting)
        #expect(end.status == .exited(65))
        let report = try #require(end.report)
        #expect(report.messageId == id)
        #expect(report.reason?.contains("no good") == true)
    }

    @Test func aLongReasonAtTheStart() async throws {
        let word = String(repeating: "é\"\\", count: 5000)
        let end = try await Worker(url: "spool:/nowhere", ["--wait", word], task: ["true"]).end()
        #expect(end.status == .exited(78))
        let report = try #require(end.report)
        #expect(report.outcome == "misconfigured")
        #expect(report.reason?.hasPrefix("--wait") == true)
    }

    /// Lines and control characters of a task's last words stay inside the JSON string.
    @Test(arguments: ["\\033[31mred\\033[0m", "quote \" back \\\\ slash", "\\377\\376 not UTF-8", "日本 🎉"])
    func anyLastWordsAreJSON(_ words: String) async throws {
        let queue = try await QueueKind.spool.make()
        try await queue.put("x")
        let end = try await Worker.run(queue, task: Shell.run(#"printf "$1\n" >&2; exit 65"#, words))
        #expect(end.status == .exited(65))
        #expect(end.report?.outcome == "dead-lettered")
    }

    @Test func mayBeOff() async throws {
        let queue = try await QueueKind.spool.make()
        try await queue.put("x")
        let end = try await Worker.run(queue, ["--termination-log", "off"], task: ["true"])
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.report == nil)
    }

    /// Hours of work later would be too late to find out.
    @Test func mustBeWritable() async throws {
        let queue = try await QueueKind.spool.make()
        try await queue.put("untouched")
        let flags = ["--termination-log", "/no/such/directory/log"]
        let end = try await Worker.run(queue, flags, task: ["true"])
        #expect(end.status == .exited(78))
        #expect(end.lastLine.contains("--termination-log"))
        #expect(try await queue.left() == Left(ready: 1))
    }

    /// A container that is started again finds the line of the one before.
    @Test func replacesWhatWasThere() async throws {
        let queue = try await QueueKind.spool.make()
        try await queue.put("x")
        let directory = try TemporaryDirectory("log")
        let file = try directory.write(String(repeating: "old ", count: 2000), to: "log")
        let end = try await Worker.run(queue, ["--termination-log", file], task: ["true"])
        #expect(end.status == .exited(0), "\(end.stderr)")
        let report = try TerminationReport(Data(contentsOf: URL(fileURLWithPath: file)))
        #expect(report.outcome == "completed")
    }
}
