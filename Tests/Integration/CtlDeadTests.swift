import Foundation
import TestSupport
import Testing

/// `semelctl dead list` and `show`, on dead letters that workers have made.
@Suite(.oneLane)
struct CtlDeadTests {
    @Test(arguments: QueueKind.allCases)
    func list(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.kill("one", "two", "three")
        let all = try await Ctl.run(queue, "dead", "list")
        #expect(all.status == .exited(0), "\(all.stderrText)")
        let rows = all.stdoutText.split(separator: "\n").map(String.init)
        try #require(rows.count == 3)
        for (row, body) in zip(rows, ["one", "two", "three"]) {
            let reason = "the task rejected the message (exit status 65): bad \(body)"
            #expect(row.hasSuffix("  attempts 1  \(reason)"), "\(row)")
            #expect(row.contains(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  \S+  attempts/), "\(row)")
        }
        let some = try await Ctl.run(queue, "dead", "list", "--reason", "BAD T")
        #expect(some.stdoutText.split(separator: "\n").map(String.init) == Array(rows.dropFirst()))
        let none = try await Ctl.run(queue, "dead", "list", "--reason", "good")
        #expect(none.status == .exited(0))
        #expect(none.stdoutText == "")
        #expect(try await queue.left() == Left(dead: 3))
    }

    @Test(arguments: QueueKind.allCases)
    func listForPrograms(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.kill("one", "two")
        let letters = try await Ctl.objects(queue, "dead", "list", "--json")
        try #require(letters.count == 2)
        for (letter, body) in zip(letters, ["one", "two"]) {
            #expect(letter["id"] as? String != "")
            #expect(letter["reason"] as? String == "the task rejected the message (exit status 65): bad \(body)")
            #expect(letter["attempts"] as? Int == 1)
            #expect(letter["exit"] as? Int == 65)
            #expect(letter["output"] as? [String] == ["bad \(body)"])
            #expect((letter["worker"] as? String)?.isEmpty == false)
            #expect((letter["time"] as? String)?.hasSuffix("Z") == true)
            #expect(letter["bytes"] as? Int == 3)
            #expect(letter["body"] == nil && letter["bodyBase64"] == nil)
        }
        #expect(letters[0]["id"] as? String != letters[1]["id"] as? String)
    }

    @Test(arguments: QueueKind.allCases)
    func nothingIsDead(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        for arguments in [["list"], ["list", "--json"], ["retry", "--all", "--yes"], ["drop", "--reason", "x"]] {
            let end = try await Ctl.run(queue, ["dead"] + arguments)
            #expect(end.status == .exited(0), "\(end.stderrText)")
            #expect(end.stdoutText == "")
            #expect(end.stderrText == (arguments[0] == "list" ? "" : "no dead letters\n"))
        }
    }

    @Test(arguments: QueueKind.allCases)
    func show(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.kill("one", "two")
        let id = try await Ctl.deadIDs(queue)[1]
        let page = try await Ctl.run(queue, "dead", "show", id)
        #expect(page.status == .exited(0), "\(page.stderrText)")
        let lines = page.stdoutText.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.first == "id        \(id)")
        #expect(lines.contains("reason    the task rejected the message (exit status 65): bad two"))
        #expect(lines.contains("attempts  1"))
        #expect(lines.contains("exit      65"))
        #expect(page.stdoutText.contains("\nlast output:\n  bad two\n"))
        #expect(page.stdoutText.hasSuffix("\nbody (3 B):\ntwo\n"))

