import Foundation
import KubernetesStandIn
import Semel
import SemelKubernetes
import TestSupport
import Testing

@Suite("TLS")
struct TLSTests {
    private func problem(_ fixture: Fixture) async throws -> KubernetesError {
        try await failure { try await fixture.client.find(ConfigMap.self, "a", in: "default") }
    }

    @Test("a server of another authority is not talked to")
    func untrusted() async throws {
        let authority = try await CertificateAuthority()
        let other = try await CertificateAuthority("others")
        let fixture = try await Fixture(
            user: "{token: secret}", cluster: "certificate-authority: \"\(other.certificate)\"", authority: authority)
        let error = try await problem(fixture)
        guard case .untrusted(let reason) = error else { throw error }
        #expect(reason.contains("its certificate is not signed by the certificate-authority of context ‘test’"))
        #expect(reason.hasSuffix("/config"), "\(reason)")
        #expect(error.outcome == .unreachable && fixture.cluster.seen.isEmpty)

        let trusting = try await Fixture(cluster: "insecure-skip-tls-verify: true", authority: authority)
        _ = try await trusting.client.find(ConfigMap.self, "a", in: "default")
    }

    @Test(
        "a certificate that is not valid today is none of an unknown authority",
        arguments: [
            (CertificateAuthority.Validity.past, "the server's certificate has expired"),
            (.future, "the server's certificate is not valid yet; is the clock of this machine right?"),
        ])
    func notToday(_ validity: CertificateAuthority.Validity, _ words: String) async throws {
        let fixture = try await Fixture(authority: try await CertificateAuthority(), validity: validity)
        let error = try await problem(fixture)
        guard case .untrusted(let reason) = error else { throw error }
        #expect(reason == "the API server at \(fixture.server.url): \(words)")
        #expect(error.outcome == .unreachable && fixture.cluster.seen.isEmpty)
    }

    @Test("an API server at an address of IPv6, by a kubeconfig and from a pod")
    func versionSix() async throws {
        let authority = try await CertificateAuthority()
        let fixture = try await Fixture(authority: authority, names: ["IP:::1"], host: "::1")
        _ = try await fixture.client.find(ConfigMap.self, "a", in: "default")
        #expect(fixture.cluster.seen.last?.headers["host"] == "[::1]:\(fixture.server.port)")

        let account = try TemporaryDirectory("account")
        try account.write("token", to: "token")
        try account.write(try authority.certificateText, to: "ca.crt")
        let configuration = try KubernetesConfiguration.find(
            environment: [
                "KUBERNETES_SERVICE_HOST": "::1", "KUBERNETES_SERVICE_PORT": "\(fixture.server.port)",
                "HOME": "/nonexistent",
            ], serviceAccount: account.path)
        #expect(configuration.place == fixture.server.url)
        fixture.cluster.accept(token: "token", of: "pod")
        let client = KubernetesClient(configuration)
        _ = try await client.find(ConfigMap.self, "a", in: "default")
        await client.close()
    }

    @Test("a certificate for another name, unless that is the name that is asked for")
    func names() async throws {
        let authority = try await CertificateAuthority()
        let wrong = try await Fixture(authority: authority, names: ["DNS:api.example"])
        let error = try await problem(wrong)
        guard case .untrusted(let reason) = error else { throw error }
        #expect(reason.contains("for other names than ‘127.0.0.1’"))

        let named = try await Fixture(
            cluster: "certificate-authority: \"\(authority.certificate)\", tls-server-name: api.example",
            authority: authority, names: ["DNS:api.example"])
        _ = try await named.client.find(ConfigMap.self, "a", in: "default")
        #expect(named.cluster.seen.last?.headers["host"] == "127.0.0.1:\(named.server.port)")
    }

    @Test("HTTP where HTTPS is spoken, and the other way round")
    func schemes() async throws {
        let plain = try await KubernetesStandIn()
        let directory = try TemporaryDirectory("kubeconfig")
        let text = plain.kubeconfig().replacing("http://", with: "https://")
        let file = try directory.write(text, to: "config")
        let client = KubernetesClient(
            try KubernetesConfiguration.find(kubeconfig: file, environment: [:]), patience: .seconds(5))
        let error = try await failure { try await client.find(ConfigMap.self, "a", in: "default") }
        guard case .untrusted(let reason) = error else { throw error }
        #expect(reason.contains("does not speak TLS"))
    }

    @Test("a key that does not belong to the certificate, files that are none")
    func unusable() async throws {
        let authority = try await CertificateAuthority()
        let one = try await authority.issue("one", for: [])
        let two = try await authority.issue("two", for: [])
        let mixed = try await Fixture(
            user: "{client-certificate: \(one.chain), client-key: \(two.key)}", authority: authority)
        let error = try await problem(mixed)
        #expect(error.outcome == .misconfigured)
        #expect(error.description.hasSuffix("client-certificate and client-key do not belong together"))

        let swapped = try await Fixture(
            user: "{client-certificate: \(one.key), client-key: \(one.chain)}", authority: authority)
        #expect(try await problem(swapped).description.hasSuffix("client-certificate: no certificates in PEM form"))
    }

    @Test("a pod finds its cluster by its service account, and notices a new token")
    func serviceAccount() async throws {
        let authority = try await CertificateAuthority()
        let server = try await KubernetesStandIn(authority: authority)
        let account = try TemporaryDirectory("account")
        try account.write("first", to: "token")
        try account.write(try authority.certificateText, to: "ca.crt")
        try account.write("jobs", to: "namespace")
        let configuration = try KubernetesConfiguration.find(
            environment: [
                "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "\(server.port)",
                "HOME": "/nonexistent",
            ], serviceAccount: account.path)
        #expect(configuration.namespace == "jobs" && configuration.source == "the pod's service account")
        server.cluster.addNamespace("jobs")
        server.cluster.accept(token: "first", of: "system:serviceaccount:jobs:semel")
        let client = KubernetesClient(configuration)
        _ = try await client.list(Pod.self, in: client.namespace)
        server.cluster.expire(token: "first")
        server.cluster.accept(token: "second", of: "system:serviceaccount:jobs:semel")
        try account.write("second", to: "token")
        _ = try await client.list(Pod.self, in: client.namespace)
        #expect(server.cluster.seen.last?.user == "system:serviceaccount:jobs:semel")
        await client.close()
    }
}
