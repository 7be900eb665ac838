import Foundation
import TestSupport
import Testing

/// What the images are made of: their entrypoint, and the copy that an init container makes.
@Suite struct ImageTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory("image")
        try directory.write("", to: "termination-log")
    }

    private func entrypoint(_ arguments: [String], _ variables: [String: String]) async throws -> Finished {
        let programs = URL(fileURLWithPath: try Executable.semel.path).deletingLastPathComponent().path
        var environment = RunningProcess.environment(adding: variables)
        environment["PATH"] = "\(programs):\(environment["PATH"] ?? "")"
        environment["SEMEL_TERMINATION_LOG"] = directory.path("termination-log")
        environment["SEMEL_STATUS_ADDRESS"] = "off"
        return try await run(Executable(path: "\(Chart.root)/entrypoint"), arguments, environment: environment)
    }

    private func reason() throws -> Node {
        try JSONDecoder().decode(
            Node.self, from: Data(contentsOf: URL(fileURLWithPath: directory.path("termination-log"))))
    }

    @Test(.enabled(if: !FileManager.default.fileExists(atPath: "/var/spool/semel")))
    func withoutAQueueItSaysSo() async throws {
        let end = try await entrypoint(["true"], [:])
        #expect(end.status == .exited(78))
        #expect(end.stderrText.hasPrefix("entrypoint: no queue: set SEMEL_QUEUE"))
        #expect(try reason()["outcome"] == "misconfigured")
    }

    @Test func withoutATaskItSaysSo() async throws {
        let end = try await entrypoint([], ["SEMEL_QUEUE": "spool:\(directory.path("spool"))"])
        #expect(end.status == .exited(78))
        #expect(end.stderrText.hasPrefix("entrypoint: no task"))
        #expect(try reason()["outcome"] == "misconfigured")
    }

    /// The container's command is the task, whatever it looks like.
    @Test(arguments: [["sh", "-c", "cat; echo \"$0 $@\"", "--wait", "a b"], []])
    func theCommandIsTheTask(_ command: [String]) async throws {
        let spool = directory.path("spool")
        let put = try await run(
            .semelctl, ["enqueue", "--queue", "spool:\(spool)", "body "])
        #expect(put.status == .exited(0), "\(put.stderrText)")
        let end = try await entrypoint(
            command, ["SEMEL_QUEUE": "spool:\(spool)", "SEMEL_COMMAND": #"["sh","-c","cat; echo --wait a b"]"#])
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stdoutText == "body --wait a b\n")
    }

    // MARK: semel install

    private func install(_ arguments: [String]) async throws -> Finished {
        try await run(.semel, ["install"] + arguments)
    }

    @Test(arguments: ["", "tool", "semel"])
    func itCopiesItself(_ name: String) async throws {
        // The second time one is there.
        for _ in 1...2 {
            let end = try await install([name.isEmpty ? directory.path : directory.path(name)])
            #expect(end.status == .exited(0), "\(end.stderrText)")
        }
        let copy = Executable(path: directory.path(name.isEmpty ? "semel" : name))
        #expect(try await run(copy, ["--version"]).stdoutText == run(.semel, ["--version"]).stdoutText)
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(left.sorted() == ["termination-log", name.isEmpty ? "semel" : name].sorted())
    }

    @Test func whereItCannotWriteItSaysSo() async throws {
        let end = try await install([directory.path("nowhere/semel")])
        #expect(end.status == .exited(78))
        #expect(end.stderrText.hasPrefix("semel install: cannot write to"))
    }

    @Test(arguments: [[], ["--force"], ["a", "b"], [""]])
    func wrongUsage(_ arguments: [String]) async throws {
        #expect(try await install(arguments).status == .exited(64))
    }
}
