import Foundation
import KubernetesStandIn
import Semel
import TestSupport
import Testing

@testable import SemelKubernetes

@Suite("Who one is to the API server")
struct LoginTests {
    private func get(_ fixture: Fixture) async throws {
        _ = try await fixture.client.find(ConfigMap.self, "a", in: "default")
    }

    @Test("a token, a password, a certificate; each of them right or wrong")
    func methods() async throws {
        let authority = try await CertificateAuthority()
        let certificate = try await authority.issue("operator", for: [])
        let users = [
            ("{token: good}", "{token: bad}", "by-token"),
            ("{username: me, password: right}", "{username: me, password: wrong}", "me"),
            ("{client-certificate: \(certificate.chain), client-key: \(certificate.key)}", "{}", "operator"),
        ]
        for (right, wrong, name) in users {
            let fixture = try await Fixture(user: right, authority: authority)
            fixture.cluster.accept(token: "good", of: "by-token")
            fixture.cluster.accept(password: "right", of: "me")
            try await get(fixture)
            #expect(fixture.cluster.seen.last?.user == name)

            let other = try await Fixture(user: wrong, authority: authority)
            other.cluster.accept(token: "good", of: "by-token")
            other.cluster.accept(password: "right", of: "me")
            let error = try await failure { try await get(other) }
            guard case .unauthorized = error else { throw error }
            #expect(error.outcome == .refused)
            #expect(!error.description.contains("bad") && !error.description.contains("wrong"))
        }
    }

    @Test("certificates and keys in the kubeconfig itself")
    func inlineCertificate() async throws {
        let authority = try await CertificateAuthority()
        let certificate = try await authority.issue("operator", for: [])
        func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        let fixture = try await Fixture(
            user: """
                {client-certificate-data: \(base64(try certificate.chainText)), \
                client-key-data: \(base64(try certificate.keyText))}
                """,
            cluster: "certificate-authority-data: \(base64(try authority.certificateText))", authority: authority)
        fixture.cluster.requireLogin()
        try await get(fixture)
        #expect(fixture.cluster.seen.last?.user == "operator")
    }

    @Test("as somebody else")
    func impersonation() async throws {
        let fixture = try await Fixture(user: "{token: t, as: somebody, as-groups: [one, two]}")
        fixture.cluster.accept(token: "t", of: "admin")
        fixture.cluster.deny(.init(user: "somebody"))
        let error = try await failure { try await get(fixture) }
        #expect(error.description.contains(#"User "somebody" cannot get"#))
        #expect(fixture.cluster.seen.last?.headers["impersonate-group"] == "one, two")
    }

    @Test("a token in a file is read again when it is no longer taken")
    func tokenFile() async throws {
        let tokens = try TemporaryDirectory("token")
        let file = try tokens.write("first\n", to: "token")
        let fixture = try await Fixture(user: "{tokenFile: \(file)}")
        fixture.cluster.accept(token: "first", of: "pod")
        try await get(fixture)
        fixture.cluster.expire(token: "first")
        fixture.cluster.accept(token: "second", of: "pod")
        let error = try await failure { try await get(fixture) }
        guard case .unauthorized = error else { throw error }
        try tokens.write("second\n", to: "token")
        try await get(fixture)
        #expect(fixture.cluster.seen.suffix(2).map(\.user) == [nil, "pod"])
    }

    @Test("a token in a file is at most a minute old")
    func tokenAge() async throws {
        let tokens = try TemporaryDirectory("token")
        let file = try tokens.write("first", to: "token")
        let now = Locked(Timestamp(milliseconds: 0))
        let credentials = KubernetesCredentials(
            KubernetesLogin(method: .tokenFile(path: file, other: nil)), clock: { now.value })
        #expect(try await credentials.current().authorization == "Bearer first")
        try tokens.write("second", to: "token")
        now.change { $0.milliseconds = 59_999 }
        #expect(try await credentials.current().authorization == "Bearer first")
        now.change { $0.milliseconds = 60_000 }
        #expect(try await credentials.current().authorization == "Bearer second")
        try tokens.write("", to: "token")
        now.change { $0.milliseconds = 120_000 }
        let error = try await failure { try await credentials.current() }
        #expect(error == .misconfigured("\(file): the token's file is empty"))
    }
}

@Suite("Exec plugins")
struct ExecPluginTests {
    /// A plugin that prints what it is given, and counts how often it was asked.
    private struct Plugin {
        let directory: TemporaryDirectory
        let user: String

        init(
            _ script: String, version: String = "client.authentication.k8s.io/v1", more: String = ""
        ) throws {
            directory = try TemporaryDirectory("plugin")
            try directory.write(
                "#!/bin/sh\necho asked >>\(directory.path("log"))\n\(script)\n", to: "plugin", mode: 0o755)
            user = """
                {exec: {apiVersion: \(version), command: \(directory.path("plugin")), interactiveMode: IfAvailable, \
                args: [get, token], env: [{name: STATUS, value: "x"}]\(more)}}
                """
        }

        static func credential(_ status: String, version: String = "client.authentication.k8s.io/v1") -> String {
            #"printf %s '{"apiVersion":"\#(version)","kind":"ExecCredential","status":\#(status)}'"#
        }

