import TestSupport
import Testing

/// Exit 65: nobody will try this message again.
@Suite(.oneLane)
struct ExitDeadLetterTests {
    @Test(arguments: QueueKind.allCases)
    func rejectedByTheTask(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("bad message")
        let end = try await Worker.run(queue, task: Shell.rejecting)
        #expect(end.status == .exited(65), "\(end.stderr)")
        #expect(try await queue.left() == Left(dead: 1))

        let letter = try await queue.deadLetter()
        #expect(letter.text == "bad message")
        #expect(letter.attempts == 1)
        #expect(letter.exit == 65)
        #expect(letter.reason?.contains("no good") == true)
        #expect(letter.output == "no good")

        let report = try #require(end.report)
        #expect(report.outcome == "dead-lettered")
        #expect(report.attempt == 1)
        #expect(report.taskExit == 65)
        #expect(report.reason == letter.reason)
    }

    @Test(arguments: QueueKind.allCases)
    func attemptsUsedUp(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("stubborn")
        var ids: Set<String?> = []
        for attempt in 1...3 {
            let end = try await Worker.run(queue, ["--max-attempts", "3"], task: Shell.failing)
            #expect(end.status == .exited(attempt < 3 ? 75 : 65), "\(end.stderr)")
            #expect(end.report?.outcome == (attempt < 3 ? "retry" : "dead-lettered"))
            #expect(end.report?.attempt == attempt)
            #expect(end.report?.taskExit == 3)
            ids.insert(end.report?.messageId)
        }
        #expect(try await queue.left() == Left(dead: 1))
        let letter = try await queue.deadLetter()
        #expect(letter.text == "stubborn")
        #expect(letter.attempts == 3)
        #expect(letter.exit == 3)
        #expect(letter.reason?.contains("3 of 3") == true)
        #expect(letter.output == "went wrong")
        if kind.traits.givesIDs { #expect(ids.count == 1) }
    }

    @Test(arguments: QueueKind.allCases)
    func onlyAttempt(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("once")
        let end = try await Worker.run(queue, ["--max-attempts", "1"], task: Shell.run("kill -SEGV $$"))
        #expect(end.status == .exited(65), "\(end.stderr)")
        #expect(end.report?.taskExit == 139)
        #expect(try await queue.left() == Left(dead: 1))
        #expect(try await queue.deadLetter().exit == 139)
    }

    @Test(arguments: QueueKind.allCases)
    func overTheSizeLimit(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let large = [UInt8](repeating: 7, count: 1025)
        try await queue.put([large])
        let end = try await Worker.run(queue, ["--max-message-bytes", "1KiB"], task: Shell.run("echo ran"))
        #expect(end.status == .exited(65), "\(end.stderr)")
        #expect(end.text == "")
        #expect(try await queue.left() == Left(dead: 1))

        let letter = try await queue.deadLetter()
        #expect(letter.body == large)
        #expect(letter.exit == nil)
        #expect(letter.reason?.contains("1025 bytes") == true)
        let report = try #require(end.report)
        #expect(report.outcome == "dead-lettered")
        #expect(report.taskExit == nil)
        #expect(report.reason?.contains("--max-message-bytes") == true)
    }

    @Test(arguments: QueueKind.allCases)
    func exactlyTheSizeLimitIsNotOverIt(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put([[UInt8](repeating: 7, count: 1024)])
        let end = try await Worker.run(queue, ["--max-message-bytes", "1KiB"], task: Shell.run("wc -c"))
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text.contains("1024"))
        #expect(try await queue.left() == .nothing)
    }

    /// A dead letter does not hide one that was there before, nor the next one.
    @Test(arguments: QueueKind.allCases)
    func deadLettersAddUp(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("1", "2", "3")
        for _ in 1...3 {
            let end = try await Worker.run(queue, task: Shell.rejecting)
            #expect(end.status == .exited(65), "\(end.stderr)")
        }
        #expect(try await queue.left() == Left(dead: 3))
        #expect(Set(try await queue.deadLetters().map(\.text)) == ["1", "2", "3"])
    }
}
