public import NIOCore
public import Semel

/// Puts a message with an id into a list or a stream, and looks now and then for what became of it.
public actor RedisRequester: MessageRequester {
    private let address: RedisAddress
    private let group: any EventLoopGroup
    private var connection: RedisConnection?
    private var ticket: RedisTicket?

    /// Between two looks: more patience with a task that takes longer.
    private static let shortestPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(1)
    /// For how long a server that cannot be asked is given the benefit of the doubt.
    private static let outage = Duration.seconds(30)

    public init(_ address: RedisAddress, on group: any EventLoopGroup) {
        self.address = address
        self.group = group
    }

    public func enqueue(_ message: OutgoingMessage) async throws(QueueFailure) {
        try address.check(message)
        let id = message.id ?? MessageID.random()
        do throws(RedisFailure) {
            ticket = try await connected().ask(address.layout.request(message, id: id))
        } catch {
            await close()
            throw error.asQueueFailure(address)
        }
    }

    public func end() async throws(QueueFailure) -> RequestEnd? {
        guard let ticket else { return nil }
        var pause = Self.shortestPause
        var outageEnds: ContinuousClock.Instant?
        while !Task.isCancelled {
            do throws(RedisFailure) {
                if let end = try await connected().ask(address.layout.end(of: ticket)) { return end }
                outageEnds = nil
            } catch {
                await close()
                let failure = error.asQueueFailure(address)
                let end = outageEnds ?? .now + Self.outage
                outageEnds = end
                guard case .unreachable = failure, ContinuousClock.now < end else { throw failure }
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 1.5, Self.longestPause)
        }
        return nil
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
