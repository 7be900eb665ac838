import CCertificates
import Foundation
import Semel
import SemelTLS
import Testing

/// Whom OpenSSL trusts, and by which name. Certificates that are not valid now, and everything on a real connection, are in
/// `UntrustedServerTests`.
@Suite struct CertificateCheckTests {
    private func problem(
        of chain: [UInt8] = Self.server, at host: String = "broker.example.org",
        trusting authorities: String = Self.root
    ) -> CertificateProblem? {
        let verdict = semel_certificates_verify(
            chain, chain.count, authorities, semel_certificates_in_text, host)
        return CertificateProblem(verdict, host: host, authorities: "CA")
    }

    @Test(arguments: [
        "broker.example.org", "BROKER.example.org", "broker.example.org.", "a.wild.example.org", "192.0.2.1",
        "2001:db8::1", "2001:DB8:0::1",
    ])
    func itsNames(_ host: String) {
        #expect(problem(at: host) == nil)
    }

    @Test(arguments: [
        "example.org", "broker.example.org.evil.example", "wild.example.org", "a.b.wild.example.org", "192.0.2.2",
        "2001:db8::2", "leaf", ".",
    ])
    func othersNames(_ host: String) {
        #expect(problem(at: host) == .otherHost(asked: host))
    }

    /// OpenSSL would not compare at all.
    @Test func noName() {
        #expect(problem(at: "") != nil)
    }

    /// `PrintableString` there, `UTF8String` here: the same name to everybody but those who compare bytes.
    @Test func aNameInAnotherEncoding() {
        #expect(problem(of: Self.serverOfSameNameInUTF8) == nil)
    }

