import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// A running `semelctl console`, on a port that it chose. The queues' URLs are in files, so that no argument has a password.
final class ConsoleUnderTest: Sendable {
    let process: RunningProcess
    let port: Int
    private let directory: TemporaryDirectory
    private let secrets: [String]
    private let isToCrash = Mutex(false)

    static func start(
        _ queues: [any QueueUnderTest], _ flags: [String] = [], token: String? = nil,
        environment: [String: String] = [:]
    ) async throws -> ConsoleUnderTest {
        try await start(
            urls: queues.map(\.url), flags, token: token, secrets: queues.flatMap(\.secrets), environment: environment)
    }

    static func start(
        urls: [String], _ flags: [String] = [], token: String? = nil, secrets: [String] = [],
        environment: [String: String] = [:]
    ) async throws -> ConsoleUnderTest {
        let directory = try TemporaryDirectory("console")
        var arguments = ["console", "--listen", "127.0.0.1:0"] + flags
        for (index, url) in urls.enumerated() {
            // A spool is no secret, and refused in a file.
            let isSpool = url.hasPrefix("spool:")
            let file = isSpool ? nil : try directory.write(url, to: "queue-\(index)", mode: 0o600)
            arguments += file.map { ["--queue-file", $0] } ?? ["--queue", url]
        }
        if let token { arguments += ["--token-file", try directory.write(token + "\n", to: "token", mode: 0o600)] }
        let process = try RunningProcess(
            .semelctl, arguments, environment: RunningProcess.environment(adding: environment))
        let announcement = "the console is at http://127.0.0.1:"
        try await process.waitForOutput(containing: announcement, timeout: .seconds(60))
        var port: Int?
        try await eventually("the console names its port") {
            let line = process.stderr.text.components(separatedBy: announcement).last ?? ""
            port = line.firstIndex(of: "/").flatMap { Int(line[..<$0]) }
            return port != nil
        }
        return ConsoleUnderTest(process, try #require(port), directory, secrets + (token.map { [$0] } ?? []))
    }

    private init(_ process: RunningProcess, _ port: Int, _ directory: TemporaryDirectory, _ secrets: [String]) {
        (self.process, self.port, self.directory, self.secrets) = (process, port, directory, secrets)
    }

    deinit {
        // A page that cannot be reached would say nothing of it.
        if let status = process.status, status != .exited(0), !isToCrash.withLock({ $0 }) {
            Issue.record("the console \(status): \(process.stderr.text)")
        }
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    func get(_ path: String, _ headers: [String: String] = [:]) async throws -> HTTP.Response {
        try await HTTP.get(port: port, path: path, headers: headers, timeout: .seconds(30))
    }

    func post(_ path: String, _ body: String, _ headers: [String: String] = [:]) async throws -> HTTP.Response {
        let type = ["Content-Type": "application/x-www-form-urlencoded"]
        return try await HTTP.request(
            "POST", port: port, path: path, headers: type.merging(headers) { $1 }, body: Array(body.utf8),
            timeout: .seconds(30))
    }

    /// An object of the API.
    func object(_ path: String) async throws -> [String: Any] {
        let answer = try await get(path)
        #expect(answer.status == 200, "\(path): \(answer.text)")
        return try #require(answer.json() as? [String: Any])
    }

    /// The changes that it has told of so far, as `retry` and `drop`.
    var audit: [[String: any Sendable]] {
        get throws {
            try process.stdout.lines.map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: any Sendable]
                return try #require(object, "\(line)")
            }
        }
    }

    /// Fails when a password or the token is in a text.
    func expectNoSecret(in text: String, _ what: String) {
        for secret in secrets where text.contains(secret) {
            Issue.record("\(what) shows a secret")
        }
    }

    /// Ends it at once.
    func crash() async throws {
        isToCrash.withLock { $0 = true }
        process.send(SIGKILL)
        try await process.waitForExit()
    }

    /// Ends it as Kubernetes does, and looks for secrets in all that it wrote.
    func stop() async throws {
        process.send(SIGTERM)
        #expect(try await process.waitForExit() == .exited(0), "\(process.report)")
        expectNoSecret(in: process.stdout.text + process.stderr.text, "its output")
    }
}
