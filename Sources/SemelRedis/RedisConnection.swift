import NIOCore
import NIOPosix
import Semel

/// A connection to Redis: commands go out as they are asked for, replies come back in that order.
final class RedisConnection: Sendable {
    /// How long an answer may take. A busy server is still a server, and a large body takes its time.
    static let patience = Duration.seconds(30)

    private let channel: any Channel

    private init(_ channel: any Channel) {
        self.channel = channel
    }

    static func open(_ address: RedisAddress, on group: any EventLoopGroup, within limit: Duration = .seconds(10))
        async throws(RedisFailure) -> RedisConnection
    {
        do {
            let channel = try await ClientBootstrap(group: group)
                .connectTimeout(.milliseconds(limit.milliseconds))
                .channelOption(.socketOption(.so_keepalive), value: 1)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(RedisHandler())
                    }
                }
                .connect(host: address.host, port: address.port).get()
            let connection = RedisConnection(channel)
            do {
                try await connection.greet(address, within: limit)
            } catch {
                connection.close()
                throw error
            }
            return connection
        } catch let failure as RedisFailure {
            throw failure
        } catch {
            throw .broken(Self.text(of: error))
        }
    }

    /// Written together, answered together.
    private func greet(_ address: RedisAddress, within limit: Duration) async throws(RedisFailure) {
        let who: QueueCredentials.Current
        do throws(ConfigurationError) {
            who = try address.credentials.current()
        } catch {
            throw .misconfigured(error.description)
        }
        var greetings: [EventLoopFuture<RedisValue>] = []
        if let password = who.password {
            let user = who.user.map { [RedisArgument($0)] } ?? []
            greetings.append(future(["AUTH"] + user + [RedisArgument(password)], within: limit))
        }
        if address.database != 0 {
            greetings.append(future(["SELECT", RedisArgument(address.database)], within: limit))
        }
        for greeting in greetings { _ = try await Self.value(of: greeting) }
    }

    /// Sends one command and waits for its reply; an error reply is thrown. A reply that does not come in time ends the
    /// connection: what is heard later could not be told apart any more.
    func command(_ arguments: [RedisArgument], within limit: Duration = patience) async throws(RedisFailure)
        -> RedisValue
    {
        try await Self.value(of: future(arguments, within: limit))
    }

    /// Sends many commands at once; the replies are in their order, errors among them.
    func pipeline(_ commands: [[RedisArgument]]) async throws(RedisFailure) -> [RedisValue] {
        let replies = commands.map { future($0, within: Self.patience) }
        var values: [RedisValue] = []
        for reply in replies { values.append(try await Self.value(of: reply)) }
        return values
    }

    /// Until either side has hung up, as far as is known.
    var isOpen: Bool { channel.isActive }

    func close() {
        channel.close(promise: nil)
    }

    private func future(_ arguments: [RedisArgument], within limit: Duration) -> EventLoopFuture<RedisValue> {
        let promise = channel.eventLoop.makePromise(of: RedisValue.self)
        let tooLate = channel.eventLoop.scheduleTask(in: .milliseconds(limit.milliseconds)) { [channel] in
            promise.fail(RedisFailure.broken("Redis did not answer within \(Units.text(limit))"))
            channel.close(promise: nil)
        }
        promise.futureResult.whenComplete { _ in tooLate.cancel() }
        guard let bytes = RESP.encode(arguments, allocator: channel.allocator) else {
            promise.fail(RedisFailure.broken("out of memory"))
            return promise.futureResult
        }
        // On a closed channel there is nobody left to fail the reply.
        channel.writeAndFlush(RedisRequest(bytes: bytes, reply: promise)).whenFailure { _ in
            promise.fail(RedisFailure.broken("the connection was closed"))
        }
        return promise.futureResult
    }

    private static func value(of reply: EventLoopFuture<RedisValue>) async throws(RedisFailure) -> RedisValue {
        let value: RedisValue
        do {
            value = try await reply.get()
        } catch let failure as RedisFailure {
            throw failure
        } catch {
            throw .broken(text(of: error))
        }
        if case .error(let text) = value {
            // Which line of which script it was says nothing to a stranger.
            let end = text.firstRange(of: " script: ")?.lowerBound ?? text.endIndex
            throw .answered(String(text[..<end]))
        }
        return value
    }

    /// NIO's errors hold what the system said, in a form for programmers.
    private static func text(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first { return text(of: failure.error) }
            return error.dnsAError == nil && error.dnsAAAAError == nil ? "no connection" : "unknown host"
        case let error as IOError: return SystemError(doing: "connect", code: error.errnoCode).description
        case ChannelError.connectTimeout(let limit): return "no connection within \(limit.nanoseconds / 1_000_000) ms"
        case is ChannelError: return "the connection was closed"
        default: return "\(error)"
        }
    }
}

private struct RedisRequest: Sendable {
    let bytes: ByteBuffer
    let reply: EventLoopPromise<RedisValue>
}

/// Matches replies to requests. Lives on its channel's event loop.
private final class RedisHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = RedisRequest
    typealias OutboundOut = ByteBuffer

    private let reader = RESPReader()
    private var waiting = CircularBuffer<EventLoopPromise<RedisValue>>()
    private var failure: RedisFailure?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let request = unwrapOutboundIn(data)
        guard context.channel.isActive else {
            request.reply.fail(failure ?? .broken("the connection was closed"))
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        waiting.append(request.reply)
        context.write(wrapOutboundOut(request.bytes), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reader.feed(unwrapInboundIn(data))
        do throws(RedisFailure) {
            while let value = try reader.next() {
                guard let reply = waiting.popFirst() else { throw .broken("Redis answered what was not asked") }
                reply.succeed(value)
            }
        } catch {
            end(context, error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let system = (error as? IOError).map { SystemError(doing: "talk to Redis", code: $0.errnoCode).description }
        end(context, .broken(system ?? "\(error)"))
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context, .broken("Redis closed the connection"))
        context.fireChannelInactive()
    }

    private func end(_ context: ChannelHandlerContext, _ reason: RedisFailure) {
        let reason = failure ?? reason
        failure = reason
        context.close(promise: nil)
        while let reply = waiting.popFirst() { reply.fail(reason) }
    }
}
