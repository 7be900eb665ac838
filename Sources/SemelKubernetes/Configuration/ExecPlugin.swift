import Foundation
import Semel
import SemelCommand
import SemelKEDA

/// A program that says who one is: `exec` of a kubeconfig's user, as `client.authentication.k8s.io/v1` and `v1beta1` have it.
struct ExecPlugin: Sendable {
    /// What a plugin that asks for it is told of the cluster.
    struct Cluster: Sendable {
        let json: JSONValue

        init(_ server: KubernetesConfiguration.Server, _ trust: KubernetesConfiguration.Trust) {
            var json: JSONValue = ["server": .string("\(server.scheme)://\(server.authority)\(server.path)")]
            json["tls-server-name"] = trust.serverName.map { .string($0) }
            json["insecure-skip-tls-verify"] = trust.verifies ? nil : true
            json["certificate-authority-data"] = trust.authorities.map { .string(Data($0).base64EncodedString()) }
            self.json = json
        }
    }

    struct Credential: Sendable {
        var token: String?
        var certificate: KubernetesIdentity.Certificate?
        var expiration: Timestamp?
    }

    static let versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]

    private let program: String
    private let words: [String]
    private let environment: [String: String]
    private let version: String
    private let command: String
    private let hint: String?

    init(
        _ exec: KubeconfigObject, directory: String, _ environment: [String: String], cluster: Cluster
    ) throws(KubernetesError) {
        command = try exec.requiredText("command")
        version = try exec.requiredText("apiVersion")
        hint = try exec.text("installHint")
        guard Self.versions.contains(version) else {
            throw exec.problem(
                "apiVersion", "‘\(version)’ is not \(Self.versions.joined(separator: " or "))")
        }
        switch try exec.text("interactiveMode") {
        case nil, "Never", "IfAvailable": break
        case "Always":
            throw exec.problem("interactiveMode", "Always: the plugin wants a terminal, which it does not get here")
        case let mode?: throw exec.problem("interactiveMode", "‘\(mode)’ is none of Never, IfAvailable, Always")
        }
        var variables = environment
        for variable in try exec.elements("env") {
            variables[try variable.requiredText("name")] = try variable.text("value") ?? ""
        }
        var spec: JSONValue = ["interactive": false]
        if try exec.flag("provideClusterInfo") { spec["cluster"] = cluster.json }
        let info: JSONValue = ["apiVersion": .string(version), "kind": "ExecCredential", "spec": spec]
        variables["KUBERNETES_EXEC_INFO"] = info.text
        self.environment = variables
        // Only a path is seen from the file's directory; a bare name is looked for in PATH.
        let path = command.contains("/") ? KubeconfigUser.path(command, in: directory) : command
        do throws(ConfigurationError) {
            program = try ExecutableSearch.find(path, path: variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
        } catch {
            throw exec.problem("command", "\(error.description)\(Self.words(hint))")
        }
        words = [command] + (try exec.texts("args"))
    }

    private static func words(_ hint: String?) -> String {
        hint.map { "; \($0.split(whereSeparator: \.isWhitespace).joined(separator: " "))" } ?? ""
    }

    /// Starts the program and waits for what it prints; what it writes to standard error is everybody's. It is killed when
    /// the waiting task is cancelled.
    func run() async throws(KubernetesError) -> Credential {
        let (end, output) = try await PluginProcess.run(program, words, environment)
        guard end == .exited(0) else {
            throw .misconfigured("exec plugin ‘\(command)’ \(end)\(Self.words(hint))")
        }
        return try credential(output)
    }

    private func problem(_ message: String) -> KubernetesError {
        .misconfigured("exec plugin ‘\(command)’: \(message)")
    }

    func credential(_ output: [UInt8]) throws(KubernetesError) -> Credential {
        guard let answer = try? JSONValue(parsing: output), answer["kind"]?.string == "ExecCredential" else {
            throw problem("what it prints is no ExecCredential")
        }
        guard answer["apiVersion"]?.string == version else {
            throw problem("its answer is of another apiVersion than \(version)")
        }
        guard let status = answer["status"] else { throw problem("its answer has no status") }
        var credential = Credential(token: status["token"]?.string)
        switch (status["clientCertificateData"]?.string, status["clientKeyData"]?.string) {
        case (nil, nil): break
        case (let chain?, let key?): credential.certificate = .init(chain: Array(chain.utf8), key: Array(key.utf8))
        default: throw problem("its answer has one of clientCertificateData and clientKeyData, and not the other")
        }
        guard credential.token?.isEmpty == false || credential.certificate != nil else {
            throw problem("its answer has neither a token nor a certificate")
        }
        if let text = status["expirationTimestamp"]?.string {
            guard let time = Timestamp(rfc3339: text) else { throw problem("its expirationTimestamp is no time") }
            credential.expiration = time
        }
        return credential
    }
}
