import Foundation
import TestSupport
import Testing

/// `semelctl enqueue`: from wherever the bodies come, they are in the queue as they were, in their order.
@Suite(.oneLane)
struct CtlEnqueueTests {
    @Test(arguments: QueueKind.allCases)
    func arguments(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let end = try await Ctl.run(queue, "enqueue", "one", "zwei drei", "", "--", "--four")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stdout == [])
        #expect(end.stderrText.hasPrefix("enqueued 4 messages (18 B) in "))
        #expect(try await queue.readyTexts() == ["one", "zwei drei", "", "--four"])
    }

    @Test(arguments: QueueKind.allCases)
    func standardInputIsOneMessage(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Ctl.enqueue(queue, input: SampleBytes.all)
        #expect(try await queue.readyBodies() == [SampleBytes.all])
    }

    @Test(arguments: QueueKind.allCases)
    func emptyInputIsAnEmptyMessage(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Ctl.enqueue(queue)
        #expect(try await queue.readyBodies() == [[]])
    }

    @Test(arguments: QueueKind.allCases)
    func largeBodies(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let body = SampleBytes.many(min(20 << 20, kind.traits.largestBody))
        try await Ctl.enqueue(queue, input: body)
        let found = try await queue.readyBodies()
        #expect(found.count == 1 && found[0] == body)
    }

    @Test(arguments: QueueKind.allCases)
    func lines(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let count = 10 * kind.traits.crowd
        let lines = (1...count).map { "line \($0)" }
        let input = Array(lines.joined(separator: "\n").utf8)
        let end = try await Ctl.run(queue, ["enqueue", "--lines"], input: input)
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stderrText.hasPrefix("enqueued \(count) messages ("))
        #expect(try await queue.left() == Left(ready: count))
        if let broker = queue as? RabbitMQUnderTest {
            // All of them one by one would take longer than it tells.
            let first = try await broker.server.take(3, from: broker.queue)
            #expect(first.map(\.text) == Array(lines.prefix(3)))
        } else {
            let found = try await queue.readyTexts()
            #expect(kind.traits.keepsOrder ? found == lines : found.sorted() == lines.sorted())
        }
    }

    /// Empty lines are none; everything else between two line feeds is a message as it is.
    @Test(arguments: QueueKind.allCases)
    func linesAreBytes(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let bodies: [[UInt8]] = [[0, 255, 13], [32], [0xc3], Array("last".utf8)]
        try await Ctl.enqueue(
            queue, "--lines", input: Array("\n\n".utf8) + SampleBytes.lines(bodies, 10) + Array("\n".utf8))
        #expect(try await queue.readyBodies() == bodies)
    }

    @Test(arguments: QueueKind.allCases)
    func bodiesBetweenNULs(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let bodies: [[UInt8]] = [[10], [], [255, 10, 13], Array("last".utf8)]
        try await Ctl.enqueue(queue, "--null", input: SampleBytes.lines(bodies, 0))
        #expect(try await queue.readyBodies() == bodies)
    }

    @Test(arguments: QueueKind.allCases)
    func files(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let folder = try TemporaryDirectory("bodies")
        let bodies = [SampleBytes.all, [], SampleBytes.many(300_000)]
        for (index, body) in bodies.enumerated() {
            try Data(body).write(to: URL(fileURLWithPath: folder.path("\(index)")))
        }
        try await Ctl.enqueue(
            queue, "--file", folder.path("0"), "--file", folder.path("1"), "--file", "-", "--file", folder.path("2"),
            input: Array("from a pipe\n".utf8))
        #expect(
            try await queue.readyBodies() == [bodies[0], bodies[1], Array("from a pipe\n".utf8), bodies[2]])
    }

    @Test(arguments: QueueKind.allCases)
    func filesOfLines(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let folder = try TemporaryDirectory("bodies")
        // A file's last line need not end, and is not continued in the next file.
        let first = try folder.write("a\nb", to: "first")
        let second = try folder.write("c\n\nd\n", to: "second")
        try await Ctl.enqueue(queue, "--lines", "--file", first, "--file", second)
        #expect(try await queue.readyTexts() == ["a", "b", "c", "d"])
    }

    /// Behind what is there already.
    @Test(arguments: QueueKind.allCases)
    func theEndOfTheQueue(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await Ctl.enqueue(queue, "first")
        try await Ctl.enqueue(queue, "--lines", input: Array("second\nthird".utf8))
        try await Ctl.enqueue(queue, "--id", "named", "fourth")
        try await Ctl.enqueue(queue, "fifth")
        for body in ["first", "second", "third", "fourth", "fifth"] {
            let end = try await Worker.run(queue, task: Shell.succeeding)
            #expect(end.text == body)
            #expect((end.report?.messageId == "named") == (body == "fourth"))
        }
        #expect(try await queue.left() == .nothing)
    }

    private static let mistakes: [(arguments: [String], complaint: String)] = [
        ([], "no message: name its body, or give it on standard input or with --file"),
        (["--lines", "x"], "--lines: cuts standard input or files, not the command line's messages"),
        (["--lines", "--null"], "--lines and --null: input is separated by one or the other"),
        (["--file", "/dev/null", "x"], "--file: messages come either from files or from the command line"),
        (["--file", "-", "--file", "-"], "--file: standard input (‘-’) can be read only once"),
        (["--id", "a", "x", "y"], "--id: only one message can have it"),
        (["--id", "", "x"], "--id: is empty"),
        (["--content-type", "", "x"], "--content-type: is empty"),
        (["--header", "novalue", "x"], "--header: ‘novalue’ is not of the form name=value"),
        (["--header", "a=1", "--header", "a=2", "x"], "--header: ‘a’ is given twice"),
    ]

    @Test(arguments: mistakes)
    func wrongUsage(_ arguments: [String], _ complaint: String) async throws {
        let queue = try await QueueKind.spool.make()
        // Only a terminal is no input: see the pseudo-terminal's test for the first.
        if arguments.isEmpty { return try await noInputOnATerminal(queue, complaint) }
        let end = try await Ctl.run(queue, ["enqueue"] + arguments)
        #expect(end.status == .exited(64))
        #expect(end.complaint == complaint)
        #expect(try await queue.left() == .nothing)
    }

    private func noInputOnATerminal(_ queue: any QueueUnderTest, _ complaint: String) async throws {
        let end = try await Ctl.runOnTerminal(queue, ["enqueue"])
        #expect(end.status == .exited(64))
        #expect(end.output == "semelctl: \(complaint)\r\n")
        #expect(try await queue.left() == .nothing)
    }

    @Test func aMissingFileIsNoticedBeforeTheFirstMessage() async throws {
        let queue = try await QueueKind.spool.make()
        let folder = try TemporaryDirectory("bodies")
        let there = try folder.write("there", to: "there")
        let missing = folder.path("missing")
        let end = try await Ctl.run(queue, "enqueue", "--file", there, "--file", missing)
        #expect(end.status == .exited(78))
        #expect(end.complaint == "--file: cannot read \(missing): No such file or directory")
        #expect(try await queue.left() == .nothing)
    }
}
