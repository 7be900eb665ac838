import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A real HTTP server on loopback that answers as it is told, and remembers what it was asked.
final class HTTPResponder: Sendable {
    struct Question: Sendable {
        var method: String
        var path: String
        var headers: [String: String]
        var body: String
    }

    typealias Answer = @Sendable (Question) -> (status: Int, body: String)

    let port: Int
    private let channel: any Channel
    private let asked: Asked

    fileprivate final class Asked: Sendable {
        let questions = Mutex<[Question]>([])
    }

    init(_ answer: @escaping Answer) async throws {
        let asked = Asked()
        self.asked = asked
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Responder(answer, asked))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    deinit {
        channel.close(promise: nil)
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var questions: [Question] { asked.questions.withLock { $0 } }
}

private final class Responder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: HTTPResponder.Answer
    private let asked: HTTPResponder.Asked
    private var question = HTTPResponder.Question(method: "", path: "", headers: [:], body: "")

    init(_ answer: @escaping HTTPResponder.Answer, _ asked: HTTPResponder.Asked) {
        self.answer = answer
        self.asked = asked
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            let headers = head.headers.map { ($0.name.lowercased(), $0.value) }
            question = HTTPResponder.Question(
                method: head.method.rawValue, path: head.uri, headers: Dictionary(headers) { $1 }, body: "")
        case .body(let bytes): question.body += String(buffer: bytes)
        case .end:
            asked.questions.withLock { $0.append(question) }
            let (status, body) = answer(question)
            var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status))
            head.headers.add(name: "content-length", value: "\(body.utf8.count)")
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
