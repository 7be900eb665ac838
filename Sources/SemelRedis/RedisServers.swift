public import NIOCore
public import Semel
public import SemelTLS
import Synchronization

/// Where a queue in Redis is, and how its servers are spoken to.
public struct RedisServers: Sendable {
    /// What the hosts are.
    public enum Topology: Sendable {
        /// Redis itself. Of several hosts the first one that is no replica is right. One of a cluster that does not have
        /// the queue says who has.
        case servers
        /// Sentinels, which know who is master of that name.
        case sentinels(master: String, credentials: QueueCredentials)
    }

    /// In the order in which they are tried.
    public let hosts: [QueueURL.Host]
    public let topology: Topology
    public let credentials: QueueCredentials
    public let database: Int
    /// Of all connections, those to sentinels too; `nil` when nothing is encrypted.
    public let tls: TLSClient?
    /// Shared by all copies: what one connection was told, the next one need not ask.
    let clusterNode = RedisClusterNode()

    /// - Parameter hosts: With their ports.
    public init(
        hosts: [QueueURL.Host], topology: Topology, credentials: QueueCredentials, database: Int, tls: TLSClient?
    ) {
        self.hosts = hosts
        self.topology = topology
        self.credentials = credentials
        self.database = database
        self.tls = tls
    }

    /// For messages.
    public var place: String {
        let list = hosts.map(\.text).joined(separator: ",")
        return switch topology {
        case .servers: "Redis at \(list)"
        case .sentinels(let master, _): "Redis ‘\(master)’ of the sentinels at \(list)"
        }
    }
}

extension RedisServers {
    /// Runs a script that looks at one key and returns a number.
    ///
    /// - Parameter limit: For the connection, and then for the answer.
    public func evaluate(
        _ script: String, key: String, _ arguments: [String], on group: any EventLoopGroup, within limit: Duration
    ) async throws(RedisFailure) -> Int64 {
        let connection = try await RedisConnection.open(self, on: group, within: limit)
        defer { connection.close() }
        let command = RedisScripts.run(script, keys: [key], arguments.map { RedisArgument($0) })
        guard let number = try await connection.command(command, within: limit).integer else {
            throw .broken("Redis answered out of turn")
        }
        return number
    }
}

/// The node of a cluster that has the queue, once one has said so.
final class RedisClusterNode: Sendable {
    private let node = Mutex<QueueURL.Host?>(nil)

    var known: QueueURL.Host? {
        get { node.withLock { $0 } }
        set { node.withLock { $0 = newValue } }
    }
}