    @Test func notForServers() {
        guard case .other(let words) = problem(of: Self.client) else { return #expect(Bool(false)) }
        #expect(words.contains("purpose"))
    }

    @Test func nobodyToTrust() {
        #expect(problem(trusting: "") == .unknownAuthority(authorities: "CA"))
        #expect(problem(trusting: "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n") != nil)
        // The server's own word is not enough.
        let own = "-----BEGIN CERTIFICATE-----\n\(Data(Self.server).base64EncodedString())\n-----END CERTIFICATE-----\n"
        #expect(problem(trusting: own) == .unknownAuthority(authorities: "CA"))
    }

    @Test func noChain() {
        #expect(problem(of: []) != nil)
        #expect(problem(of: [0]) != nil)
        #expect(problem(of: Array(Self.server.dropLast())) != nil)
        #expect(problem(of: Self.server + [0]) != nil)
    }

    /// Behind what has nothing to do with it, and in a file.
    @Test func whatIsInAText() throws {
        let directory = try TemporaryDirectory()
        let file = directory / "ca.pem"
        try Files.write("A comment.\n\(Self.root)", to: file)
        #expect(semel_certificates_are_in(file, semel_certificates_in_file) == 1)
        #expect(semel_certificates_are_in(Self.root, semel_certificates_in_text) == 1)
        for none in ["", "nothing", "-----BEGIN CERTIFICATE-----\n"] {
            #expect(semel_certificates_are_in(none, semel_certificates_in_text) == 0)
        }
        #expect(semel_certificates_are_in(directory / "none", semel_certificates_in_file) == 0)
    }

    // MARK: Certificates

    private static func der(_ base64: String) -> [UInt8] {
        Array(Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data())
    }

    private static let root = """
        -----BEGIN CERTIFICATE-----
        MIIBcTCCARegAwIBAgIUA5gqroqEz+253KGwm7ayvBT5OQkwCgYIKoZIzj0EAwIw
        JTEUMBIGA1UEChMLU2VtZWwgVGVzdHMxDTALBgNVBAMTBFJvb3QwIBcNMjAwMTAx
        MDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMCUxFDASBgNVBAoTC1NlbWVsIFRlc3Rz
        MQ0wCwYDVQQDEwRSb290MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbRelFPJc
        Xnh+ve4DRnVrwgc6JHTMB1M8FSAwimMXZHMEBbAgjHT1uGe+03qi5giQoP467VXe
        Q0PhOoArCVbyDqMjMCEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYw
        CgYIKoZIzj0EAwIDSAAwRQIhAIyiB4QGXcdWeZWVdWAsXP76CrK6gW2IblAUhMmy
        5YKLAiBUoIQ0OL7EclFaWfw52O+aWmV34X2qo6KPALQ4QzztEw==
        -----END CERTIFICATE-----

        """

    /// Of `broker.example.org`, `*.wild.example.org`, 192.0.2.1 and 2001:db8::1.
    private static let server = der(
        """
        MIIBpjCCAUugAwIBAgIUEvGKp65+zp9fzlVHT9e0N9m9OpcwCgYIKoZIzj0EAwIw
        JTEUMBIGA1UEChMLU2VtZWwgVGVzdHMxDTALBgNVBAMTBFJvb3QwIBcNMjAwMTAx
        MDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBGxlYWYwWTATBgcq
        hkjOPQIBBggqhkjOPQMBBwNCAATX94vUP8xocbLlOzjj34En9rj3Z2FtJf8CXLZh
        qM0IEAslJrghsNYAHJ3QAl75eBH7TwSH519ro6+IMJQi3wH3o20wazAJBgNVHRME
        AjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMEkGA1UdEQRCMECCEmJyb2tlci5leGFt
        cGxlLm9yZ4ISKi53aWxkLmV4YW1wbGUub3JnhwTAAAIBhxAgAQ24AAAAAAAAAAAA
        AAABMAoGCCqGSM49BAMCA0kAMEYCIQCfEBVimdMZy3GHrv9i6a+CSImTrsN5YNBy
        IaHJ3gEvDgIhAOFcOYWU1D44OJa7SgCg0bX3oOucCCO3/mq7YmQzFs3g
        """)

    private static let serverOfSameNameInUTF8 = der(
        """
        MIIBpTCCAUugAwIBAgIUJ7XdkCKGIlQNLhmgPTdSykNM3e0wCgYIKoZIzj0EAwIw
        JTEUMBIGA1UECgwLU2VtZWwgVGVzdHMxDTALBgNVBAMMBFJvb3QwIBcNMjAwMTAx
        MDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBGxlYWYwWTATBgcq
        hkjOPQIBBggqhkjOPQMBBwNCAATX94vUP8xocbLlOzjj34En9rj3Z2FtJf8CXLZh
        qM0IEAslJrghsNYAHJ3QAl75eBH7TwSH519ro6+IMJQi3wH3o20wazAJBgNVHRME
        AjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMEkGA1UdEQRCMECCEmJyb2tlci5leGFt
        cGxlLm9yZ4ISKi53aWxkLmV4YW1wbGUub3JnhwTAAAIBhxAgAQ24AAAAAAAAAAAA
        AAABMAoGCCqGSM49BAMCA0gAMEUCICR5NRMjowoeKMXePVCzP6hqXwTGkyssiB9x
        hrK4KDfbAiEAwnkH/bCJToYD2CfLDSNxyYX/EHByzqtTLrsbcbzxiew=
        """)

    /// Of `broker.example.org`, to be shown by clients.
    private static let client = der(
        """
        MIIBeTCCAR+gAwIBAgIUKlLUqNKvl8uDPLcmOSBrGo/GEZMwCgYIKoZIzj0EAwIw
        JTEUMBIGA1UEChMLU2VtZWwgVGVzdHMxDTALBgNVBAMTBFJvb3QwIBcNMjAwMTAx
        MDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBGxlYWYwWTATBgcq
        hkjOPQIBBggqhkjOPQMBBwNCAATX94vUP8xocbLlOzjj34En9rj3Z2FtJf8CXLZh
        qM0IEAslJrghsNYAHJ3QAl75eBH7TwSH519ro6+IMJQi3wH3o0EwPzAJBgNVHRME
        AjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMCMB0GA1UdEQQWMBSCEmJyb2tlci5leGFt
        cGxlLm9yZzAKBggqhkjOPQQDAgNIADBFAiAsE3McHfbC8qcjF+2EXXzzdPiVjBrt
        GWbuWNUVsH9QgQIhAIx25oWvBFjH5ZssTB8Ii52z6UF9njMVkV8Gl+l1iRjg
        """)
}
