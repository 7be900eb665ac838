import Foundation
import TestSupport

/// The repository's chart, rendered by the Helm that `make manifests` uses.
enum Chart {
    /// `Tests/Kubernetes/Harness/X.swift` is three folders below the root.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Of the ScaledJob's chart.
    static let presets = [
        "byo-image", "rabbitmq-amqp", "rabbitmq-http", "rabbitmq-tls", "redis-list", "redis-list-lpop", "redis-stream",
        "redis-tls", "sqs", "sqs-pod-identity", "sqs-scaledobject",
    ]

    /// Of the console's chart.
    static let consolePresets = ["console", "console-httpscaledobject"]

    static let allPresets = presets + consolePresets + ["groups"]

    /// Installs Helm at its first use, which takes a while.
    static func helm(_ arguments: [String]) async throws -> Finished {
        try await run(Executable(path: "\(root)/scripts/helm"), arguments, timeout: .seconds(180))
    }

    /// All objects of a release, by kind.
    static func render(
        _ preset: String, _ values: Node = [:], release: String = "test", chart: String = "\(root)/k8s/chart"
    ) async throws -> Objects {
        let finished = try await template(preset, values, release: release, chart: chart)
        guard finished.status == .exited(0) else { throw SupportError("helm: \(finished.stderrText)") }
        return try await Objects(yaml: finished.stdout)
    }

    /// The line with which Helm refuses the values; nothing when it renders them.
    static func refusal(
        _ preset: String, _ values: Node, chart: String = "\(root)/k8s/chart"
    ) async throws -> String? {
        let finished = try await template(preset, values, release: "test", chart: chart)
        return finished.status == .exited(0) ? nil : finished.stderrText
    }

    private static func template(
        _ preset: String, _ values: Node, release: String, chart: String
    ) async throws -> Finished {
        let directory = try TemporaryDirectory("values")
        let file = try directory.write(values.json(), to: "values.json")
        return try await helm([
            "template", release, chart, "--namespace", "jobs", "--values", "\(root)/k8s/presets/\(preset).yaml",
            "--values", file,
        ])
    }

    /// What `helm install` says at its end. It wants a cluster for that, so a template of the test's repeats it.
    static func notes(_ preset: String, _ values: Node) async throws -> String {
        let directory = try TemporaryDirectory("chart")
        let chart = directory.path("chart")
        try FileManager.default.copyItem(atPath: "\(root)/k8s/chart", toPath: chart)
        try directory.write(
            """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: notes}
            data:
              notes: {{ include "semel/templates/NOTES.txt" . | toJson }}
            """, to: "chart/templates/notes.yaml")
        return try await render(preset, values, chart: chart)["ConfigMap"]["data.notes"].text ?? ""
    }
}

/// Rendered objects, one of each kind.
struct Objects: Sendable {
    let all: [Node]

    init(yaml: [UInt8]) async throws {
        let script = """
            import json, sys, yaml
            json.dump([document for document in yaml.safe_load_all(sys.stdin) if document], sys.stdout)
            """
        let python = Executable(path: "\(Chart.root)/.build/python/bin/python")
        let finished = try await run(python, ["-c", script], input: yaml, timeout: .seconds(60))
        guard finished.status == .exited(0) else { throw SupportError("no YAML: \(finished.stderrText)") }
        all = try JSONDecoder().decode([Node].self, from: Data(finished.stdout))
    }

    subscript(_ kind: String) -> Node { all.first { $0["kind"].text == kind } ?? .null }

    private var isDeployment: Bool { self["ScaledJob"] == .null }
    /// Of the ScaledJob, or of the ScaledObject.
    var spec: Node { self[isDeployment ? "ScaledObject" : "ScaledJob"]["spec"] }
    var pod: Node {
        isDeployment ? self["Deployment"]["spec.template.spec"] : spec["jobTargetRef.template.spec"]
    }
    var container: Node { pod["containers.0"] }

    /// The container's variables as the kubelet resolves them.
    func environment() throws -> [String: String] {
        var variables: [String: String] = [:]
        for entry in container["env"].items {
            guard let name = entry["name"].text else { throw SupportError("a variable without a name") }
            // Only what is written there is expanded, and only from what stands above it.
            let value =
                try entry["value"].text.map { Kubelet.expand($0, variables) }
                ?? secret(entry["valueFrom.secretKeyRef"])
            guard variables.updateValue(value, forKey: name) == nil else {
                throw SupportError("\(name) is there twice")
            }
        }
        return variables
    }

    /// What KEDA is given by the TriggerAuthentication.
    ///
    /// - Parameter others: Secrets that are there already, by name.
    func authentication(_ others: [String: [String: String]] = [:]) throws -> [String: String] {
        let entries = try self["TriggerAuthentication"]["spec.secretTargetRef"].items.map { entry in
            let other = others[entry["name"].text ?? ""]?[entry["key"].text ?? ""]
            return (entry["parameter"].text ?? "", try other ?? secret(entry))
        }
        return Dictionary(entries) { first, _ in first }
    }

    private func secret(_ reference: Node) throws -> String {
        guard reference["name"] == self["Secret"]["metadata.name"], let key = reference["key"].text,
            let value = self["Secret"]["stringData"].map[key]?.text
        else {
            throw SupportError("the Secret has nothing for \(reference)")
        }
        return value
    }
}
