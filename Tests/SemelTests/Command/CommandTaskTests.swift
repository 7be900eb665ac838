import Glibc
import Semel
import SemelCommand
import Testing

@Suite(.timeLimit(.minutes(5))) struct CommandTaskTests {
    private static let everyByte = (0..<40).flatMap { _ in (0...255).map { UInt8($0) } }

    @Test(arguments: [1, 2, 64, 66, 75, 124, 126, 127, 128, 143, 255])
    func exitStatusIsTheOutcome(status: Int32) async throws {
        let fixture = try CommandFixture()
        #expect(
            try await fixture.ending(fixture.shell("exit \(status)"))
                == .failed("the task exited with \(status)", exit: status))
    }

    @Test func success() async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.ending(fixture.shell("exit 0")) == .succeeded(nil))
    }

    @Test func rejection() async throws {
        let fixture = try CommandFixture()
        #expect(
            try await fixture.ending(fixture.shell("exit 65"))
                == .rejected("the task rejected the message (exit status 65)", exit: 65))
    }

    @Test func rejectionsSayWhyInTheirLastWords() async throws {
        let fixture = try CommandFixture()
        #expect(
            try await fixture.ending(fixture.shell("echo one >&2; echo not an invoice >&2; exit 65"))
                == .rejected("the task rejected the message (exit status 65): not an invoice", exit: 65))
    }

    @Test(arguments: [(SIGKILL, "SIGKILL"), (SIGTERM, "SIGTERM"), (SIGINT, "SIGINT"), (SIGUSR1, "SIGUSR1")])
    func deathByASignalIsAFailure(signal: CInt, name: String) async throws {
        let fixture = try CommandFixture()
        #expect(
            try await fixture.ending(fixture.shell("kill -\(signal) $$"))
                == .failed("the task was ended by \(name)", exit: 128 + signal))
    }

    @Test func bodyOnStandardInput() async throws {
        let fixture = try CommandFixture(body: Self.everyByte)
        #expect(try await fixture.ending(fixture.shell(#"cat > "$HERE/copy""#)) == .succeeded(nil))
        #expect(try Files.bytes(of: fixture.directory / "copy") == Self.everyByte)
    }

    @Test func emptyBodyOnStandardInput() async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.ending(fixture.shell(#"cat > "$HERE/copy""#)) == .succeeded(nil))
        #expect(try Files.bytes(of: fixture.directory / "copy") == [])
    }

    @Test func aCommandThatNeedsNoShell() async throws {
        let fixture = try CommandFixture(body: Array("through cat".utf8))
        let cat = CommandTask(executable: "/bin/cat", arguments: ["cat"], environment: [:], result: .stdout)
        #expect(try await fixture.ending(cat) == .succeeded(Array("through cat".utf8)))
    }

    @Test func inputThatNobodyReads() async throws {
        let fixture = try CommandFixture(body: [UInt8](repeating: 7, count: 4 << 20))
        #expect(try await fixture.ending(fixture.shell("exec <&-; true")) == .succeeded(nil))
        #expect(try fixture.message.body.bytes().count == 4 << 20)
    }

    @Test func aTaskCannotChangeItsMessage() async throws {
        let fixture = try CommandFixture(body: Array("body".utf8))
        let script = "if printf x >/proc/self/fd/0; then exit 1; fi 2>/dev/null"
        _ = try await fixture.run(fixture.shell(script))
        #expect(try fixture.message.body.bytes() == Array("body".utf8))
    }

    @Test func bodyInAFile() async throws {
        let fixture = try CommandFixture(body: Self.everyByte)
        let script = """
            cp "$SEMEL_MESSAGE_FILE" "$HERE/copy"
            stat -c %a "$SEMEL_MESSAGE_FILE" "${SEMEL_MESSAGE_FILE%/*}" > "$HERE/rights"
            echo "$SEMEL_MESSAGE_FILE" > "$HERE/name"
            wc -c > "$HERE/stdin"
            """
        let task = fixture.shell(script, environment: ["TMPDIR": fixture.directory.path], input: .file)
        #expect(try await fixture.ending(task) == .succeeded(nil))
        #expect(try Files.bytes(of: fixture.directory / "copy") == Self.everyByte)
        #expect(try Files.text(of: fixture.directory / "rights") == "600\n700\n")
        #expect(try Files.text(of: fixture.directory / "stdin") == "0\n")
        let name = try Files.text(of: fixture.directory / "name")
        #expect(name.hasPrefix(fixture.directory / "semel-"))
        // Gone with the task, and the directory that was made for it as well.
        #expect(try Files.names(in: fixture.directory.path) == ["copy", "name", "rights", "stdin"])
    }

    @Test func noBody() async throws {
        let fixture = try CommandFixture(body: Self.everyByte)
        let task = fixture.shell(
            #"wc -c > "$HERE/count"; echo "${SEMEL_MESSAGE_FILE-unset}" > "$HERE/file""#, input: .none)
        #expect(try await fixture.ending(task) == .succeeded(nil))
        #expect(try Files.text(of: fixture.directory / "count") == "0\n")
        #expect(try Files.text(of: fixture.directory / "file") == "unset\n")
    }

    @Test func aDirectoryThatCannotBeWritten() async throws {
        let fixture = try CommandFixture()
        let missing = fixture.directory / "missing"
        let task = fixture.shell("true", environment: ["TMPDIR": missing], input: .file)
        #expect(
            try await fixture.ending(task)
                == .unstartable("cannot create a directory in \(missing): No such file or directory"))
    }

    @Test func commandsThatCannotBeRun() async throws {
        let fixture = try CommandFixture()
        func ending(_ executable: String) async throws -> Ending {
            try await fixture.ending(CommandTask(executable: executable, arguments: ["x"], environment: [:]))
        }
        #expect(
            try await ending("/does/not/exist")
                == .unstartable("cannot run ‘/does/not/exist’: No such file or directory"))
        let script = fixture.directory / "no-interpreter"
        try Files.write("echo hello\n", to: script)
        #expect(try await ending(script) == .unstartable("cannot run ‘\(script)’: Permission denied"))
        #expect(chmod(script, 0o755) == 0)
        #expect(try await ending(script) == .unstartable("cannot run ‘\(script)’: Exec format error"))
    }

    @Test func resultIsWhatWasPrinted() async throws {
        let fixture = try CommandFixture()
        let task = fixture.shell(#"printf 'a\000b\377'; echo on stderr >&2"#, result: .stdout)
        #expect(try await fixture.ending(task) == .succeeded([0x61, 0, 0x62, 0xFF]))
    }

    @Test func resultThatIsEmpty() async throws {
        let fixture = try CommandFixture()
        #expect(try await fixture.ending(fixture.shell("true", result: .stdout)) == .succeeded([]))
    }

    @Test func resultsHaveALimit() async throws {
        let fixture = try CommandFixture()
        let within = fixture.shell("printf 12345", result: .stdout, maximumResultBytes: 5)
        #expect(try await fixture.ending(within) == .succeeded(Array("12345".utf8)))
        let over = fixture.shell("printf 123; sleep 0.05; printf 456", result: .stdout, maximumResultBytes: 5)
        #expect(
            try await fixture.ending(over)
                == .failed(
                    "the task succeeded, its result is lost: the result has more than 5 bytes (--max-message-bytes)",
                    exit: 0))
    }

    @Test func aFailureHasNoResult() async throws {
        let fixture = try CommandFixture()
        #expect(
            try await fixture.ending(fixture.shell("printf half; exit 3", result: .stdout))
                == .failed("the task exited with 3", exit: 3))
    }

    @Test func lastLinesOfBothStreamsAreKept() async throws {
        let fixture = try CommandFixture()
        _ = try await fixture.run(fixture.shell("echo out; echo err >&2; echo out again"))
        #expect(fixture.status.lastOutput.sorted() == ["err", "out", "out again"])
        #expect(fixture.status.snapshot.outputBytes == 18)
    }

    @Test func progress() async throws {
        let fixture = try CommandFixture()
        let task = fixture.shell(#"echo "0.5 half way" >&"$SEMEL_PROGRESS_FD"; echo 0.75 >&3"#)
        #expect(try await fixture.ending(task) == .succeeded(nil))
        try await eventually("all of it is read") { fixture.status.snapshot.progress == 0.75 }
        #expect(fixture.status.snapshot.note == "half way")
    }

    @Test(arguments: [true, false])
    func whatWasPreparedForAnotherStatusIsNotUsed(isForThis: Bool) async throws {
        let (fixture, other) = (try CommandFixture(), try CommandFixture())
        let task = fixture.shell("echo 0.5 half >&3; echo said; echo cried >&2")
        task.prepare(isForThis ? fixture.status : other.status)
        #expect(try await fixture.ending(task) == .succeeded(nil))
        #expect(fixture.status.lastOutput.sorted() == ["cried", "said"])
        try await eventually("the progress is shown") { fixture.status.snapshot.note == "half" }
        #expect(other.status.lastOutput.isEmpty && other.status.snapshot.note == nil)
    }
}
