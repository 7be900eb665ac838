public import NIOCore
public import Semel

/// Counts what is in a Redis list and in what semel keeps beside it, all at one moment of the server's own clock. A
/// plain list does not tell how old a message is.
public actor RedisInspector: QueueInspector {
    private let address: RedisAddress
    private let group: any EventLoopGroup
    private var connection: RedisConnection?

    public init(_ address: RedisAddress, on group: any EventLoopGroup) {
        self.address = address
        self.group = group
    }

    public func counts() async throws(QueueFailure) -> QueueCounts {
        do throws(RedisFailure) {
            let names = address.keys
            let reply = try await connected().command(
                RedisScripts.run(RedisScripts.counts, keys: [names.list, names.leases, names.delayed, names.dead], []))
            let counts = (reply.elements ?? []).compactMap { $0.integer.map { Int($0) } }
            guard counts.count == 4 else { throw .broken("Redis answered out of turn") }
            return QueueCounts(ready: counts[0], claimed: counts[1], delayed: counts[2], dead: counts[3])
        } catch {
            await close()
            throw error.asQueueFailure(address)
        }
    }

    public func close() async {
        connection?.close()
        connection = nil
    }

    private func connected() async throws(RedisFailure) -> RedisConnection {
        if let connection, connection.isOpen { return connection }
        let opened = try await RedisConnection.open(address, on: group)
        connection = opened
        return opened
    }
}
