import NIOCore
import NIOPosix
import Semel
import SemelTLS

/// BoringSSL says that a certificate is not to be trusted, and not why. So the server is asked for it once more, and OpenSSL
/// for what is wrong with it.
struct CertificateInquiry {
    private static let patience = Duration.seconds(5)

    let server: KubernetesConfiguration.Server
    let trust: KubernetesConfiguration.Trust

    /// `nil` when nothing is found, or nobody answers any more.
    func problem() async -> CertificateProblem? {
        let authorities: TLSClient.PEM? =
            trust.authorities.map { .text(String(decoding: $0, as: UTF8.self)) }
            ?? TLSSettings.systemAuthorities().map { .file($0) }
        guard let authorities else { return nil }
        let tls = TLSClient(authorities: authorities, client: nil, source: server.authority, plainScheme: "http")
        let name = trust.serverName ?? server.host
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.milliseconds(Self.patience.milliseconds))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try tls.secure(channel, to: name, within: Self.patience)
                    }
                }
                .connect(host: server.host, port: server.port ?? 443).get()
            let handshake = await Result(of: TLSClient.handshake(on: channel))
            try? await channel.close()
            if case .failure(TLSFailure.untrusted(let problem)) = handshake { return problem }
            return nil
        } catch {
            return nil
        }
    }
}

extension Result<Void, any Error> {
    fileprivate init(of future: EventLoopFuture<Void>) async {
        do { self = .success(try await future.get()) } catch { self = .failure(error) }
    }
}
