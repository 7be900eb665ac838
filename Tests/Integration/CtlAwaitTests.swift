import Glibc
import TestSupport
import Testing

/// `semelctl enqueue --await`: what becomes of a message, told to whoever sent it.
@Suite(.oneLane)
struct CtlAwaitTests {
    private static let withResult = ["--result", "stdout"]

    /// Sends a body on standard input and has a worker run on it, which is there before or comes after.
    private func request(
        _ queue: any QueueUnderTest, _ flags: [String] = [], input: [UInt8] = Array("body".utf8),
        worker: [String] = withResult, task: [String], workerIsFirst: Bool = false
    ) async throws -> (requester: CtlEnd, worker: WorkerEnd) {
        if workerIsFirst {
            let worker = try Worker(queue, worker, task: task)
            try await queue.waitUntilAwaited(by: worker)
            let end = try await Ctl.run(queue, ["enqueue", "--await"] + flags, input: input)
            return (end, try await worker.end())
        }
        let requester = try Ctl.start(queue, ["enqueue", "--await"] + flags, input: input)
        let end = try await Worker.run(queue, worker, task: task)
        guard [.exited(0), .exited(65)].contains(end.status) else {
            throw SupportError("the message has not come to an end: \(end.stderr)")
        }
        return (try await Ctl.end(of: requester, queue), end)
    }

    @Test(arguments: QueueKind.allCases, [true, false])
    func printsTheResultByteForByte(_ kind: QueueKind, _ workerIsFirst: Bool) async throws {
        let queue = try await kind.make()
        let ends = try await request(
            queue, input: SampleBytes.all, task: Shell.run("cat; printf end"), workerIsFirst: workerIsFirst)
        #expect(ends.requester.status == .exited(0), "\(ends.requester.stderrText)")
        #expect(ends.requester.stdout == SampleBytes.all + Array("end".utf8))
        #expect(ends.requester.stderrText == "")
        #expect(ends.worker.status == .exited(0), "\(ends.worker.stderr)")
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func largeResults(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let body = SampleBytes.many(600_000)
        let ends = try await request(queue, input: body, task: Shell.run("cat"))
        #expect(ends.requester.status == .exited(0), "\(ends.requester.stderrText)")
        #expect(ends.requester.stdout == body, "\(ends.requester.stdout.count) bytes")
    }

    @Test(arguments: QueueKind.allCases)
    func anEmptyResultIsAResult(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let ends = try await request(queue, task: Shell.run("cat >/dev/null"))
        #expect(ends.requester.status == .exited(0), "\(ends.requester.stderrText)")
        #expect(ends.requester.stdout == [])
        #expect(ends.requester.stderrText == "")
    }

    @Test(arguments: QueueKind.allCases)
    func completedWithoutAResult(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let ends = try await request(queue, worker: [], task: Shell.succeeding)
        #expect(ends.requester.status == .exited(0), "\(ends.requester.stderrText)")
        #expect(ends.requester.stdout == [])
        #expect(ends.requester.stderrText == "completed, without a result\n")
    }

    @Test(arguments: QueueKind.allCases, [withResult, []])
    func deadLettered(_ kind: QueueKind, _ flags: [String]) async throws {
        let queue = try await kind.make()
        let ends = try await request(queue, worker: flags, task: Shell.rejecting)
        #expect(ends.requester.status == .exited(65))
        #expect(ends.requester.stdout == [])
        #expect(
            ends.requester.complaint == "dead-lettered: the task rejected the message (exit status 65): no good")
        #expect(try await queue.left() == Left(dead: 1))
    }

    @Test(arguments: QueueKind.allCases)
    func aResultThatIsTooLongIsAFailedAttempt(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let flags = Self.withResult + ["--max-message-bytes", "1000", "--max-attempts", "1"]
        let ends = try await request(queue, worker: flags, task: Shell.run("cat >/dev/null; head -c 1001 /dev/zero"))
        #expect(ends.worker.status == .exited(65), "\(ends.worker.stderr)")
        #expect(ends.requester.status == .exited(65))
        #expect(ends.requester.complaint.contains("the result has more than 1000 bytes (--max-message-bytes)"))
        #expect(try await queue.left() == Left(dead: 1))
    }

