import NIOCore
import NIOSSL
import NIOTLS
import Semel

/// Waits for the end of the handshake, and says in words what TLS has against the server, or the server against us. Lives
/// on its channel's event loop.
final class TLSHandshake: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    static let cut = TLSFailure.broken("the connection was cut during the TLS handshake")

    let done: EventLoopPromise<Void>
    /// Why the server is not who it should be, once its certificates were looked at.
    var problem: CertificateProblem?
    private let limit: Duration
    private let hasCertificate: Bool
    private let plainScheme: String

    init(limit: Duration, hasCertificate: Bool, plainScheme: String, _ loop: any EventLoop) {
        self.limit = limit
        self.hasCertificate = hasCertificate
        self.plainScheme = plainScheme
        done = loop.makePromise()
    }

    func channelActive(context: ChannelHandlerContext) {
        let words = "no TLS handshake within \(Units.text(limit)); one without TLS wants \(plainScheme)://"
        let tooLate = context.eventLoop.scheduleTask(in: .milliseconds(limit.milliseconds)) { [done] in
            done.fail(TLSFailure.broken(words))
        }
        done.futureResult.whenComplete { _ in tooLate.cancel() }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent { done.succeed() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure = failure(of: error)
        done.fail(failure)
        context.fireErrorCaught(failure)
    }

    func channelInactive(context: ChannelHandlerContext) {
        done.fail(Self.cut)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        done.fail(Self.cut)
    }

    private func failure(of error: any Error) -> TLSFailure {
        if let problem { return .untrusted(problem) }
        switch error {
        case let error as IOError:
            return .broken(SystemError(doing: "read or write", code: error.errnoCode).description)
        case NIOSSLError.uncleanShutdown: return .broken("the server closed the connection")
        case NIOSSLError.handshakeFailed(.sslError(let stack)), BoringSSLError.sslError(let stack):
            return failure(of: stack.map(\.description).joined(separator: " "))
        default: return .broken("TLS: \(error)")
        }
    }

    /// - Parameter stack: BoringSSL's names of what went wrong.
    private func failure(of stack: String) -> TLSFailure {
        func says(_ words: String...) -> Bool { words.contains { stack.contains($0) } }
        // The server's alerts about ours.
        if says("CERTIFICATE_REQUIRED") || says("HANDSHAKE_FAILURE") && !hasCertificate {
            return .refused("it wants a client certificate (cert, key)")
        }
        let complaints = ["BAD_CERTIFICATE", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_", "UNKNOWN_CA", "ACCESS_DENIED"]
        if complaints.contains(where: { stack.contains("ALERT_\($0)") }) {
            return .refused("it does not accept the client certificate: \(Self.alert(in: stack))")
        }
        if says("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "INVALID_RECORD", "UNEXPECTED_RECORD") {
            return .broken("it does not speak TLS; use \(plainScheme)://")
        }
        if says("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL") { return .broken("it speaks no TLS from 1.2 on") }
        if says("EOF during handshake") { return Self.cut }
        return .broken("TLS: \(Self.alert(in: stack))")
    }

    /// `certificate expired` of `…:SSLV3_ALERT_CERTIFICATE_EXPIRED …`
    private static func alert(in stack: String) -> String {
        let word = stack.split { $0 == ":" || $0 == " " }.first { $0.contains("ALERT") } ?? stack[...]
        return word.split(separator: "_").drop { $0 != "ALERT" }.dropFirst().joined(separator: " ").lowercased()
    }
}
