import Glibc
import Semel
import SemelCommand
import Testing

@Suite(.timeLimit(.minutes(5))) struct CommandEnvironmentTests {
    /// What `env` prints, by name.
    private func variables(_ fixture: CommandFixture, environment: [String: String] = [:]) async throws -> [String:
        String]
    {
        let task = CommandTask(
            executable: "/usr/bin/env", arguments: ["env", "-0"], environment: environment, result: .stdout)
        guard case .succeeded(let bytes?) = try await fixture.ending(task) else {
            Issue.record("env did not succeed")
            return [:]
        }
        var variables: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            let parts = String(decoding: entry, as: UTF8.self).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            #expect(variables.updateValue(String(parts[1]), forKey: String(parts[0])) == nil)
        }
        return variables
    }

    private func printed(by command: [String], _ fixture: CommandFixture) async throws -> String {
        let task = CommandTask(executable: command[0], arguments: command, environment: [:], result: .stdout)
        guard case .succeeded(let bytes?) = try await fixture.ending(task) else {
            return "\(command[0]) did not succeed"
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func everythingThatTheContractNames() async throws {
        let fixture = try CommandFixture(
            id: "order 7", contentType: "text/plain",
            headers: ["traceparent": .string("00-a-b-01"), "tenant": .string("a\"/b"), "count": .integer(3)],
            attempt: 2, deadline: Timestamp(milliseconds: 1_795_267_662_123))
        #expect(
            try await variables(fixture, environment: ["HOME": "/root", "EMPTY": "", "LINES": "a\nb"]) == [
                "HOME": "/root", "EMPTY": "", "LINES": "a\nb",
                "SEMEL_MESSAGE_ID": "order 7",
                "SEMEL_ATTEMPT": "2",
                "SEMEL_MAX_ATTEMPTS": "5",
                "SEMEL_QUEUE": "spool:/var/spool/x",
                "SEMEL_CONTENT_TYPE": "text/plain",
                "SEMEL_HEADERS": #"{"count":3,"tenant":"a\"/b","traceparent":"00-a-b-01"}"#,
                "SEMEL_DEADLINE": "2026-11-21T13:27:42.123Z",
                "SEMEL_PROGRESS_FD": "3",
                "TRACEPARENT": "00-a-b-01",
            ])
    }

    @Test func nothingThatTheMessageDoesNotHave() async throws {
        let inherited = [
            "SEMEL_CONTENT_TYPE": "of the worker", "SEMEL_DEADLINE": "of the worker",
            "SEMEL_MESSAGE_FILE": "of the worker",
            "SEMEL_MESSAGE_ID": "of the worker", "TRACEPARENT": "of the worker",
        ]
        #expect(
            try await variables(try CommandFixture(attempt: 1), environment: inherited) == [
                "SEMEL_MESSAGE_ID": "m-1", "SEMEL_ATTEMPT": "1", "SEMEL_MAX_ATTEMPTS": "5",
                "SEMEL_QUEUE": "spool:/var/spool/x", "SEMEL_HEADERS": "{}", "SEMEL_PROGRESS_FD": "3",
                "TRACEPARENT": "of the worker",
            ])
    }

    /// A C string ends there, and whoever reads it must not get something else than what was sent.
    @Test func valuesWithANulAreLeftOut() async throws {
        let fixture = try CommandFixture(
            id: "m\u{0}1", contentType: "text\u{0}plain",
            headers: ["x": .string("a\u{0}b"), "traceparent": .string("\u{0}")])
        let variables = try await variables(fixture)
        #expect(variables["SEMEL_MESSAGE_ID"] == nil)
        #expect(variables["SEMEL_CONTENT_TYPE"] == nil)
        #expect(variables["TRACEPARENT"] == nil)
        #expect(variables["SEMEL_HEADERS"] == #"{"traceparent":"\u0000","x":"a\u0000b"}"#)
    }

    @Test func theBodyIsNeitherAVariableNorAnArgument() async throws {
        let fixture = try CommandFixture(body: Array("$(touch pwned); needle".utf8))
        let script = #"tr '\0' '\n' < /proc/$$/cmdline > "$HERE/cmdline"; env > "$HERE/env""#
        #expect(try await fixture.ending(fixture.shell(script)) == .succeeded(nil))
        #expect(!(try Files.text(of: fixture.directory / "cmdline")).contains("needle"))
        #expect(!(try Files.text(of: fixture.directory / "env")).contains("needle"))
    }

    @Test func fourDescriptorsAndNoMore() async throws {
        // Would be inherited: not every descriptor of this process is closed at an exec.
        let stray = open("/dev/null", O_RDONLY)
        defer { close(stray) }
        let fixture = try CommandFixture()
        // The fifth is the directory that `ls` reads.
        #expect(try await printed(by: ["/bin/ls", "/proc/self/fd"], fixture) == "0\n1\n2\n3\n4\n")
    }

    @Test func bornWithDefaultSignals() async throws {
        let fixture = try CommandFixture()
        for set in ["SigBlk", "SigIgn"] {
            let line = try await printed(by: ["/bin/grep", set, "/proc/self/status"], fixture)
            let digits = line.split(separator: "\t").last?.dropLast() ?? ""
            // Those from 32 on belong to the C library or to whoever started these tests.
            #expect(UInt64(digits, radix: 16).map { $0 & 0x7FFF_FFFF } == 0, "\(line)")
        }
    }

    @Test func aGroupOfItsOwn() async throws {
        let fixture = try CommandFixture()
        let task = fixture.shell(#"echo "$$ $(ps -o pgid= -p $$)" > "$HERE/group""#)
        #expect(try await fixture.ending(task) == .succeeded(nil))
        let numbers = try Files.text(of: fixture.directory / "group").split { $0 == " " || $0 == "\n" }
        #expect(numbers.count == 2)
        #expect(numbers.first == numbers.last)
        #expect(numbers.first.map { String($0) } != String(getpgrp()))
    }
}