    /// Somebody waits through failed attempts and stopped workers.
    @Test(arguments: QueueKind.allCases)
    func theEndIsTheLastAttempts(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let requester = try Ctl.start(queue, ["enqueue", "--await", "body"])
        let stopped = try Worker(queue, Self.withResult, task: Shell.untilStopped)
        try await stopped.waitForTask()
        stopped.process.send(SIGTERM)
        let release = try await stopped.end()
        #expect(release.status == .exited(143), "\(release.stderr)")
        let failed = try await Worker.run(queue, Self.withResult, task: Shell.failing)
        #expect(failed.status == .exited(75), "\(failed.stderr)")
        #expect(failed.report?.attempt == 1)
        let script = #"cat; printf " %s %s" "$SEMEL_ATTEMPT" "$SEMEL_MESSAGE_ID""#
        let last = try await Worker.run(queue, Self.withResult, task: Shell.run(script))
        #expect(last.status == .exited(0), "\(last.stderr)")
        let end = try await Ctl.end(of: requester, queue)
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stdoutText == "body 2 \(last.report?.messageId ?? "no id")")
        #expect(release.report?.messageId == last.report?.messageId)
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases, [withResult, []])
    func atMostOnce(_ kind: QueueKind, _ flags: [String]) async throws {
        let queue = try await kind.make()
        let ends = try await request(
            queue, worker: flags + ["--delivery", "at-most-once"], task: Shell.run("sleep 1.5; cat"))
        #expect(ends.requester.status == .exited(0), "\(ends.requester.stderrText)")
        #expect(ends.requester.stdoutText == (flags.isEmpty ? "" : "body"))
        #expect(ends.requester.stderrText == (flags.isEmpty ? "completed, without a result\n" : ""))
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases)
    func atMostOnceDeadLettered(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let ends = try await request(
            queue, worker: Self.withResult + ["--delivery", "at-most-once"], task: Shell.run("sleep 1; exit 3"))
        #expect(ends.requester.status == .exited(65))
        #expect(ends.requester.complaint.hasPrefix("dead-lettered: "))
        #expect(try await queue.left() == Left(dead: 1))
    }

    @Test(arguments: QueueKind.allCases)
    func afterTheTimeTheMessageStays(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let end = try await Ctl.run(queue, "enqueue", "--await", "--await-timeout", "300ms", "body")
        #expect(end.status == .exited(75))
        #expect(end.stdout == [])
        #expect(end.complaint == "no end within 300ms; the message stays where it is")
        #expect(try await queue.left() == Left(ready: 1))
        // Nobody waits for its result any more, which is no reason to fail.
        let worker = try await Worker.run(queue, Self.withResult, task: Shell.succeeding)
        #expect(worker.status == .exited(0), "\(worker.stderr)")
        #expect(worker.text == "body")
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases, [SIGINT, SIGTERM])
    func stoppedWhileWaiting(_ kind: QueueKind, _ signal: Int32) async throws {
        let queue = try await kind.make()
        let requester = try Ctl.start(queue, ["enqueue", "--await", "body"])
        try await eventually(timeout: .seconds(60), "the message is there") {
            try await queue.left() == Left(ready: 1)
        }
        requester.send(signal)
        let end = try await Ctl.end(of: requester, queue)
        #expect(end.status == .exited(signal == SIGINT ? 130 : 143), "\(end.stderrText)")
        let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
        #expect(end.complaint == "stopped by \(name); the message stays where it is")
        #expect(end.stdout == [])
        #expect(try await queue.left() == Left(ready: 1))
    }

    /// Each hears of its own message, also where the bodies are the same.
    @Test(arguments: QueueKind.allCases)
    func manyAtATime(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let bodies = ["same", "same", "other", "same"]
        let requesters = try bodies.map { try Ctl.start(queue, ["enqueue", "--await", $0]) }
        try await eventually(timeout: .seconds(60), "all are there") { try await queue.left().ready == bodies.count }
        for _ in bodies {
            let end = try await Worker.run(
                queue, Self.withResult, task: Shell.run(#"cat; printf " %s" "$SEMEL_MESSAGE_ID""#))
            #expect(end.status == .exited(0), "\(end.stderr)")
        }
        var results: Set<String> = []
        for (body, requester) in zip(bodies, requesters) {
            let end = try await Ctl.end(of: requester, queue)
            #expect(end.status == .exited(0), "\(end.stderrText)")
            #expect(end.stdoutText.hasPrefix(body + " "))
            results.insert(end.stdoutText)
        }
        #expect(results.count == bodies.count, "each has its own id: \(results)")
        #expect(try await queue.left() == .nothing)
    }

    private static let mistakes: [(arguments: [String], complaint: String)] = [
        (["one", "two"], "--await: waits for one message, not for many"),
        (["--lines", "--file", "/dev/null"], "--await: waits for one message, not for many"),
        (["--await-timeout", "soon", "x"], "--await-timeout: ‘soon’ is not a time; write 500ms, 10s, 10m or 2h"),
        (["--await-timeout", "0", "x"], "--await-timeout: ‘0’ is not a time; write 500ms, 10s, 10m or 2h"),
    ]

    @Test(arguments: mistakes)
    func wrongUsage(_ arguments: [String], _ complaint: String) async throws {
        let queue = try await QueueKind.spool.make()
        let end = try await Ctl.run(queue, ["enqueue", "--await"] + arguments)
        #expect(end.status == .exited(64))
        #expect(end.complaint == complaint)
        #expect(try await queue.left() == .nothing)
    }

    @Test func aTimeWithoutAwaitIsWrongUsage() async throws {
        let queue = try await QueueKind.spool.make()
        let end = try await Ctl.run(queue, "enqueue", "--await-timeout", "1s", "x")
        #expect(end.status == .exited(64))
        #expect(end.complaint == "--await-timeout: has a meaning only with --await")
        #expect(try await queue.left() == .nothing)
    }
}
