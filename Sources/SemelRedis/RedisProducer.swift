public import NIOCore
public import Semel

/// Pushes messages to the end of a Redis list: raw bodies, many in a command, many commands on their way.
///
/// A plain list has no room for anything but bodies; an id is kept beside it.
public actor RedisProducer: MessageProducer {
    private let address: RedisAddress
    private let group: any EventLoopGroup
    private var connection: RedisConnection?

    /// One command's share: short enough that other clients of the server are not held up.
    private static let valuesPerCommand = 1_000
    private static let bytesPerCommand = 256 << 10
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
        while bytes < Self.bytesPerPipeline, !rest.isEmpty {
            let (command, size) = nextCommand(&rest)
            commands.append(command)
            bytes += size
        }
        _ = try await connected().pipeline(commands)
    }

    private func nextCommand(_ rest: inout ArraySlice<OutgoingMessage>) -> (command: [RedisArgument], bytes: Int) {
        if let message = rest.first, let id = message.id {
            rest.removeFirst()
            return (RedisScripts.put(message.body, id: id, in: address.keys), message.body.count)
        }
        var command: [RedisArgument] = ["RPUSH", RedisArgument(address.keys.list)]
        var bytes = 0
        for message in rest.prefix(Self.valuesPerCommand) {
            // The first one always goes, however large.
            if message.id != nil || bytes > 0 && bytes + message.body.count > Self.bytesPerCommand { break }
            command.append(RedisArgument(message.body))
            bytes += message.body.count
        }
        rest = rest.dropFirst(command.count - 2)
        return (command, bytes)
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

    /// Whether the list can hold this message.
    func check(_ message: OutgoingMessage) throws(QueueFailure) {
        if message.contentType != nil || !message.headers.isEmpty {
            let extra = message.contentType == nil ? "headers" : "a content type"
            throw .misconfigured(
                "\(source): a Redis list holds plain bodies: a message in ‘\(keys.list)’ cannot have \(extra)")
        }
        if message.body.count > Self.largestBody {
            throw .misconfigured(
                "\(source): a message of \(message.body.count) bytes is over Redis' limit of 512 MiB")
        }
    }
}
