import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SemelKubernetes
import Synchronization
public import TestSupport

/// An API server that speaks the real wire format on a port of loopback, for as long as it is referred to: discovery,
/// objects with server-side apply and all that goes with it, lists in pages, watches. In JSON only:
/// kubectl works with it, but for those of its generators that write protobuf (`kubectl create configmap`).
public final class KubernetesStandIn: Sendable {
    public let port: Int
    public let cluster: StandInCluster
    /// Whose certificate it has, for HTTPS.
    private let authority: CertificateAuthority?
    private let host: String
    private let channel: any Channel

    /// - Parameters:
    ///   - authority: Signs its certificate and, for those who have one, those of its clients; without one it speaks HTTP.
    ///   - names: In its certificate.
    ///   - validity: Of its certificate.
    ///   - host: An address of loopback.
    public init(
        _ cluster: StandInCluster = StandInCluster(), authority: CertificateAuthority? = nil,
        names: [String] = CertificateAuthority.loopback, validity: CertificateAuthority.Validity = .today,
        host: String = "127.0.0.1"
    ) async throws {
        self.cluster = cluster
        self.host = host
        self.authority = authority
        var context: NIOSSLContext?
        if let authority {
            let certificate = try await authority.issue("kubernetes", for: names, validity: validity)
            var tls = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(certificate.chain).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: certificate.key, format: .pem)))
            tls.certificateVerification = .optionalVerification
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority.certificate))
            context = try NIOSSLContext(configuration: tls)
        }
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [context] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(StandInHandler(cluster))
                }
            }
            .bind(host: host, port: 0).get()
        guard let port = channel.localAddress?.port else { throw SupportError("the stand-in has no port") }
        self.port = port
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Nobody listens any more; those that are connected stay so.
    public func stop() async throws {
        try await channel.close()
    }

    public var url: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(authority == nil ? "http" : "https")://\(name):\(port)"
    }

    /// - Parameters:
    ///   - user: The fields of the user, as JSON or on lines of YAML in braces: `{token: "x"}`.
    ///   - cluster: Fields in place of, or beside, those of the cluster.
    public func kubeconfig(
        user: String = "{}", cluster fields: String? = nil, namespace: String = "default"
    ) -> String {
        let trust = authority.map { ", certificate-authority: \"\($0.certificate)\"" } ?? ""
        return """
            apiVersion: v1
            kind: Config
            current-context: test
            clusters:
            - name: test
              cluster: {server: "\(url)"\(fields.map { ", \($0)" } ?? trust)}
            users:
            - name: test
              user: \(user)
            contexts:
            - name: test
              context: {cluster: test, user: test, namespace: \(namespace)}

            """
    }
}
