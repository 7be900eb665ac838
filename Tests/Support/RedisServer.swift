public import Glibc
import Synchronization

/// A real `redis-server` on 127.0.0.1 with its data in a temporary directory; killed with its last reference.
public final class RedisServer: Sendable {
    public let port: Int
    public let password: String?
    private let directory: TemporaryDirectory
    private let configuration: String
    private let isSentinel: Bool
    private let process: Mutex<RunningProcess>

    private static let sharedServer = SharedInstance { try await RedisServer.start() }

    /// The server that all tests of this process may use together: take names of your own for the keys.
    public static func shared() async throws -> RedisServer {
        try await sharedServer.get()
    }

    /// Starts a server and waits until it answers.
    ///
    /// - Parameters:
    ///   - password: what the default user must say.
    ///   - keepsData: writes every change to disk, so that `restart()` finds it again.
    ///   - configuration: further lines of its configuration, such as `user ann on >secret ~* +@all`.
    ///   - isSentinel: keeps no data, but watches other servers that do.
    public static func start(
        password: String? = nil, keepsData: Bool = false, configuration: [String] = [], port: Int? = nil,
        isSentinel: Bool = false
    ) async throws -> RedisServer {
        let directory = try TemporaryDirectory("redis")
        let port = try port ?? FreePort.next()
        var lines = ["bind 127.0.0.1", "port \(port)", "dir \"\(directory.path)\"", "save \"\"", "daemonize no"]
        if keepsData {
            lines += ["appendonly yes", "appendfsync always"]
        }
        if let password {
            lines.append("requirepass \"\(password)\"")
        }
        let file = try directory.write((lines + configuration).joined(separator: "\n") + "\n", to: "redis.conf")
        let process = try launch(file, isSentinel)
        let server = RedisServer(port, password, directory, file, isSentinel, process)
        try await server.waitUntilReady(process)
        return server
    }

    private init(
        _ port: Int, _ password: String?, _ directory: TemporaryDirectory, _ configuration: String,
        _ isSentinel: Bool, _ process: RunningProcess
    ) {
        self.port = port
        self.password = password
        self.directory = directory
        self.configuration = configuration
        self.isSentinel = isSentinel
        self.process = Mutex(process)
    }

    deinit {
        process.withLock { $0.killGroup() }
    }

    private static func launch(_ configuration: String, _ isSentinel: Bool) throws -> RunningProcess {
        try RunningProcess(.installed("redis-server"), [configuration] + (isSentinel ? ["--sentinel"] : []))
    }

    private func waitUntilReady(_ process: RunningProcess) async throws {
        let ready = try await holds(within: .seconds(20)) {
            guard process.isRunning else {
                throw SupportError("redis-server \(process.status!): \(process.report)")
            }
            // Before it listens the connection fails; while it loads its data it answers with an error.
            return (try? await command("PING"))?.text == "PONG"
        }
        guard ready else {
            throw SupportError("redis-server does not answer: \(process.report)")
        }
    }

    /// The URL of a list (`?list=`) on this server, with its password unless others are named.
    ///
    /// - Parameter port: of a proxy that takes the server's place.
    public func url(
        list: String, user: String? = nil, password: String? = nil, database: Int = 0, options: [String: String] = [:],
        at port: Int? = nil
    ) -> String {
        let host = "127.0.0.1:\(port ?? self.port)"
        return "redis://\(credentials(user, password))\(host)/\(database)\(query(("list", list), options))"
    }

    /// The URL of a consumer group on a stream of this server.
    ///
    /// - Parameter port: of a proxy that takes the server's place.
    public func url(
        stream: String, group: String, user: String? = nil, password: String? = nil, options: [String: String] = [:],
        at port: Int? = nil
    ) -> String {
        let options = options.merging(["group": group]) { first, _ in first }
        let host = "127.0.0.1:\(port ?? self.port)"
        return "redis://\(credentials(user, password))\(host)/0\(query(("stream", stream), options))"
    }

    private func credentials(_ user: String?, _ password: String?) -> String {
        guard let password = password ?? self.password else { return "" }
        return "\(percentEncoded(user ?? "")):\(percentEncoded(password))@"
    }

    /// Runs one command on a connection of its own; a refusal is thrown.
    @discardableResult
    public func command(_ words: RedisArgument...) async throws -> RedisValue {
        try await command(words)
    }

    /// Runs one command on a connection of its own; a refusal is thrown.
    @discardableResult
    public func command(_ words: [RedisArgument], timeout: Duration = .seconds(30)) async throws -> RedisValue {
        let reply = try await pipeline([words], timeout: timeout)[0]
        if case .error(let message) = reply {
            throw RedisError(description: message)
        }
        return reply
    }

    /// Runs many commands on one connection; refusals are among the replies.
    public func pipeline(
        _ commands: [[RedisArgument]], timeout: Duration = .seconds(30)
    ) async throws -> [RedisValue] {
        let batch = 500
        return try await onThread("redis \(port)") { [port, password] in
            let client = try RedisClient(port: port, password: password, timeout: timeout)
            return try stride(from: 0, to: commands.count, by: batch).flatMap { start in
                try client.send(Array(commands[start..<min(start + batch, commands.count)]))
            }
        }
    }

    public var pid: pid_t { process.withLock { $0.pid } }

    /// What the server has logged since its last start.
    public var log: String { process.withLock { $0 }.stdout.text }

    /// Sends the server a signal; SIGSTOP makes it silent, SIGCONT wakes it.
    public func send(_ signal: Int32) {
        process.withLock { $0 }.send(signal)
    }

    /// Ends the server in good order.
    public func stop() async throws {
        let process = process.withLock { $0 }
        process.send(SIGCONT)
        process.send(SIGTERM)
        try await process.waitForExit(timeout: .seconds(20))
    }

    /// Ends the server as a power cut would.
    public func kill() async throws {
        let process = process.withLock { $0 }
        process.killGroup()
        try await process.waitForExit(timeout: .seconds(20))
    }

    /// Starts the server again on the same port; kills it first if it runs. Data is there again with `keepsData`.
    public func restart() async throws {
        try await kill()
        let next = try Self.launch(configuration, isSentinel)
        process.withLock { $0 = next }
        try await waitUntilReady(next)
    }
}
