import NIOCore
import NIOHTTP1
import NIOSSL
import SemelKubernetes

/// One connection: reads requests, and writes what the cluster answers, or what a fault makes of it.
final class StandInHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let cluster: StandInCluster
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var stopWatch: (@Sendable () -> Void)?

    init(_ cluster: StandInCluster) {
        self.cluster = cluster
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let part): body += part.readableBytesView
        case .end:
            guard let head else { return }
            let request = StandInRequest(
                method: head.method.rawValue, target: head.uri,
                headers: Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { $0 + ", " + $1 },
                body: body, certificateName: commonName(context))
            answer(request, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopWatch?()
        stopWatch = nil
        context.fireChannelInactive()
    }

    /// A client that goes away, or that does not like the certificate.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// The library has no other word for the subject than its description.
    private func commonName(_ context: ChannelHandlerContext) -> String? {
        guard let certificate = try? context.channel.pipeline.syncOperations.nioSSL_peerCertificate() else {
            return nil
        }
        return "\(certificate)".firstMatch(of: /common_name=([^;>]*)/).map { String($0.1) }
    }

    private func answer(_ request: StandInRequest, _ context: ChannelHandlerContext) {
        switch cluster.fault(for: request) {
        case nil: write(cluster.answer(request), context)
        case .status(let code, let retryAfter): write(StandInCluster.answer(to: code, retryAfter: retryAfter), context)
        case .cut(let count): write(cluster.answer(request), context, cutAfter: count)
        case .silence: break
        case .meanwhile(let happen):
            happen(cluster)
            write(cluster.answer(request), context)
        case .delay(let span):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .nanoseconds(Int64(span / .nanoseconds(1)))) {
                let (handler, context) = bound.value
                handler.write(handler.cluster.answer(request), context)
            }
        }
    }

    private func write(_ answer: StandInAnswer, _ context: ChannelHandlerContext, cutAfter limit: Int? = nil) {
        switch answer {
        case .json(let code, let json, let headers):
            write(code, json.bytes, [("Content-Type", "application/json")] + headers, context, limit)
        case .text(let code, let text, let headers):
            write(code, Array(text.utf8), [("Content-Type", "text/plain")] + headers, context, limit)
        case .watch(let start): writeWatch(start, context, limit)
        }
    }

    private func write(
        _ code: Int, _ bytes: [UInt8], _ headers: [(String, String)], _ context: ChannelHandlerContext, _ limit: Int?
    ) {
        var all = HTTPHeaders(headers)
        all.add(name: "Content-Length", value: "\(bytes.count)")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: code), headers: all)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        let kept = bytes.prefix(limit ?? bytes.count)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: kept)))), promise: nil)
        guard limit == nil else { return context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func writeWatch(
        _ start: @Sendable (@escaping @Sendable (StandInState.StandInLine) -> Void) -> @Sendable () -> Void,
        _ context: ChannelHandlerContext, _ limit: Int?
    ) {
        let head = HTTPResponseHead(
            version: .http1_1, status: .ok,
            headers: ["Content-Type": "application/json", "Transfer-Encoding": "chunked"])
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let left = NIOLoopBoundBox(limit, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        // Called under the cluster's lock, so that the lines come in the order in which things happen.
        stopWatch = start { line in
            loop.execute {
                let (handler, context) = bound.value
                guard context.channel.isActive else { return }
                switch line {
                case .end: context.writeAndFlush(handler.wrapOutboundOut(.end(nil)), promise: nil)
                case .cut: context.close(promise: nil)
                case .event(let type, let object):
                    let event: JSONValue = ["type": .string(type), "object": object]
                    var bytes = event.bytes + [UInt8(ascii: "\n")]
                    if let rest = left.value {
                        bytes = Array(bytes.prefix(rest))
                        left.value = rest - bytes.count
                    }
                    context.writeAndFlush(
                        handler.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
                    if left.value == 0 { context.close(promise: nil) }
                }
            }
        }
    }
}
