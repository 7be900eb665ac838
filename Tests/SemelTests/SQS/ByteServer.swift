import NIOCore
import NIOPosix
import Synchronization

/// A server on loopback that writes what it is told to, byte for byte, once a request has come whole: for answers that no
/// good server gives.
final class ByteServer: Sendable {
    enum Step: Sendable {
        /// Written by itself: the other side gets it in a piece of its own, as a rule.
        case write(String)
        case fill(Int)
        /// Nothing more will come, but what the other side does is still seen.
        case hangUp
    }

    /// - Parameter number: How many requests have come before this one, on any connection.
    typealias Script = @Sendable (_ request: String, _ number: Int) -> [Step]

    private let seen = Seen()
    private let channel: any Channel
    let port: Int

    fileprivate final class Seen: Sendable {
        private struct State {
            var requests: [String] = []
            var opened = 0
            var gone = 0
        }

        private let state = Mutex(State())

        var requests: [String] { state.withLock { $0.requests } }
        var opened: Int { state.withLock { $0.opened } }
        var gone: Int { state.withLock { $0.gone } }

        func open() { state.withLock { $0.opened += 1 } }
        func leave() { state.withLock { $0.gone += 1 } }

        func ask(_ request: String) -> Int {
            state.withLock { state in
                state.requests.append(request)
                return state.requests.count - 1
            }
        }
    }

    init(_ script: @escaping Script) async throws {
        let seen = seen
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Scripted(script, seen))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// Nobody is let in any more.
    func close() async throws {
        try await channel.close().get()
    }

    deinit {
        channel.close(promise: nil)
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [String] { seen.requests }
    /// Connections that were ever made, and those of them that the client has left.
    var opened: Int { seen.opened }
    var gone: Int { seen.gone }
}

private final class Scripted: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let script: ByteServer.Script
    private let seen: ByteServer.Seen
    private var received = ""
    private var isGone = false

    init(_ script: @escaping ByteServer.Script, _ seen: ByteServer.Seen) {
        self.script = script
        self.seen = seen
    }

    func channelActive(context: ChannelHandlerContext) {
        seen.open()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        guard isWhole else { return }
        let request = received
        received = ""
        for step in script(request, seen.ask(request)) {
            switch step {
            case .write(let text): context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            case .fill(let count):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(repeating: 65, count: count)), promise: nil)
            case .hangUp: context.close(mode: .output, promise: nil)
            }
        }
    }

    /// Requests here are ASCII, so characters are bytes.
    private var isWhole: Bool {
        guard let end = received.firstRange(of: "\r\n\r\n") else { return false }
        let length = received.firstMatch(of: /content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
        return received[end.upperBound...].utf8.count >= length
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { leave(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func leave(_ context: ChannelHandlerContext) {
        if !isGone { seen.leave() }
        isGone = true
        context.close(promise: nil)
    }
}
