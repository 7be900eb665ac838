import Foundation
import TestSupport
import Testing

/// A command that cannot be run is the deployment's mistake: the message does not suffer for it.
@Suite(.oneLane)
struct TasksUnstartableTests {
    /// How the command cannot be run.
    enum Mistake: String, CaseIterable {
        case missing, missingInPath, notExecutable, directory, brokenInterpreter, noFormat, emptyName
    }

    @Test(arguments: Mistake.allCases)
    func leavesTheMessageUntouched(_ mistake: Mistake) async throws {
        let spool = try TaskSpool(["order 1~7.json": "body"])
        let (command, words) = try make(mistake, in: spool.directory)
        let finished = try await spool.work(task: [command, "argument"])
        #expect(finished.status == .exited(78))
        #expect(finished.stdout.isEmpty)
        let error = try #require(finished.stderrText.split(separator: "\n").last)
        #expect((command.isEmpty || error.contains(command)) && error.contains(words), "\(error)")
        #expect(spool.rooms == .init(ready: ["order 1~7.json"]))
        #expect(try spool.terminationLog()["outcome"] as? String == "misconfigured")

        // And the next worker has it as if nothing had happened.
        let next = try await spool.work(task: spool.script(#"echo "$SEMEL_ATTEMPT"; cat"#))
        #expect(next.status == .exited(0))
        #expect(next.stdoutText == "1\nbody")
        #expect(spool.rooms == .init(done: ["order 1~7.json"]))
    }

    private func make(_ mistake: Mistake, in directory: TemporaryDirectory) throws -> (command: String, words: String) {
        switch mistake {
        case .missing: return (directory.path("nowhere/tool"), "No such file")
        case .missingInPath: return ("no-such-tool-anywhere", "not found in PATH")
        case .notExecutable: return (try directory.write("#!/bin/sh\n", to: "tool"), "not executable")
        case .directory: return (directory.path, "not a file")
        case .brokenInterpreter:
            return (try directory.write("#!/nowhere/interpreter\n", to: "tool", mode: 0o755), "No such file")
        case .noFormat: return (try directory.write("not a program\n", to: "tool", mode: 0o755), "Exec format error")
        case .emptyName: return ("", "empty")
        }
    }
}
