import Foundation

/// Puts TLS before a server that has none: who connects to its port on 127.0.0.1 speaks with the other one.
public final class TLSTerminator: Sendable {
    public let port: Int
    private let process: RunningProcess
    /// With its files.
    private let certificate: CertificateAuthority.Certificate

    public init(_ certificate: CertificateAuthority.Certificate, to target: Int) async throws {
        port = try FreePort.next()
        self.certificate = certificate
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "tls_terminator.py")
        process = try RunningProcess(
            .installed("python3"), [script.path, "\(port)", "\(target)", certificate.chain, certificate.key])
        try await process.waitForOutput(containing: "ready", timeout: .seconds(60))
    }

    deinit {
        process.killGroup()
    }
}
