import Foundation
import Testing

@testable import SecretScan

/// Runs the built executable, as a worker would.
@Suite struct CommandTests {
    private func run(_ input: String, environment: [String: String] = [:]) throws -> Shell.Output {
        try Shell.run(Shell.secretScan.path, input: input, environment: environment)
    }

    private func message(for folder: TemporaryFolder) -> String {
        #"{"path": "\#(folder.url.path)"}"#
    }

    @Test func exitsZeroWithSecrets() throws {
        let folder = try TemporaryFolder()
        try folder.write(MadeUp.gitHubToken(), to: "a.txt")
        let output = try run(message(for: folder))
        #expect(output.exitCode == 0)
        #expect(output.standardError.isEmpty)
        let document = try JSONSerialization.jsonObject(with: output.standardOutput) as? [String: Any]
        let results = (document?["runs"] as? [[String: Any]])?.first?["results"] as? [Any]
        #expect(results?.count == 1)
    }

    @Test func exitsZeroWithout() throws {
        let folder = try TemporaryFolder()
        #expect(try run(message(for: folder)).exitCode == 0)
    }

    @Test(arguments: ["", "nonsense", "{}", #"{"path": "/no/such/path"}"#, #"{"path": "/dev/null"}"#])
    func exits65ForMessagesThatCanNeverWork(input: String) throws {
        let output = try run(input)
        #expect(output.exitCode == 65)
        #expect(output.standardOutput.isEmpty)
        #expect(output.standardError.hasPrefix("secret-scan: "))
        #expect(output.standardError.split(separator: "\n").count == 1)
    }

    @Test func reportsProgress() throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "config/app\n.yaml")
        let output = try run(message(for: folder), environment: ["SEMEL_PROGRESS_FD": "2"])
        #expect(output.exitCode == 0)
        #expect(output.standardError == "0.00 config/app?.yaml\n1 done\n")
    }

    @Test(arguments: ["77", "-1", "0", "1", "", "two", "99999999999"])
    func livesWithoutProgress(descriptor: String) throws {
        let folder = try TemporaryFolder()
        let output = try run(message(for: folder), environment: ["SEMEL_PROGRESS_FD": descriptor])
        #expect(output.exitCode == 0)
        #expect(output.standardError.isEmpty)
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: output.standardOutput) }
    }

    @Test func survivesAProgressReaderThatIsGone() throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "tree/a.txt")
        try folder.write(#"{"path": "\#(folder.url.path)/tree"}"#, to: "message")
        // The reader has ended, with certainty, before the scan starts.
        let script = """
            mkfifo gone; : < gone & exec 9> gone; wait
            SEMEL_PROGRESS_FD=9 "$0" < message > report; echo $?
            """
        let output = try Shell.run("env", ["-C", folder.url.path, "sh", "-c", script, Shell.secretScan.path])
        #expect(String(decoding: output.standardOutput, as: UTF8.self) == "0\n")
        #expect(try Data(contentsOf: folder.url.appendingPathComponent("report")).count > 1000)
    }

    @Test func failsWhenTheReportCannotBeWritten() throws {
        let script = #"printf '{"path": "/etc/hostname"}' | "$0" > /dev/full"#
        let output = try Shell.run("sh", ["-c", script, Shell.secretScan.path])
        #expect(output.exitCode == 74)
        #expect(output.standardError.hasPrefix("secret-scan: "))
    }
}
