/// Three masters of a Redis Cluster that share the slots.
public final class RedisCluster: Sendable {
    public let nodes: [RedisServer]
    private static let slots = 16_384

    /// - Parameter configuration: of each node, by its number.
    public static func start(configuration: [[String]] = [[], [], []]) async throws -> RedisCluster {
        var nodes: [RedisServer] = []
        var busPorts: [Int] = []
        for own in configuration {
            busPorts.append(try FreePort.next())
            nodes.append(
                try await RedisServer.start(
                    configuration: [
                        "cluster-enabled yes", "cluster-config-file nodes.conf", "cluster-node-timeout 2000",
                        "cluster-port \(busPorts.last ?? 0)",
                    ] + own))
        }
        let cluster = RedisCluster(nodes)
        try await cluster.join(busPorts)
        return cluster
    }

    private init(_ nodes: [RedisServer]) {
        self.nodes = nodes
    }

    private func join(_ busPorts: [Int]) async throws {
        let share = Self.slots / nodes.count
        for (index, node) in nodes.enumerated() {
            let last = index == nodes.count - 1 ? Self.slots - 1 : (index + 1) * share - 1
            try await node.command("CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)")
            try await node.command("CLUSTER", "ADDSLOTSRANGE", "\(index * share)", "\(last)")
            try await nodes[0].command("CLUSTER", "MEET", "127.0.0.1", "\(node.port)", "\(busPorts[index])")
        }
        for node in nodes {
            try await eventually(timeout: .seconds(60), "the nodes know each other") {
                let facts = try await node.command("CLUSTER", "INFO").text ?? ""
                return facts.contains("cluster_state:ok") && facts.contains("cluster_known_nodes:\(nodes.count)")
            }
        }
    }

    /// The node that has a key, by its number.
    public func owner(of key: String) async throws -> Int {
        for (index, node) in nodes.enumerated() {
            if (try? await node.command("EXISTS", "\(key)")) != nil { return index }
        }
        throw SupportError("no node has \(key)")
    }

    public func slot(of key: String) async throws -> Int {
        try await nodes[0].command("CLUSTER", "KEYSLOT", "\(key)").integer ?? 0
    }

    /// Begins to move a slot; what is asked for meanwhile and is not there any more is sent on.
    public func beginMove(of slot: Int, from source: Int, to target: Int) async throws {
        try await nodes[target].command("CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", "\(try await id(source))")
        try await nodes[source].command("CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", "\(try await id(target))")
    }

    public func moveKeys(of slot: Int, from source: Int, to target: Int) async throws {
        while let keys = try await nodes[source].command("CLUSTER", "GETKEYSINSLOT", "\(slot)", "100").array,
            !keys.isEmpty
        {
            let names = keys.compactMap { $0.text.map { RedisArgument($0) } }
            try await nodes[source].command(
                ["MIGRATE", "127.0.0.1", "\(nodes[target].port)", "", "0", "5000", "KEYS"] + names)
        }
    }

    public func endMove(of slot: Int, to target: Int) async throws {
        let owner = try await id(target)
        for node in [nodes[target]] + nodes {
            try await node.command("CLUSTER", "SETSLOT", "\(slot)", "NODE", "\(owner)")
        }
    }

    private func id(_ index: Int) async throws -> String {
        try await nodes[index].command("CLUSTER", "MYID").text ?? ""
    }
}
