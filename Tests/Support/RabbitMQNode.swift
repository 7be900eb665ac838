import Foundation

/// The files, ports and environment of one broker node; nothing of it is shared with other nodes or the system's.
struct RabbitMQNode: Sendable {
    let port: Int
    let managementPort: Int
    let distributionPort: Int
    private let nameServerPort: Int
    private let directory: TemporaryDirectory
    let environment: [String: String]

    static let cookie = "semel"

    init(configuration: [String], plugins: [String], erlangArguments: [String]) throws {
        port = try FreePort.next()
        managementPort = try FreePort.next()
        distributionPort = try FreePort.next()
        nameServerPort = try FreePort.next()
        directory = try TemporaryDirectory("rabbitmq")
        let plugins = ["rabbitmq_management"] + plugins
        try RabbitMQInstallation().linkHome(at: directory.path("home"), plugins: plugins)
        try directory.write(Self.cookie, to: ".erlang.cookie", mode: 0o400)
        try directory.write("[\(plugins.joined(separator: ","))].", to: "enabled_plugins")
        try directory.write("[].", to: "advanced.config")
        let lines = [
            "listeners.tcp.1 = 127.0.0.1:\(port)", "management.tcp.ip = 127.0.0.1",
            "management.tcp.port = \(managementPort)", "disk_free_limit.absolute = 1MB",
        ]
        try directory.write((lines + configuration).joined(separator: "\n") + "\n", to: "rabbitmq.conf")
        environment = Self.environment(
            directory, distributionPort: distributionPort, nameServerPort: nameServerPort,
            name: "semel-\(ProcessInfo.processInfo.processIdentifier)-\(port)@localhost",
            erlangArguments: erlangArguments)
    }

    private static func environment(
        _ directory: TemporaryDirectory, distributionPort: Int, nameServerPort: Int, name: String,
        erlangArguments: [String]
    ) -> [String: String] {
        let loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
        // Few threads, which suits small machines; quorum queues tell their counts once a second. More often is too
        // often: in 3.10 a queue that ticks before it has taken its first command crashes, and its declarer with it (541).
        let machine = ["+S 2:2", "+SDio 4", "+A 4", loopback, "-rabbit quorum_tick_interval 1000"]
        return RunningProcess.environment(adding: [
            "HOME": directory.path,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": "\(nameServerPort)",
            "RABBITMQ_NODENAME": name,
            "RABBITMQ_DIST_PORT": "\(distributionPort)",
            "RABBITMQ_SCRIPTS_DIR": directory.path("home/sbin"),
            "RABBITMQ_PLUGINS_DIR": directory.path("home/plugins"),
            "RABBITMQ_MNESIA_BASE": directory.path("data"),
            "RABBITMQ_LOG_BASE": directory.path("log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": directory.path("pid"),
            "RABBITMQ_CONF_ENV_FILE": directory.path("none"),
            "RABBITMQ_CONFIG_FILE": directory.path("rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": directory.path("advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": directory.path("enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (machine + erlangArguments).joined(separator: " "),
            "RABBITMQ_CTL_ERL_ARGS": loopback,
            // Makes the script become the broker instead of waiting for it as a shell.
            "RUNNING_UNDER_SYSTEMD": "true",
        ])
    }

    func script(_ name: String) -> String {
        directory.path("home/sbin/\(name)")
    }

    /// Erlang would start its name server as a daemon that outlives the broker; so it finds one that runs already.
    func startNameServer() async throws -> RunningProcess {
        let nameServer = try RunningProcess(
            .installed("epmd"), ["-port", "\(nameServerPort)", "-address", "127.0.0.1"], environment: environment)
        try await eventually("epmd listens: \(nameServer.report)") {
            (try? await onThread("epmd") { [nameServerPort] in _ = try Socket(port: nameServerPort) }) != nil
        }
        return nameServer
    }

    func startBroker() throws -> RunningProcess {
        try RunningProcess(Executable(path: script("rabbitmq-server")), environment: environment)
    }

    /// Waits until the name server knows no node any more.
    func waitUntilForgotten(by nameServer: RunningProcess) async throws {
        try await eventually("epmd forgets the ended node: \(nameServer.report)") {
            let names = try await onThread("epmd") { [nameServerPort] in
                let socket = try Socket(port: nameServerPort)
                let namesRequest: [UInt8] = [0, 1, 110]
                try socket.write(Data(namesRequest))
                return try socket.readToEnd()
            }
            let portNumber = 4
            return names.count <= portNumber
        }
    }
}
