import Foundation
public import Glibc
import Synchronization

/// Moto's SQS server on 127.0.0.1, which checks signatures and rights, with its data in memory; killed with its last
/// reference. `moto_server.py` says what is added to it.
public final class MotoServer: Sendable {
    public let port: Int
    public let keys: AWSKeys
    private let observerPort: Int
    private let process: RunningProcess
    private let directory: TemporaryDirectory

    public static let region = "eu-central-1"

    private static let sharedServer = SharedInstance { try await MotoServer.start() }
    private static let profilesFile = Mutex<String?>(nil)

    /// The server that all tests of this process may use together: take names of your own for the queues.
    public static func shared() async throws -> MotoServer {
        try await sharedServer.get()
    }

    /// Where programs under test find the keys of the shared server's users.
    static var variables: [String: String] {
        profilesFile.withLock { $0 }.map { ["AWS_SHARED_CREDENTIALS_FILE": $0] } ?? [:]
    }

    private static func start() async throws -> MotoServer {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let (port, observerPort) = (try FreePort.next(), try FreePort.next())
        let python = root.appending(path: "../../.build/python/bin/python").standardized.path
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw SupportError("moto is not installed: run scripts/python-tools")
        }
        let process = try RunningProcess(
            Executable(path: python), [root.appending(path: "moto_server.py").path, "\(port)", "\(observerPort)"])
        try await process.waitForOutput(containing: "\"secret\"", timeout: .seconds(60))
        guard let line = process.stdout.text.split(separator: "\n").first(where: { $0.contains("\"secret\"") }) else {
            throw SupportError("moto says nothing of its user: \(process.report)")
        }
        let keys = try JSONDecoder().decode(AWSKeys.self, from: Data(line.utf8))
        let directory = try TemporaryDirectory("aws")
        let server = MotoServer(port, observerPort, keys, process, directory)
        let file = try directory.write(
            """
            [worker]
            \(keys.profileLines)
            [wrong]
            aws_access_key_id = \(keys.id)
            aws_secret_access_key = \(Credentials.wrong)
            [stranger]
            aws_access_key_id = AKIAIOSFODNN7EXAMPLE
            aws_secret_access_key = \(Credentials.wrong)

            """, to: "credentials", mode: 0o600)
        profilesFile.withLock { $0 = file }
        return server
    }

    private init(
        _ port: Int, _ observerPort: Int, _ keys: AWSKeys, _ process: RunningProcess, _ directory: TemporaryDirectory
    ) {
        self.port = port
        self.observerPort = observerPort
        self.keys = keys
        self.process = process
        self.directory = directory
    }

    deinit {
        process.killGroup()
    }

    public var pid: pid_t { process.pid }

    /// Asks the tests' own port.
    func ask<Answer: Decodable>(_ question: String, _ input: some Encodable) async throws -> Answer {
        let body = Array(try JSONEncoder().encode(input))
        let answer = try await HTTP.request(
            "POST", port: observerPort, path: "/\(question)", body: body, timeout: .seconds(30))
        guard answer.status == 200 else { throw SupportError("moto's observer: \(answer.status)") }
        return try JSONDecoder().decode(Answer.self, from: Data(answer.body))
    }

    // MARK: Users

    /// A user with these rights and no others.
    public func makeUser(_ name: String, may actions: [String]) async throws -> AWSKeys {
        struct Input: Encodable {
            var name: String
            var actions: [String]
        }
        return try await ask("user", Input(name: name, actions: actions))
    }

    /// Takes a user's keys away.
    public func revokeKeys(of name: String) async throws {
        let _: Int? = try await ask("revoke", ["name": name])
    }

    /// Says of the keys that the time is over for which they were good.
    public func expire(_ keys: AWSKeys) async throws {
        let _: Int? = try await ask("expire", ["key": keys.id])
    }
}

/// What AWS answers before SQS has looked at a request.
public struct AWSRefusal: Sendable {
    public var status: Int
    public var code: String
    public var message: String

    public init(_ status: Int, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    public static let throttled = AWSRefusal(400, "ThrottlingException", "Rate exceeded")
    public static let unavailable = AWSRefusal(503, "ServiceUnavailable", "Please try again")
    public static let broken = AWSRefusal(500, "InternalFailure", "An internal error occurred")
}

/// What a user signs with.
public struct AWSKeys: Codable, Sendable {
    public var id: String
    public var secret: String

    public init(id: String, secret: String) {
        self.id = id
        self.secret = secret
    }

    public var variables: [String: String] { ["AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret] }

    /// As a profile of the shared files has them.
    public var profileLines: String { "aws_access_key_id = \(id)\naws_secret_access_key = \(secret)\n" }
}