        let object = try #require(try await Ctl.objects(queue, "dead", "show", id, "--json").first)
        #expect(object["body"] as? String == "two")
        #expect(object["bodyBase64"] == nil)
        let body = try await Ctl.run(queue, "dead", "show", id, "--body")
        #expect(body.stdoutText == "two")
        #expect(try await queue.left() == Left(dead: 2))
    }

    @Test(arguments: QueueKind.allCases)
    func binaryBodies(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put([SampleBytes.all])
        try await queue.killAll(1)
        let id = try #require(try await Ctl.deadIDs(queue).first)
        let body = try await Ctl.run(queue, "dead", "show", id, "--body")
        #expect(body.status == .exited(0), "\(body.stderrText)")
        #expect(body.stdout == SampleBytes.all)
        let object = try #require(try await Ctl.objects(queue, "dead", "show", id, "--json").first)
        #expect(object["body"] == nil)
        #expect(object["bodyBase64"] as? String == Data(SampleBytes.all).base64EncodedString())
        #expect(object["bytes"] as? Int == SampleBytes.all.count)
        let page = try await Ctl.run(queue, "dead", "show", id)
        #expect(page.stdoutText.hasSuffix("\nbody (261 B):\nnot text; --body prints it as it is\n"))
    }

    @Test(arguments: QueueKind.allCases)
    func largeBodies(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        // More than a spool reads of the small files that it keeps beside its messages.
        let body = SampleBytes.many(kind == .spool ? 17 << 20 : min(1 << 20, kind.traits.largestBody))
        try await queue.put([body])
        try await queue.killAll(1)
        let id = try #require(try await Ctl.deadIDs(queue).first)
        let shown = try await Ctl.run(queue, "dead", "show", id, "--body")
        #expect(shown.stdout == body, "\(shown.stdout.count) bytes")
        let retried = try await Ctl.run(queue, "dead", "retry", id, "--yes")
        #expect(retried.status == .exited(0), "\(retried.stderrText)")
        let ready = try await queue.readyBodies()
        #expect(ready.count == 1 && ready[0] == body)
    }

    @Test(arguments: QueueKind.allCases)
    func anIDThatIsNotThere(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.kill("one")
        let id = try #require(try await Ctl.deadIDs(queue).first)
        let show = try await Ctl.run(queue, "dead", "show", "nobody")
        #expect(show.status == .exited(78))
        #expect(show.complaint.hasPrefix("no dead letter ‘nobody’ in "))
        for action in ["retry", "drop"] {
            let end = try await Ctl.run(queue, "dead", action, id, "nobody", "--yes")
            #expect(end.status == .exited(78))
            #expect(end.complaint.hasPrefix("no dead letter ‘nobody’ in "))
            #expect(end.complaint.hasSuffix("; nothing was changed"))
        }
        #expect(try await queue.left() == Left(dead: 1))
    }

    @Test(arguments: ["retry", "drop"], [[], ["--all", "--reason", "x"], ["id", "--all"], ["id", "--reason", "x"]])
    func wrongUsage(_ action: String, _ arguments: [String]) async throws {
        let queue = try await QueueKind.spool.make()
        try await queue.kill("one")
        let end = try await Ctl.run(queue, ["dead", action, "--yes"] + arguments)
        #expect(end.status == .exited(64))
        #expect(
            end.complaint
                == (arguments.isEmpty
                    ? "name ids, --reason TEXT or --all" : "ids, --reason and --all exclude each other"))
        #expect(try await queue.left() == Left(dead: 1))
    }
}

extension QueueUnderTest {
    /// Makes a dead letter of each of these, whose reason ends with `bad BODY`.
    func kill(_ bodies: String...) async throws {
        for body in bodies { try await put(body) }
        try await killAll(bodies.count)
    }

    /// Rejects as many messages.
    func killAll(_ count: Int) async throws {
        for _ in 0..<count {
            let end = try await Worker.run(
                self, task: Shell.run(#"body=$(head -c 100 | tr -d '\000'); echo "bad $body" >&2; exit 65"#))
            guard end.status == .exited(65) else { throw SupportError("not dead: \(end.stderr)") }
        }
    }
}

extension Ctl {
    static func deadIDs(_ queue: any QueueUnderTest) async throws -> [String] {
        try await objects(queue, "dead", "list", "--json").map { try #require($0["id"] as? String) }
    }
}
