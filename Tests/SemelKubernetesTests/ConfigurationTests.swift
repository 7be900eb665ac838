import Foundation
import Semel
import SemelKubernetes
import TestSupport
import Testing

@Suite("Where the cluster is")
struct ConfigurationTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory("kubeconfig")
    }

    private static let two = """
        apiVersion: v1
        kind: Config
        current-context: one
        clusters:
        - {name: one, cluster: {server: "https://one.example:6443/"}}
        - {name: two, cluster: {server: "https://[::1]:8443/k8s/clusters/c"}}
        contexts:
        - {name: one, context: {cluster: one}}
        - {name: two, context: {cluster: two, namespace: team}}
        """

    private func find(_ text: String, context: String? = nil) throws -> KubernetesConfiguration {
        let file = try directory.write(text, to: "config")
        return try KubernetesConfiguration.find(kubeconfig: file, context: context, environment: [:])
    }

    @Test("the current context, or the one that is named")
    func contexts() throws {
        let one = try find(Self.two)
        #expect(one.place == "https://one.example:6443" && one.namespace == "default")
        let two = try find(Self.two, context: "two")
        #expect(two.place == "https://[::1]:8443/k8s/clusters/c" && two.namespace == "team")
        #expect(two.source == "context ‘two’ of \(directory.path("config"))")
    }

    @Test("a kubeconfig may be JSON")
    func json() throws {
        let text =
            #"{"current-context":"a","clusters":[{"name":"a","cluster":{"server":"https://a"}}],"contexts":[{"name":"a","context":{"cluster":"a"}}]}"#
        #expect(try find(text).place == "https://a")
    }

    @Test("many files: what the first one says counts, and those that are not there do not matter")
    func merged() throws {
        let first = try directory.write("current-context: two\n", to: "first")
        let second = try directory.write(Self.two, to: "second")
        let third = try directory.write(
            """
            current-context: one
            clusters: [{name: two, cluster: {server: "https://other"}}, {name: three, cluster: {server: "https://three"}}]
            contexts: [{name: three, context: {cluster: three}}]
            """, to: "third")
        let environment = ["KUBECONFIG": ":\(first):\(directory.path("none")):\(second):\(third)"]
        #expect(try KubernetesConfiguration.find(environment: environment).place.hasPrefix("https://[::1]"))
        #expect(
            try KubernetesConfiguration.find(context: "three", namespace: "x", environment: environment).place
                == "https://three")
    }

    @Test("the file in the home directory, before the pod's own account")
    func home() throws {
        try FileManager.default.createDirectory(atPath: directory.path(".kube"), withIntermediateDirectories: true)
        try directory.write(Self.two, to: ".kube/config")
        let environment = [
            "HOME": directory.path, "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443",
        ]
        #expect(try KubernetesConfiguration.find(environment: environment).place == "https://one.example:6443")
    }

    @Test("a pod of a cluster that speaks IPv6, and one that has no token")
    func serviceAccount() async throws {
        let authority = try await CertificateAuthority()
        let environment = [
            "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "HOME": "/nonexistent",
        ]
        let error = try await failure {
            try KubernetesConfiguration.find(environment: environment, serviceAccount: directory.path)
        }
        #expect(error.description.contains("automountServiceAccountToken: false"))
        try directory.write("t", to: "token")
        try directory.write(try authority.certificateText, to: "ca.crt")
        let found = try KubernetesConfiguration.find(environment: environment, serviceAccount: directory.path)
        #expect(found.place == "https://[fd00::1]:443" && found.namespace == "default")
    }

    @Test("nothing that says where a cluster is")
    func nowhere() async throws {
        let error = try await failure { try KubernetesConfiguration.find(environment: ["HOME": "/nonexistent"]) }
        #expect(
            error
                == .misconfigured(
                    "no kubeconfig: KUBECONFIG is not set, /nonexistent/.kube/config is not there, and this is no pod with "
                        + "a service account; name a --kubeconfig"))
        let named = try await failure { try KubernetesConfiguration.find(kubeconfig: "/nonexistent", environment: [:]) }
        #expect(named == .misconfigured("--kubeconfig: /nonexistent is not there"))
        let namespace = try await failure {
            try KubernetesConfiguration.find(
                kubeconfig: try directory.write(Self.two, to: "config"), namespace: "No/Name", environment: [:])
        }
        #expect(namespace.description.hasPrefix("--namespace: ‘No/Name’ is no namespace's name"))
    }

    private static func config(cluster: String = "server: \"https://a\"", user: String = "") -> String {
        """
        current-context: a
        clusters:
        - name: a
          cluster: {\(cluster)}
        users:
        - name: a
          user: {\(user)}
        contexts:
        - name: a
          context: {cluster: a, user: a}
        """
    }

    @Test(
        "what cannot be used is said with its line",
        arguments: [
            (config(cluster: ""), "config:4: clusters[0].cluster.server: is missing"),
            (config(cluster: "server: \"ftp://a\""), "is no URL like https://host:6443"),
            (config(cluster: "server: \"https://a\", proxy-url: \"http://p\""), "proxy-url: proxies are not supported"),
            (config(cluster: "server: \"https://a\", certificate-authority-data: \"%%%\""), "is not base64"),
            (
                config(cluster: "server: \"https://a\", certificate-authority: none.crt"),
                "none.crt: certificate-authority"
            ),
            (
                config(cluster: "server: \"https://a\", insecure-skip-tls-verify: \"yes\""),
                "write true or false, without quotes"
            ),
            (
                config(user: "token: 12345"),
                "users[0].user.token: is a number, where text has to be; write it in quotes"
            ),
            (config(user: "client-certificate: a"), "client-key: is missing"),
            (config(user: "auth-provider: {name: gcp}"), "use an exec plugin"),
            (
                config(user: "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}"),
                "exec.apiVersion: ‘client.authentication.k8s.io/v1alpha1’ is not client.authentication.k8s.io/v1 or"
            ),
            (
                config(
                    user:
                        "exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, installHint: buy it}"
                ),
                "command ‘no-such-plugin’: not found in PATH (/usr/local/bin:/usr/bin:/bin); buy it"
            ),
            (
                config(
                    user: "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: Always}"),
                "the plugin wants a terminal"
            ),
            (
                "current-context: b\n" + config().split(separator: "\n").dropFirst().joined(separator: "\n"),
                "current-context: no context ‘b’ in"
            ),
            ("clusters: [{name: a, cluster: {server: x}}, {name: a}]", "clusters[1].name: ‘a’ is there twice"),
            ("clusters: a", "clusters: is text, where a list has to be"), ("a: [", "not YAML"),
            ("- a", "where an object has to be"),
            (" ", "has no clusters and no contexts in it"),
            (config().replacing("current-context: a", with: ""), "no current-context"),
        ])
    func unusable(_ text: String, _ message: String) async throws {
        let error = try await failure { try find(text) }
        #expect(error.outcome == .misconfigured)
        #expect(error.description.contains(message), "\(error)")
        #expect(!error.description.contains("12345") && !error.description.contains("\n"))
    }

    @Test("paths are seen from the file that they are in")
    func relativePaths() async throws {
        let authority = try await CertificateAuthority()
        try directory.write(try authority.certificateText, to: "ca.crt")
        try directory.write("#!/bin/sh\n", to: "plugin", mode: 0o755)
        _ = try find(
            Self.config(
                cluster: "server: \"https://a\", certificate-authority: ca.crt",
                user: "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin}"))
    }
}
