import Foundation
public import Glibc
import Synchronization

/// A real RabbitMQ broker on 127.0.0.1 with everything it writes in a temporary directory; killed with its last
/// reference. It starts in about five seconds: share one where tests allow it.
public final class RabbitMQServer: Sendable {
    /// The AMQP port.
    public let port: Int
    /// The port of the management interface.
    public let managementPort: Int
    private let node: RabbitMQNode
    private let processes: Mutex<Processes>

    private struct Processes {
        let nameServer: RunningProcess
        var broker: RunningProcess
    }

    private static let sharedServer = SharedInstance { try await RabbitMQServer.start() }

    /// The broker that all tests of this process may use together: take queue names of your own.
    public static func shared() async throws -> RabbitMQServer {
        try await sharedServer.get()
    }

    /// Starts a broker and waits until AMQP and the management interface answer.
    ///
    /// - Parameters:
    ///   - configuration: further lines of `rabbitmq.conf`, such as `consumer_timeout = 60000`.
    ///   - plugins: enabled besides `rabbitmq_management`.
    ///   - erlangArguments: further arguments of the virtual machine, such as `-rabbit channel_tick_interval 1000`.
    public static func start(
        configuration: [String] = [], plugins: [String] = [], erlangArguments: [String] = []
    ) async throws -> RabbitMQServer {
        let node = try RabbitMQNode(
            configuration: configuration, plugins: plugins, erlangArguments: erlangArguments)
        let nameServer = try await node.startNameServer()
        let server = RabbitMQServer(node, Processes(nameServer: nameServer, broker: try node.startBroker()))
        try await server.waitUntilReady()
        return server
    }

    private init(_ node: RabbitMQNode, _ processes: sending Processes) {
        self.node = node
        port = node.port
        managementPort = node.managementPort
        self.processes = Mutex(processes)
    }

    deinit {
        processes.withLock { processes in
            processes.broker.killGroup()
            processes.nameServer.killGroup()
        }
    }

    private var broker: RunningProcess { processes.withLock { $0.broker } }

    private func waitUntilReady() async throws {
        let broker = broker
        var obstacle = ""
        let ready = try await holds(within: .seconds(90)) {
            guard broker.isRunning else {
                throw SupportError("rabbitmq-server \(broker.status!): \(broker.report)")
            }
            // A listener may accept connections before the broker can serve them: only an answer counts.
            do {
                try await connected { _ in }
                let overview = try await manage("GET", "/api/overview")
                obstacle = "management: \(overview.status)"
                return overview.status == 200
            } catch {
                obstacle = "\(error)"
                return false
            }
        }
        guard ready else {
            throw SupportError("rabbitmq-server does not answer: \(obstacle): \(broker.report)")
        }
    }

    /// The URL of a queue on this broker.
    ///
    /// - Parameter port: of a proxy that takes the broker's place.
    public func url(
        queue: String, user: String = "guest", password: String = "guest", virtualHost: String = "/",
        options: [String: String] = [:], at port: Int? = nil
    ) -> String {
        let credentials = "\(percentEncoded(user)):\(percentEncoded(password))"
        let host = "127.0.0.1:\(port ?? self.port)"
        return "amqp://\(credentials)@\(host)/\(percentEncoded(virtualHost))\(query(("queue", queue), options))"
    }

    public var pid: pid_t { broker.pid }

    /// What the broker has logged since its last start.
    public var log: String { broker.stdout.text }

    /// Sends the broker a signal; SIGSTOP makes it silent, SIGCONT wakes it.
    public func send(_ signal: Int32) {
        broker.send(signal)
    }

    /// Ends the broker in good order, which takes some seconds. Its data stays for `restart()`.
    public func stop() async throws {
        let broker = broker
        broker.send(SIGCONT)
        broker.send(SIGTERM)
        try await broker.waitForExit(timeout: .seconds(60))
    }

    /// Ends the broker as a power cut would. Its data stays for `restart()`.
    public func kill() async throws {
        let broker = broker
        broker.killGroup()
        try await broker.waitForExit(timeout: .seconds(20))
    }

    /// Starts the broker again with its data and on its port; kills it first if it runs.
    public func restart() async throws {
        try await kill()
        // The name server forgets a node only when it has noticed that the connection is gone.
        let nameServer = processes.withLock { $0.nameServer }
        try await node.waitUntilForgotten(by: nameServer)
        let next = try node.startBroker()
        processes.withLock { $0.broker = next }
        try await waitUntilReady()
    }

    /// Runs `rabbitmqctl`, which takes some seconds; its standard output.
    @discardableResult
    public func rabbitmqctl(_ arguments: [String], timeout: Duration = .seconds(60)) async throws -> String {
        let tool = Executable(path: node.script("rabbitmqctl"))
        let finished = try await run(tool, arguments, environment: node.environment, timeout: timeout)
        guard finished.status == .exited(0) else {
            throw SupportError("rabbitmqctl \(arguments) \(finished.status): \(finished.stderrText)")
        }
        return finished.stdoutText
    }

    /// Evaluates an Erlang expression inside the broker, in milliseconds; what it comes to.
    @discardableResult
    public func evaluate(_ expression: String) async throws -> String {
        let arguments = ["-address", "127.0.0.1:\(node.distributionPort)", "-c", RabbitMQNode.cookie, "-R", "-e"]
        let finished = try await run(
            .installed("erl_call"), arguments, environment: node.environment,
            input: Array("catch begin \(expression) end.\n".utf8))
        let answer = finished.stdoutText
        guard finished.status == .exited(0), answer.hasPrefix("{ok, "), !answer.hasPrefix("{ok, {'EXIT'") else {
            throw SupportError("\(expression)\n\(answer.prefix(500))\(finished.stderrText)")
        }
        return String(answer.dropFirst(5).dropLast())
    }

    /// Does something on a connection of its own, in another thread.
    func connected<Result: Sendable>(
        timeout: Duration = .seconds(60), _ body: @escaping @Sendable (AMQPConnection) throws -> Result
    ) async throws -> Result {
        try await onThread("amqp \(port)") { [port] in
            let connection = try AMQPConnection(port: port, timeout: timeout)
            return try body(connection)
        }
    }

    /// A request to the management interface.
    public func manage(
        _ method: String, _ path: String, json: [String: String]? = nil, user: String = "guest",
        password: String = "guest"
    ) async throws -> HTTP.Response {
        let credentials = Data("\(user):\(password)".utf8).base64EncodedString()
        let body = try json.map { Array(try JSONEncoder().encode($0)) } ?? []
        return try await HTTP.request(
            method, port: managementPort, path: path,
            headers: ["Authorization": "Basic \(credentials)", "Content-Type": "application/json"], body: body)
    }
}
