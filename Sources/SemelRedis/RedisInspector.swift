public import NIOCore
public import Semel

/// Counts what is in a list or a stream and in what semel keeps beside it, all at one moment of the server's own clock.
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
            return try await connected().ask(address.layout.counts())
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
