import TestSupport
import Testing

@Suite struct CertificatesTests {
    @Test func whatIsIssuedIsWhatItSays() async throws {
        let authority = try await CertificateAuthority()
        let today = try await authority.issue(for: ["DNS:broker.example", "IP:127.0.0.1"])
        let past = try await authority.issue(validity: .past)
        let future = try await authority.issue(validity: .future)
        let nameless = try await authority.issue("by-name-only", for: [])

        #expect(try await verify(today, by: authority, "-verify_hostname", "broker.example") == "OK")
        #expect(try await verify(today, by: authority, "-verify_ip", "127.0.0.1") == "OK")
        #expect(try await verify(today, by: authority, "-verify_hostname", "localhost").contains("hostname mismatch"))
        #expect(try await verify(past, by: authority).contains("has expired"))
        #expect(try await verify(future, by: authority).contains("not yet valid"))
        #expect(try await verify(nameless, by: authority, "-verify_hostname", "by-name-only") == "OK")
        #expect(try today.keyText.contains("PRIVATE KEY"))
    }

    @Test func oneAuthorityKnowsNothingOfAnother() async throws {
        let certificate = try await CertificateAuthority().issue()
        let other = try await CertificateAuthority("other")
        #expect(try await verify(certificate, by: other).contains("unable to get local issuer"))
    }

    private func verify(
        _ certificate: CertificateAuthority.Certificate, by authority: CertificateAuthority, _ options: String...
    ) async throws -> String {
        let finished = try await run(
            .installed("openssl"), ["verify", "-CAfile", authority.certificate] + options + [certificate.chain])
        guard finished.status != .exited(0) else { return "OK" }
        return finished.stderrText + finished.stdoutText
    }
}
