import Glibc
public import NIOCore
import NIOHTTP1
import NIOPosix
public import Semel
import Synchronization

/// The worker's HTTP endpoint. It only reads ``StatusBoard``, so that no client, however slow or hostile, can hold up
/// the task, the claim or the exit; what a client can take is bounded in number, size and time.
public enum StatusServer {
    private static let maximumClients = 64

    /// Answers on `socket` until the process ends.
    public static func serve(_ socket: StatusSocket, _ board: StatusBoard, on group: any EventLoopGroup) async throws {
        let clients = ClientLimit(atMost: maximumClients)
        _ = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    clients.admit(channel)
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(RequestLimit())
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(StatusHandler(StatusPages(board: board)))
                }
            }
            .withBoundSocket(socket.descriptor).get()
    }
}

/// A bound socket. Binding is one system call and comes before anything is claimed: a port that is taken is a mistake in
/// the configuration, of which the queue must not notice anything. Answering can begin later. It stays open as long as
/// the process.
public struct StatusSocket: Sendable {
    /// Readable when the first client has come.
    public let descriptor: CInt

    public init(_ address: StatusAddress) throws(ConfigurationError) {
        do throws(SystemError) {
            descriptor = try Self.bind(address)
        } catch {
            throw ConfigurationError("\(address.source): \(error)")
        }
    }

    private static func bind(_ address: StatusAddress) throws(SystemError) -> CInt {
        let place = "listen on \(address.host):\(address.port)"
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, String(address.port), &hints, &found) == 0, let info = found?.pointee else {
            throw SystemError(doing: place, code: EADDRNOTAVAIL)
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(info.ai_family, info.ai_socktype | CInt(SOCK_CLOEXEC.rawValue), info.ai_protocol)
        guard descriptor >= 0 else { throw SystemError(doing: place) }
        var yes: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        // Listening at once makes a second worker on this port fail here and not later, and lets clients wait.
        guard Glibc.bind(descriptor, info.ai_addr, info.ai_addrlen) == 0, listen(descriptor, 256) == 0 else {
            let error = SystemError(doing: place)
            close(descriptor)
            throw error
        }
        return descriptor
    }
}

/// `0.0.0.0:8082`, `[::]:8082`, `:8082`.
public struct StatusAddress: Sendable, Hashable {
    public let host: String
    public let port: Int
    /// The flag or variable that it came from.
    public let source: String

    public static let defaultText = "0.0.0.0:8082"

    public init(host: String, port: Int, source: String) {
        self.host = host
        self.port = port
        self.source = source
    }

    /// `nil` for `off`.
    public static func parse(_ text: String, source: String) throws(ConfigurationError) -> StatusAddress? {
        if text == "off" { return nil }
        let mistake = ConfigurationError(
            "\(source): ‘\(text)’ is not an address; write host:port as in \(defaultText), or off")
        guard let colon = text.lastIndex(of: ":") else { throw mistake }
        let digits = text[text.index(after: colon)...]
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(digits), (0...65535).contains(port)
        else {
            throw mistake
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.contains(where: { $0.isWhitespace || "/[]".contains($0) }) else { throw mistake }
        return StatusAddress(host: host.isEmpty ? "0.0.0.0" : host, port: port, source: source)
    }
}

/// At most so many clients: when one more comes, the oldest has to go. A kubelet's probe gets its turn however many
/// idle connections somebody opened before.
private final class ClientLimit: Sendable {
    private let limit: Int
    private let channels = Mutex<[any Channel]>([])

    init(atMost limit: Int) {
        self.limit = limit
    }

    func admit(_ channel: any Channel) {
        let leaving: (any Channel)? = channels.withLock { channels in
            channels.append(channel)
            return channels.count > limit ? channels.removeFirst() : nil
        }
        leaving?.close(promise: nil)
        channel.closeFuture.whenComplete { _ in
            self.channels.withLock { channels in
                if let index = channels.firstIndex(where: { $0 === channel }) { channels.remove(at: index) }
            }
        }
    }
}

/// Ends connections that take too long or say too much. One request to a connection, so both limits are of its life.
private final class RequestLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private static let bytes = 16 << 10
    private static let time = TimeAmount.seconds(10)

    private var received = 0
    private var end: Scheduled<Void>?

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        end = context.eventLoop.scheduleTask(in: Self.time) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += unwrapInboundIn(data).readableBytes
        if received > Self.bytes {
            context.close(promise: nil)
        } else {
            context.fireChannelRead(data)
        }
    }
}

private final class StatusHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let pages: StatusPages
    private var head: HTTPRequestHead?

    init(_ pages: StatusPages) {
        self.pages = pages
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let page = pages.answer(method: request.method.rawValue, uri: request.uri)
        var headers: HTTPHeaders = [
            "content-type": page.type, "content-length": String(page.body.utf8.count), "connection": "close",
            "cache-control": "no-store", "x-content-type-options": "nosniff",
        ]
        for (name, value) in page.headers { headers.add(name: name, value: value) }
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: page.code), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            context.write(
                wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: page.body)))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
