import Foundation
import TestSupport
import Testing

/// The pod's container as a process: its command, its arguments, its variables, and a termination log.
final class Pod: Sendable {
    let process: RunningProcess
    let statusPort: Int
    private let directory: TemporaryDirectory

    /// - Parameter variables: What a machine that runs many of them has to change.
    init(_ objects: Objects, statusPort: Int, variables: [String: String] = [:]) throws {
        self.statusPort = statusPort
        directory = try TemporaryDirectory("pod")
        try directory.write("", to: "termination-log")
        let container = objects.container
        let given = try objects.environment()
        var words = (container["command"].items + container["args"].items).compactMap(\.text)
            .map { Kubelet.expand($0, given) }
        var executable = Executable(path: "\(Chart.root)/entrypoint")
        if container["command"] != .null {
            // The init container has put it there.
            try #require(words.removeFirst() == "/opt/semel/semel")
            executable = try .semel
        }
        let programs = URL(fileURLWithPath: try Executable.semel.path).deletingLastPathComponent().path
        var environment = RunningProcess.environment(adding: given.merging(variables) { $1 })
        environment["PATH"] = "\(programs):\(environment["PATH"] ?? "")"
        environment["SEMEL_TERMINATION_LOG"] = directory.path("termination-log")
        process = try RunningProcess(executable, words, environment: environment)
    }

    /// What a probe of the pod is answered; nothing when nobody listens.
    func probe(_ probe: Node) async -> Int? {
        try? await HTTP.get(port: statusPort, path: probe["httpGet.path"].text ?? "").status
    }

    func requireRunning() throws {
        if let status = process.status { throw SupportError("\(status): \(process.report)") }
    }

    func terminationMessage() throws -> Node {
        try JSONDecoder().decode(
            Node.self, from: Data(contentsOf: URL(fileURLWithPath: directory.path("termination-log"))))
    }
}
