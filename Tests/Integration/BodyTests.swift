import Foundation
import TestSupport
import Testing

/// Bodies and outputs are bytes, and arrive as they were sent.
@Suite(.oneLane)
struct BodyTests {
    private static let everyByte: [UInt8] = Array(0...255) + Array((0...255).reversed())
    private static let fromFile = ["--input", "file"]

    enum Producer: String, CaseIterable {
        case byHand, semelctl
    }

    private func put(_ body: [UInt8], _ producer: Producer, into queue: any QueueUnderTest) async throws {
        switch producer {
        case .byHand: try await queue.put([body])
        case .semelctl:
            let directory = try TemporaryDirectory("body")
            try Data(body).write(to: directory.url.appendingPathComponent("body"))
            try await Semelctl.enqueue(queue, file: directory.path("body"))
        }
    }

    @Test(arguments: QueueKind.allCases, Producer.allCases)
    func everyByteValue(_ kind: QueueKind, _ producer: Producer) async throws {
        let queue = try await kind.make()
        for (flags, task) in [([], ["cat"]), (Self.fromFile, Shell.run(#"cat "$SEMEL_MESSAGE_FILE""#))] {
            try await put(Self.everyByte, producer, into: queue)
            let end = try await Worker.run(queue, flags, task: task)
            #expect(end.status == .exited(0), "\(end.stderr)")
            #expect(end.stdout == Self.everyByte)
        }
        #expect(try await queue.left() == .nothing)
    }

    @Test(arguments: QueueKind.allCases, Producer.allCases)
    func empty(_ kind: QueueKind, _ producer: Producer) async throws {
        let queue = try await kind.make()
        let count = #"wc -c | tr -d ' '; test -n "$SEMEL_MESSAGE_ID""#
        let fromFile = #"test -f "$SEMEL_MESSAGE_FILE" && wc -c < "$SEMEL_MESSAGE_FILE" | tr -d ' '"#
        for (flags, task) in [([], Shell.run(count)), (Self.fromFile, Shell.run(fromFile))] {
            try await put([], producer, into: queue)
            #expect(try await queue.left() == Left(ready: 1))
            let end = try await Worker.run(queue, flags, task: task)
            #expect(end.status == .exited(0), "\(end.stderr)")
            #expect(end.text == "0\n")
            #expect(end.report?.outcome == "completed")
        }
        #expect(try await queue.left() == .nothing)
    }

    /// A file that only this user can read, and that nobody finds afterwards; standard input is empty then.
    @Test(arguments: QueueKind.allCases)
    func inputByFileIsPrivateAndTemporary(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let directory = try TemporaryDirectory("tmp")
        try await queue.put("secret")
        let script = #"file=$SEMEL_MESSAGE_FILE; cat; stat -c '%a' "$file" "$(dirname "$file")"; echo "$file""#
        let variables = ["TMPDIR": directory.path]
        let end = try await Worker.run(queue, Self.fromFile, environment: variables, task: Shell.run(script))
        #expect(end.status == .exited(0), "\(end.stderr)")
        let lines = end.text.split(separator: "\n")
        #expect(lines.prefix(2) == ["600", "700"])
        #expect(lines.last?.hasPrefix(directory.path) == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }

    @Test(arguments: QueueKind.allCases)
    func noInput(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("not for the task")
        let script = #"cat; test -z "$SEMEL_MESSAGE_FILE""#
        let end = try await Worker.run(queue, ["--input", "none"], task: Shell.run(script))
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == "")
        #expect(try await queue.left() == .nothing)
    }

    /// A retry and a dead letter carry the body on.
    @Test(arguments: QueueKind.allCases)
    func everyByteValueOverARetry(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put([Self.everyByte])
        let first = try await Worker.run(queue, task: Shell.failing)
        #expect(first.status == .exited(75), "\(first.stderr)")
        let second = try await Worker.run(queue, task: Shell.run("cat; exit 65"))
        #expect(second.status == .exited(65), "\(second.stderr)")
        #expect(second.stdout == Self.everyByte)
        #expect(try await queue.deadLetter().body == Self.everyByte)
    }

    /// A body is data: it is nobody's shell word, path or format string.
    @Test(arguments: QueueKind.allCases)
    func hostileText(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let directory = try TemporaryDirectory("hostile")
        let here = directory.path("was-here")
        let text = "$(touch \(here)) `touch \(here)` %s%n ../../etc/passwd \u{0} \r\n\r\n*3\r\n$3\r\nDEL\r\n"
        try await queue.put(text)
        let end = try await Worker.run(queue, task: Shell.succeeding)
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == text)
        #expect(!FileManager.default.fileExists(atPath: here))
    }

    @Test(arguments: QueueKind.allCases)
    func outputPassesByteForByte(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let directory = try TemporaryDirectory("output")
        try Data(Self.everyByte).write(to: directory.url.appendingPathComponent("bytes"))
        try await queue.put("x")
        let task = Shell.run(#"cat "$1"; cat "$1" >&2"#, directory.path("bytes"))
        let end = try await Worker.run(queue, ["--log-level", "error"], task: task)
        #expect(end.status == .exited(0))
        #expect(end.stdout == Self.everyByte)
        #expect(end.stderrBytes == Self.everyByte)
    }
}
