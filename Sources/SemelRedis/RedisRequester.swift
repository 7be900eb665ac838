public import NIOCore
public import Semel

/// Puts a message with an id into a Redis list, and looks now and then for what became of it.
public actor RedisRequester: MessageRequester {
    private struct Request {
        let id: String
        /// What stands for it in the set of named messages, while it is in the list.
        let named: String
        /// By the server's clock, in milliseconds since 1970.
        let since: String
    }

    private let address: RedisAddress
    private let group: any EventLoopGroup
    private var connection: RedisConnection?
    private var request: Request?

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
            let reply = try await connected().command(RedisScripts.put(message.body, id: id, in: address.keys))
            guard let fields = reply.elements, fields.count == 2, let named = fields[0].text, let since = fields[1].text
            else { throw .broken("Redis answered out of turn") }
            request = Request(id: id, named: named, since: since)
        } catch {
            await close()
            throw error.asQueueFailure(address)
        }
    }

    public func end() async throws(QueueFailure) -> RequestEnd? {
        guard let request else { return nil }
        var pause = Self.shortestPause
        var outageEnds: ContinuousClock.Instant?
        while !Task.isCancelled {
            do throws(RedisFailure) {
                if let end = try await look(for: request) { return end }
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

    private func look(for request: Request) async throws(RedisFailure) -> RequestEnd? {
        let names = address.keys
        let keys = [names.payloads, names.named, names.result(request.id), names.settled(request.id), names.dead]
        let arguments = [request.id, request.named, request.since].map { RedisArgument($0) }
        let reply = try await connected().command(RedisScripts.run(RedisScripts.end, keys: keys, arguments))
        guard let fields = reply.elements, let word = fields.first?.text else {
            throw .broken("Redis answered out of turn")
        }
        switch word {
        case "completed":
            if fields.count > 1, case .bytes(let result) = fields[1] { return .completed(result: result) }
            return .completed(result: nil)
        case "dead": return .deadLettered(reason: fields.count > 1 ? fields[1].text ?? "" : "")
        case "vanished": return .vanished
        default: return nil
        }
    }

    private func connected() async throws(RedisFailure) -> RedisConnection {
        if let connection, connection.isOpen { return connection }
        let opened = try await RedisConnection.open(address, on: group)
        connection = opened
        return opened
    }
}
