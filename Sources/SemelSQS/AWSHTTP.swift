import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Semel

/// The HTTP client of one queue and of whatever its credentials come from. Follows no redirections and repeats nothing.
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

    /// No answer; nobody knows whether the request was heard.
    struct Failure: Error, Sendable, Hashable {
        var reason: String
        /// Asking again will not help.
        var isLasting = false
    }

    /// Over twice what SQS sends at the most: a body of 1 MiB, escaped in JSON.
    private static let mostBytes = 16 << 20
    private static let connecting = TimeAmount.seconds(5)

    private let client: HTTPClient

    /// - Parameter authorities: A file of certificates to trust instead of the system's.
    init(on group: any EventLoopGroup, authorities: String?) {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = Self.connecting
        // The server may have hung up a connection that waited for the next extension: then one is opened anew.
        configuration.connectionPool.idleTimeout = .seconds(15)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        if let authorities {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(authorities)
            configuration.tlsConfiguration = tls
        }
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    deinit {
        client.shutdown { _ in }
    }

    func close() async {
        // Fails only when it is ended twice.
        try? await client.shutdown()
    }

    func send(_ request: Request, within limit: Duration) async throws(Failure) -> Response {
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        if !request.body.isEmpty { outgoing.body = .bytes(ByteBuffer(bytes: request.body)) }
        do {
            let response = try await client.execute(outgoing, timeout: .milliseconds(max(1, limit.milliseconds)))
            let body = try await response.body.collect(upTo: Self.mostBytes)
            return Response(
                status: response.status.code, headers: response.headers.map { ($0.name, $0.value) },
                body: Array(body.readableBytesView))
        } catch {
            throw Self.failure(error, within: limit)
        }
    }

    private static func failure(_ error: any Error, within limit: Duration) -> Failure {
        switch error {
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout, .tlsHandshakeTimeout: Failure(reason: "no connection within 5s")
            case .deadlineExceeded, .readTimeout: Failure(reason: "no answer within \(Units.text(limit))")
            case .remoteConnectionClosed: Failure(reason: "the connection was closed")
            case .invalidURL, .emptyHost, .emptyScheme: Failure(reason: "not a URL", isLasting: true)
            default: Failure(reason: error.shortDescription.lowercased())
            }
        case let error as NIOConnectionError:
            if let cause = error.connectionErrors.first {
                failure(cause.error, within: limit)
            } else {
                Failure(reason: "unknown host")
            }
        case let error as IOError: Failure(reason: SystemError(doing: "connect", code: error.errnoCode).description)
        case let error as NIOSSLError: Failure(reason: tls("\(error)"), isLasting: true)
        case let error as NIOSSLExtraError: Failure(reason: tls("\(error.description)"), isLasting: true)
        case is ChannelError: Failure(reason: "the connection was closed")
        default: Failure(reason: "\(error)")
        }
    }

    private static func tls(_ text: String) -> String {
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "TLS: the server's certificate is of an authority that is not trusted here, or expired"
        }
        if text.contains("doesNotMatchHostname") || text.contains("hostname") || text.contains("Hostname") {
            return "TLS: the server's certificate is for another host name"
        }
        return "TLS: \(text)"
    }
}
