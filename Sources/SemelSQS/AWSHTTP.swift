import NIOCore
import Semel
import SemelTLS

/// The HTTP client of one queue and of whatever its credentials come from: HTTP/1.1 with connections that are kept for the
/// next request. Follows no redirections, knows no proxies and repeats nothing: a request whose connection breaks may have
/// been heard, and only its sender knows whether that matters.
///
/// It is small and our own, because async-http-client brings HTTP/2 and much else with it, 3.7 MB of an executable that may
/// have 25; and because that does not tell why a server's certificate was not accepted.
final class AWSHTTP: Sendable {
    struct Request: Sendable {
        var method = "GET"
        var url: String
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
    }

    struct Response: Sendable {
        var status: UInt
        var headers: [(name: String, value: String)]
        var body: [UInt8]

        func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
    }

    /// No answer.
    struct Failure: Error, Sendable, Hashable {
        enum Kind: Sendable {
            /// Nobody knows whether the request was heard.
            case unanswered
            /// The server is not who it should be, or there is nothing to tell it by: asking again does not help.
            case misconfigured
            /// The server does not talk to us.
            case refused
        }

        var reason: String
        var kind = Kind.unanswered
    }

    /// For a connection, and then once more for its handshake.
    private static let connecting = Duration.seconds(5)

    private let group: any EventLoopGroup
    private let tls: TLSClient?
    private let pool: HTTPPool

    /// - Parameters:
    ///   - authorities: A file of certificates to trust. Without one there is no HTTPS.
    ///   - idleLimit: For how long a connection waits for another request. Servers hang up by themselves after some time,
    ///     and the longer it has been idle the likelier it is that a request meets that.
    init(on group: any EventLoopGroup, authorities: String?, idleLimit: Duration = .seconds(15)) {
        self.group = group
        pool = HTTPPool(idleLimit: idleLimit)
        tls = authorities.map {
            TLSClient(authorities: .file($0), client: nil, source: "TLS", plainScheme: "http")
        }
    }

    deinit {
        pool.close()
    }

    /// What is under way is not cut short, but its connection is not kept.
    func close() async {
        pool.close()
    }

    /// - Parameter limit: For everything, from the connection to the last byte.
    func send(_ request: Request, within limit: Duration) async throws(Failure) -> Response {
        guard let url = ServiceURL(request.url), let origin = HTTPOrigin(url) else {
            throw Failure(reason: "not a URL", kind: .misconfigured)
        }
        let idle = pool.take(to: origin)
        // One loop for all that happens: what is called off is not sent after that.
        let loop = idle?.channel.eventLoop ?? group.next()
        let answer = loop.makePromise(of: Response.self)
        let words = "no answer within \(Units.text(limit))"
        let tooLate = loop.scheduleTask(in: .milliseconds(max(1, limit.milliseconds))) {
            answer.fail(Failure(reason: words))
        }
        answer.futureResult.whenComplete { _ in tooLate.cancel() }
        let connection = idle.map { loop.makeSucceededFuture($0) } ?? open(origin, on: loop, within: limit)
        connection.whenComplete { [pool] result in
            switch result {
            case .success(let connection):
                connection.send(HTTPExchange(request, at: url, answer) { pool.park(connection) })
            case .failure(let error): answer.fail(Failure(error))
            }
        }
        do {
            return try await withTaskCancellationHandler {
                try await answer.futureResult.get()
            } onCancel: {
                answer.fail(Failure(reason: "nobody waits for the answer any more"))
            }
        } catch {
            throw Failure(error)
        }
    }

    private func open(_ origin: HTTPOrigin, on loop: any EventLoop, within limit: Duration)
        -> EventLoopFuture<HTTPConnection>
    {
        guard !origin.isEncrypted || tls != nil else {
            let words =
                "no certificate authorities are on this machine; name a file with &cacert=FILE, or "
                + "set SSL_CERT_FILE"
            return loop.makeFailedFuture(Failure(reason: words, kind: .misconfigured))
        }
        return HTTPConnection.open(
            to: origin, tls: origin.isEncrypted ? tls : nil, on: loop, within: min(limit, Self.connecting))
    }
}

extension AWSHTTP.Failure {
    init(_ error: any Error) {
        if let failure = error as? Self {
            self = failure
        } else if let failure = TLSFailure(within: error) {
            self.init(failure)
        } else {
            self.init(reason: ConnectionWords.text(of: error))
        }
    }

    private init(_ failure: TLSFailure) {
        switch failure {
        case .broken(let reason): self.init(reason: reason)
        case .misconfigured(let reason): self.init(reason: reason, kind: .misconfigured)
        case .untrusted(let problem): self.init(reason: problem.description, kind: .misconfigured)
        // There is no option for one: the server cannot have anything against it.
        case .refused: self.init(reason: "it wants a client certificate, which semel has none of here", kind: .refused)
        }
    }
}