        var asked: Int {
            (try? String(contentsOfFile: directory.path("log"), encoding: .utf8))?.split(separator: "\n").count ?? 0
        }
    }

    @Test(
        "are asked once for a token",
        arguments: ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"])
    func token(_ version: String) async throws {
        let plugin = try Plugin(
            #"test "$1 $2 $STATUS" = "get token x" || exit 9"# + "\n"
                + Plugin.credential(#"{"token":"good","expirationTimestamp":"2999-01-01T00:00:00Z"}"#, version: version),
            version: version)
        let fixture = try await Fixture(user: plugin.user)
        fixture.cluster.accept(token: "good", of: "exec")
        for _ in 0..<3 { _ = try await fixture.client.find(ConfigMap.self, "a", in: "default") }
        #expect(plugin.asked == 1)
    }

    @Test("are asked again when the token has expired, by its own word or the server's")
    func expired() async throws {
        let plugin = try Plugin(
            Plugin.credential(#"{"token":"good","expirationTimestamp":"2001-01-01T00:00:00.5Z"}"#))
        let fixture = try await Fixture(user: plugin.user)
        fixture.cluster.accept(token: "good", of: "exec")
        for _ in 0..<2 { _ = try await fixture.client.find(ConfigMap.self, "a", in: "default") }
        #expect(plugin.asked == 2)

        let counting = try Plugin(
            Plugin.credential(#"{"token":"'$(wc -l <"$(dirname "$0")/log" | tr -d ' ')'"}"#))
        let other = try await Fixture(user: counting.user)
        other.cluster.accept(token: "1", of: "exec")
        _ = try await other.client.find(ConfigMap.self, "a", in: "default")
        other.cluster.expire(token: "1")
        other.cluster.accept(token: "2", of: "exec")
        _ = try await other.client.find(ConfigMap.self, "a", in: "default")
        #expect(counting.asked == 2)
    }

    @Test("may give a certificate")
    func certificate() async throws {
        let authority = try await CertificateAuthority()
        let certificate = try await authority.issue("by-plugin", for: [])
        let status: JSONValue = [
            "clientCertificateData": .string(try certificate.chainText),
            "clientKeyData": .string(try certificate.keyText),
        ]
        let plugin = try Plugin(Plugin.credential(status.text))
        let fixture = try await Fixture(user: plugin.user, authority: authority)
        fixture.cluster.requireLogin()
        _ = try await fixture.client.find(ConfigMap.self, "a", in: "default")
        #expect(fixture.cluster.seen.last?.user == "by-plugin")
    }

    @Test("are told of the cluster when they ask for it")
    func clusterInfo() async throws {
        let plugin = try Plugin(
            #"printf %s "$KUBERNETES_EXEC_INFO" >"$(dirname "$0")/info""# + "\n"
                + Plugin.credential(#"{"token":"good"}"#), more: ", provideClusterInfo: true")
        let fixture = try await Fixture(user: plugin.user)
        fixture.cluster.accept(token: "good", of: "exec")
        _ = try await fixture.client.find(ConfigMap.self, "a", in: "default")
        let info = try JSONValue(parsing: String(contentsOfFile: plugin.directory.path("info"), encoding: .utf8))
        #expect(info["kind"]?.string == "ExecCredential")
        #expect(info["spec", "interactive"]?.bool == false)
        #expect(info["spec", "cluster", "server"]?.string == fixture.server.url)
    }

    @Test(
        "that do not do what they should",
        arguments: [
            ("exit 3", "ended with 3; install it with: apt install it"),
            ("echo no", "what it prints is no ExecCredential"),
            (Plugin.credential("{}"), "its answer has neither a token nor a certificate"),
            (
                Plugin.credential(#"{"token":"secret"}"#, version: "client.authentication.k8s.io/v1beta1"),
                "its answer is of another apiVersion than client.authentication.k8s.io/v1"
            ),
            (
                Plugin.credential(#"{"token":"secret","expirationTimestamp":"soon"}"#),
                "its expirationTimestamp is no time"
            ),
            (
                Plugin.credential(#"{"clientKeyData":"secret"}"#),
                "its answer has one of clientCertificateData and clientKeyData, and not the other"
            ),
        ])
    func bad(_ script: String, _ message: String) async throws {
        let plugin = try Plugin(script, more: #", installHint: "install it with:\n  apt install it""#)
        let fixture = try await Fixture(user: plugin.user)
        let error = try await failure { try await fixture.client.find(ConfigMap.self, "a", in: "default") }
        #expect(error.outcome == .misconfigured)
        #expect(error.description.contains(message))
        #expect(!error.description.contains("secret"))
    }

    @Test("are ended with whoever waits for them")
    func cancelled() async throws {
        let plugin = try Plugin("exec sleep 600")
        let fixture = try await Fixture(user: plugin.user)
        let waiting = Task {
            try await failure { try await fixture.client.find(ConfigMap.self, "a", in: "default") }
        }
        try await eventually("it is asked") { plugin.asked == 1 }
        waiting.cancel()
        #expect(try await waiting.value == .cancelled)
    }
}
