public import NIOCore
public import Semel

/// Puts messages at the end of a list or a stream: many commands are on their way at a time.
public actor RedisProducer: MessageProducer {
    private let address: RedisAddress
    private let group: any EventLoopGroup
    private var connection: RedisConnection?

    /// What is on its way at a time.
    private static let bytesPerPipeline = 16 << 20

    public init(_ address: RedisAddress, on group: any EventLoopGroup) {
        self.address = address
        self.group = group
    }

    public func enqueue(_ messages: [OutgoingMessage]) async throws(QueueFailure) {
        for message in messages { try address.check(message) }
        do throws(RedisFailure) {
            _ = try await connected()
            var rest = messages[...]
            while !rest.isEmpty { try await push(&rest) }
        } catch {
            connection?.close()
            connection = nil
            throw error.asQueueFailure(address)
        }
    }

    public func close() async {
        connection?.close()
        connection = nil
    }

    /// Sends from the front as much as may be on its way at a time, and waits until Redis has it.
    private func push(_ rest: inout ArraySlice<OutgoingMessage>) async throws(RedisFailure) {
        var commands: [[RedisArgument]] = []
        var bytes = 0
        while bytes < Self.bytesPerPipeline, let first = rest.popFirst() {
            let (command, size) = address.layout.put(first, &rest)
            commands.append(command)
            bytes += size
        }
        _ = try await connected().pipeline(commands)
    }

    private func connected() async throws(RedisFailure) -> RedisConnection {
        // Redis may have hung up while there was nothing to send.
        if let connection, connection.isOpen { return connection }
        let opened = try await RedisConnection.open(address, on: group)
        connection = opened
        return opened
    }
}

extension RedisAddress {
    /// Redis' own limit for a string.
    private static let largestBody = 512 << 20

    /// Whether the queue can hold this message.
    func check(_ message: OutgoingMessage) throws(QueueFailure) {
        try layout.check(message, source: source)
        if message.body.count > Self.largestBody {
            throw .misconfigured(
                "\(source): a message of \(message.body.count) bytes is over Redis' limit of 512 MiB")
        }
    }
}
