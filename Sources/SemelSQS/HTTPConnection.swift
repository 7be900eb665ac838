import NIOCore
import NIOHTTP1
import NIOPosix
import Semel
import SemelTLS

/// Whom a connection is to.
struct HTTPOrigin: Sendable, Hashable {
    let isEncrypted: Bool
    /// A name or an address, the latter without brackets.
    let name: String
    let port: Int

    /// `nil` for a port that is no number.
    init?(_ url: ServiceURL) {
        isEncrypted = url.isEncrypted
        var name = url.host[...]
        var port: Substring?
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("]") {
            (name, port) = (name[..<colon], name[name.index(after: colon)...])
        }
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        guard let port = port.map({ Int($0) }) ?? (url.isEncrypted ? 443 : 80), (1...65535).contains(port) else {
            return nil
        }
        self.name = String(name)
        self.port = port
    }
}

/// A request and who waits for its answer.
struct HTTPExchange: Sendable {
    let head: HTTPRequestHead
    let body: [UInt8]
    let answer: EventLoopPromise<AWSHTTP.Response>
    /// To be called on the connection's event loop, before the answer is known to anybody: it can take another request.
    let release: @Sendable () -> Void

    init(
        _ request: AWSHTTP.Request, at url: ServiceURL, _ answer: EventLoopPromise<AWSHTTP.Response>,
        release: @escaping @Sendable () -> Void
    ) {
        let method = HTTPMethod(rawValue: request.method)
        // As it was given: it is signed.
        var headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
        if !headers.contains(name: "host") { headers.add(name: "host", value: url.host) }
        if !request.body.isEmpty || method != .GET {
            headers.replaceOrAdd(name: "content-length", value: "\(request.body.count)")
        }
        head = HTTPRequestHead(
            version: .http1_1, method: method, uri: String(url.text.dropFirst(url.base.count)), headers: headers)
        body = request.body
        self.answer = answer
        self.release = release
    }
}

/// A connection to one server, for one request after the other.
final class HTTPConnection: Sendable {
    let origin: HTTPOrigin
    let channel: any Channel

    private init(to origin: HTTPOrigin, _ channel: any Channel) {
        self.origin = origin
        self.channel = channel
    }

    /// - Parameter limit: For the connection, and then once more for the handshake.
    static func open(to origin: HTTPOrigin, tls: TLSClient?, on loop: any EventLoop, within limit: Duration)
        -> EventLoopFuture<HTTPConnection>
    {
        ClientBootstrap(group: loop)
            .connectTimeout(.milliseconds(max(1, limit.milliseconds)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try tls.secure(channel, to: origin.name, within: limit) }
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(HTTPExchanger(isEncrypted: tls != nil))
                }
            }
            .connect(host: origin.name, port: origin.port)
            .flatMap { channel in
                let connection = HTTPConnection(to: origin, channel)
                guard tls != nil else { return channel.eventLoop.makeSucceededFuture(connection) }
                let handshake = TLSClient.handshake(on: channel)
                handshake.whenFailure { _ in connection.close() }
                return handshake.map { connection }
            }
    }

    /// Until either side has hung up, as far as is known.
    var isOpen: Bool { channel.isActive }

    func close() {
        channel.close(promise: nil)
    }

    /// To be called on the event loop. A connection whose answer nobody waits for any more is closed.
    func send(_ exchange: HTTPExchange) {
        exchange.answer.futureResult.whenFailure { [channel] _ in channel.close(promise: nil) }
        // On a closed channel there is nobody left to fail the answer.
        channel.writeAndFlush(exchange).whenFailure { exchange.answer.fail(AWSHTTP.Failure($0)) }
    }
}

/// Matches the answer to the request. Lives on its channel's event loop.
private final class HTTPExchanger: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPExchange
    typealias OutboundOut = HTTPClientRequestPart

    private enum State {
        case idle
        case asked(HTTPExchange)
        case answering(HTTPExchange, HTTPResponseHead, ByteBuffer)
        case ended
    }

    /// Over twice what SQS sends at the most: a body of 1 MiB, escaped in JSON.
    private static let mostBytes = 16 << 20

    private let isEncrypted: Bool
    private var hasAnswered = false
    private var state = State.idle

    init(isEncrypted: Bool) {
        self.isEncrypted = isEncrypted
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .idle = state, context.channel.isActive else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let exchange = unwrapOutboundIn(data)
        state = .asked(exchange)
        context.write(wrapOutboundOut(.head(exchange.head)), promise: nil)
        if !exchange.body.isEmpty {
            let body = context.channel.allocator.buffer(bytes: exchange.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        fail(AWSHTTP.Failure(ChannelError.alreadyClosed))
        context.close(mode: mode, promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        hasAnswered = true
        switch (state, part) {
        case (.asked(let exchange), .head(let head)):
            state = .answering(exchange, head, ByteBuffer())
        case (.answering(let exchange, let head, var body), .body(var piece)):
            // Two who hold a buffer would copy it.
            state = .ended
            body.writeBuffer(&piece)
            state = .answering(exchange, head, body)
            if body.readableBytes > Self.mostBytes { end(context, "the answer is larger than 16 MiB") }
        case (.answering(let exchange, let head, let body), .end):
            finish(exchange, head, body, context)
        case (.ended, _): break
        case (.idle, _), (.asked, _), (.answering, .head): end(context, "the server answered what was not asked")
        }
    }

    private func finish(
        _ exchange: HTTPExchange, _ head: HTTPResponseHead, _ body: ByteBuffer, _ context: ChannelHandlerContext
    ) {
        // An answer that ends with its connection is not followed by another.
        if head.isKeepAlive, context.channel.isActive {
            state = .idle
            exchange.release()
        } else {
            state = .ended
            context.close(promise: nil)
        }
        exchange.answer.succeed(
            AWSHTTP.Response(
                status: head.status.code, headers: head.headers.map { ($0.name, $0.value) },
                body: Array(body.readableBytesView)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case HTTPParserError.invalidEOFState: end(context, "the connection was closed in the middle of the answer")
        case HTTPParserError.invalidHeaderToken where !hasAnswered:
            end(context, "a header of the request has characters that HTTP has no place for")
        case is HTTPParserError: end(context, "the answer is not HTTP\(hint)")
        default: end(context, AWSHTTP.Failure(error))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context, "the connection was closed\(hint)")
        context.fireChannelInactive()
    }

    private var hint: String {
        isEncrypted || hasAnswered ? "" : " before an answer; one that speaks TLS wants https://"
    }

    private func end(_ context: ChannelHandlerContext, _ reason: String) {
        end(context, AWSHTTP.Failure(reason: reason))
    }

    private func end(_ context: ChannelHandlerContext, _ failure: AWSHTTP.Failure) {
        fail(failure)
        context.close(promise: nil)
    }

    private func fail(_ failure: AWSHTTP.Failure) {
        switch state {
        case .asked(let exchange), .answering(let exchange, _, _): exchange.answer.fail(failure)
        case .idle, .ended: break
        }
        state = .ended
    }
}
