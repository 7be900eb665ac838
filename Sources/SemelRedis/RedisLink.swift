import NIOCore
import NIOPosix
import Semel
import SemelTLS

/// A connection to one server of Redis: commands go out as they are asked for, replies come back in that order.
final class RedisLink: Sendable {
    let host: QueueURL.Host
    private let channel: any Channel
    /// Why it has ended.
    private let ending: OneShot<RedisFailure>

    private init(_ host: QueueURL.Host, _ channel: any Channel, _ ending: OneShot<RedisFailure>) {
        self.host = host
        self.channel = channel
        self.ending = ending
    }

    static func open(
        _ host: QueueURL.Host, as credentials: QueueCredentials, database: Int, tls: TLSClient?,
        on group: any EventLoopGroup, within limit: Duration
    ) async throws(RedisFailure) -> RedisLink {
        let ending = OneShot<RedisFailure>()
        do {
            let channel = try await ClientBootstrap(group: group)
                .connectTimeout(.milliseconds(limit.milliseconds))
                .channelOption(.socketOption(.so_keepalive), value: 1)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls { try tls.secure(channel, to: host.name, within: limit) }
                        try channel.pipeline.syncOperations.addHandler(RedisHandler(isEncrypted: tls != nil, ending))
                    }
                }
                .connect(host: host.name, port: host.port ?? 6379).get()
            let link = RedisLink(host, channel, ending)
            do {
                if tls != nil { try await TLSClient.handshake(on: channel).get() }
                try await link.greet(credentials, database, within: limit)
            } catch {
                link.close()
                throw error
            }
            return link
        } catch let failure as RedisFailure {
            throw failure
        } catch {
            throw TLSFailure(within: error).map { RedisFailure($0) } ?? .broken(ConnectionWords.text(of: error))
        }
    }

    /// Written together, answered together.
    private func greet(_ credentials: QueueCredentials, _ database: Int, within limit: Duration)
        async throws(RedisFailure)
    {
        let who: QueueCredentials.Current
        do throws(ConfigurationError) {
            who = try credentials.current()
        } catch {
            throw .misconfigured(error.description)
        }
        var greetings: [EventLoopFuture<RedisValue>] = []
        // A user without a password is one that needs none, and not the default user.
        if who.user != nil || who.password != nil {
            let user = who.user.map { [RedisArgument($0)] } ?? []
            greetings.append(send(["AUTH"] + user + [RedisArgument(who.password ?? "")], within: limit))
        }
        if database != 0 {
            greetings.append(send(["SELECT", RedisArgument(database)], within: limit))
        }
        for greeting in greetings { _ = try await Self.value(of: greeting) }
    }

    /// - Parameter asking: Of a node that is just taking over the keys.
    func command(_ arguments: [RedisArgument], asking: Bool = false, within limit: Duration)
        async throws(RedisFailure) -> RedisValue
    {
        let permission = asking ? send(["ASKING"], within: limit) : nil
        let reply = send(arguments, within: limit)
        if let permission { _ = try await Self.value(of: permission) }
        return try await Self.value(of: reply)
    }

    /// Until either side has hung up, as far as is known.
    var isOpen: Bool { channel.isActive }

    func close() {
        channel.close(promise: nil)
    }

    func send(_ arguments: [RedisArgument], within limit: Duration) -> EventLoopFuture<RedisValue> {
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
        channel.writeAndFlush(RedisRequest(bytes: bytes, reply: promise)).whenFailure { [ending] _ in
            promise.fail(ending.value ?? .broken("the connection was closed"))
        }
        return promise.futureResult
    }

    static func value(of reply: EventLoopFuture<RedisValue>) async throws(RedisFailure) -> RedisValue {
        let value: RedisValue
        do {
            value = try await reply.get()
        } catch let failure as RedisFailure {
            throw failure
        } catch {
            throw .broken(ConnectionWords.text(of: error))
        }
        if case .error(let text) = value {
            // Which line of which script it was says nothing to a stranger.
            let end = text.firstRange(of: " script: ")?.lowerBound ?? text.endIndex
            throw .answered(String(text[..<end]))
        }
        return value
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

    /// How a TLS server begins to complain of what is no TLS.
    private static let alert: UInt8 = 0x15

    private let isEncrypted: Bool
    private let reader = RESPReader()
    private var hasAnswered = false
    private var waiting = CircularBuffer<EventLoopPromise<RedisValue>>()
    private let ending: OneShot<RedisFailure>

    init(isEncrypted: Bool, _ ending: OneShot<RedisFailure>) {
        self.isEncrypted = isEncrypted
        self.ending = ending
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let request = unwrapOutboundIn(data)
        guard context.channel.isActive else {
            request.reply.fail(ending.value ?? .broken("the connection was closed"))
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        waiting.append(request.reply)
        context.write(wrapOutboundOut(request.bytes), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if !hasAnswered, bytes.getInteger(at: bytes.readerIndex) == Self.alert {
            return end(context, .broken("it speaks TLS; use rediss://"))
        }
        hasAnswered = true
        reader.feed(bytes)
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
        if let failure = error as? TLSFailure { return end(context, RedisFailure(failure)) }
        let system = (error as? IOError).map { SystemError(doing: "talk to Redis", code: $0.errnoCode).description }
        end(context, .broken("\(system ?? "\(error)")\(hint)"))
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context, .broken("Redis closed the connection\(hint)"))
        context.fireChannelInactive()
    }

    private var hint: String {
        isEncrypted || hasAnswered ? "" : " before it had answered; one that speaks TLS wants rediss://"
    }

    private func end(_ context: ChannelHandlerContext, _ reason: RedisFailure) {
        ending.fulfil(reason)
        let reason = ending.value ?? reason
        context.close(promise: nil)
        while let reply = waiting.popFirst() { reply.fail(reason) }
    }
}
