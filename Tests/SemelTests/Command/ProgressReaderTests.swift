import Glibc
import Semel
import Testing

@testable import SemelCommand

@Suite(.timeLimit(.minutes(5))) struct ProgressReaderTests {
    @Test(
        arguments: [
            ("0.42", 0.42, nil), ("0", 0, nil), ("1", 1, nil), ("0.42 unpacking layer 3", 0.42, "unpacking layer 3"),
            ("  0.5 note", 0.5, "note"), ("0.5 ", 0.5, nil), ("-1 before the start", -1, "before the start"),
            ("7", 7, nil),
            ("1e-1 x", 0.1, "x"), ("0.5 ümläut €", 0.5, "ümläut €"), ("0.5 7", 0.5, "7"),
        ] as [(String, Double, String?)])
    func isRead(line: String, fraction: Double, note: String?) throws {
        let parsed = try #require(ProgressReader.parse(Array(line.utf8)))
        #expect(parsed.fraction == fraction)
        #expect(parsed.note == note)
    }

    @Test(arguments: [
        "", " ", "x", "nan", "inf", "-inf", "infinity", "50%", "0,5", "half", "0.5note", "note 0.5", "0x", "1e999",
    ])
    func isNoProgress(line: String) {
        #expect(ProgressReader.parse(Array(line.utf8)) == nil)
    }

    @Test func linesThatAreTooLong() {
        let longest = "0.5 " + String(repeating: "x", count: 4092)
        #expect(ProgressReader.parse(Array(longest.utf8))?.note?.count == 4092)
        #expect(ProgressReader.parse(Array((longest + "x").utf8)) == nil)
    }

    @Test func bytesThatAreNoText() {
        #expect(ProgressReader.parse([0xFF, 0xFE]) == nil)
        #expect(ProgressReader.parse(Array("0.5 ".utf8) + [0xFF])?.note == "\u{FFFD}")
    }

    @Test func readsLinesAsTheyCome() async throws {
        let status = WorkerStatus(queue: "q")
        let writing = try start(status)
        defer { close(writing) }
        write("0.2", to: writing)
        write("5 fir", to: writing)
        write("st\n", to: writing)
        try await eventually("the first line") { status.snapshot.note == "first" }
        #expect(status.snapshot.progress == 0.25)
        write("nonsense\n\n0.5\n", to: writing)
        try await eventually("the second line") { status.snapshot.progress == 0.5 }
        #expect(status.snapshot.note == "first")
        write(String(repeating: "9", count: 100_000) + "\n0.75 after a line that is too long\n", to: writing)
        try await eventually("the third line") { status.snapshot.progress == 0.75 }
        #expect(status.snapshot.note == "after a line that is too long")
    }

    @Test func lastLineNeedsNoEnd() async throws {
        let status = WorkerStatus(queue: "q")
        let writing = try start(status)
        write("0.5 almost", to: writing)
        close(writing)
        try await eventually("the line") { status.snapshot.note == "almost" }
    }

    private func start(_ status: WorkerStatus) throws -> CInt {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError(doing: "create a pipe") }
        try ProgressReader.start(from: ends[0], status: status)
        return ends[1]
    }

    private func write(_ text: String, to descriptor: CInt) {
        let bytes = Array(text.utf8)
        #expect(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    }
}

@Suite(.timeLimit(.minutes(5))) struct SignalNameTests {
    @Test func names() {
        #expect(SignalName.of(SIGKILL) == "SIGKILL")
        #expect(SignalName.of(SIGTERM) == "SIGTERM")
        #expect(SignalName.of(SIGSEGV) == "SIGSEGV")
        #expect(SignalName.of(64) == "signal 64")
    }
}

@Suite(.timeLimit(.minutes(5))) struct ExecutableSearchTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try Files.makeDirectory(directory / "first")
        try Files.makeDirectory(directory / "second")
        try Files.makeDirectory(directory / "first/folder")
        try Files.write("#!/bin/sh\n", to: directory / "first/plain")
        for file in ["second/tool", "first/both", "second/both", "second/plain", "second/folder"] {
            try Files.write("#!/bin/sh\n", to: directory / file)
            #expect(chmod(directory / file, 0o755) == 0)
        }
    }

    private var path: String { "\(directory / "first"):\(directory / "second")" }

    @Test func theFirstThatCanBeRun() throws {
        #expect(try ExecutableSearch.find("tool", path: path) == directory / "second/tool")
        #expect(try ExecutableSearch.find("both", path: path) == directory / "first/both")
        // Neither a file without the right nor a directory hides one that can be run.
        #expect(try ExecutableSearch.find("plain", path: path) == directory / "second/plain")
        #expect(try ExecutableSearch.find("folder", path: path) == directory / "second/folder")
    }

    @Test func aPathIsTakenAsItIs() throws {
        #expect(try ExecutableSearch.find(directory / "second/tool", path: "") == directory / "second/tool")
    }

    @Test func mistakes() {
        func mistake(_ command: String, _ path: String) -> String? {
            #expect(throws: ConfigurationError.self) { try ExecutableSearch.find(command, path: path) }?.description
        }
        #expect(mistake("", path) == "the command is empty")
        #expect(mistake("missing", path) == "command ‘missing’: not found in PATH (\(path))")
        let plain = directory / "first/plain"
        #expect(mistake("plain", directory / "first") == "command ‘plain’: \(plain) is not executable")
        #expect(mistake(plain, path) == "command ‘\(plain)’: is not executable")
        #expect(mistake(directory / "first", path) == "command ‘\(directory / "first")’: is not a file")
        #expect(mistake("/does/not/exist", path) == "command ‘/does/not/exist’: No such file or directory")
    }
}
