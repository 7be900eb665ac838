import Foundation
import TestSupport
import Testing

/// The chart of those who look after groups of items.
@Suite(.serialized)
struct GroupsChartTests {
    private static let chart = "\(Chart.root)/k8s/groups"

    private func render(_ values: Node = [:], release: String = "test") async throws -> [Node] {
        try await Chart.render("groups", values, release: release, chart: Self.chart).all
    }

    private func named(_ kind: String, _ name: String, in objects: [Node]) throws -> Node {
        try #require(objects.first { $0["kind"].text == kind && $0["metadata.name"].text == name }, "\(kind) \(name)")
    }

    @Test func itIsClean() async throws {
        let finished = try await Chart.helm([
            "lint", "--strict", "--values", "\(Chart.root)/k8s/presets/groups.yaml", Self.chart,
        ])
        #expect(finished.status == .exited(0), "\(finished.stdoutText)\(finished.stderrText)")
    }

    @Test func kustomizeBuildsWhatItRenders() async throws {
        let built = try await Kustomization.build("\(Chart.root)/k8s/manifests/groups").all
        let rendered = try await render(release: "groups")
        // Objects of a release in another namespace.
        let moved = rendered.map { object in
            object["kind"] == "RoleBinding" ? object.replacing("jobs", with: "default") : object
        }
        #expect(Set(built) == Set(moved))
    }

    /// Names that Kustomize changes are changed wherever they are named.
    @Test func itsNamesMayBeChanged() async throws {
        let base = try Kustomization("groups")
        let objects = try await base.build(overlay: "namePrefix: x-\nnamespace: work\n").all
        let binding = try named("RoleBinding", "x-groups-watch", in: objects)
        #expect(binding["roleRef.name"] == "x-groups-watch" && binding["subjects.0.name"] == "x-groups-watch")
        #expect(binding["subjects.0.namespace"] == "work")
        let pod = try named("CronJob", "x-groups-watch", in: objects)["spec.jobTemplate.spec.template.spec"]
        #expect(pod["serviceAccountName"] == "x-groups-watch" && pod["volumes.0.configMap.name"] == "x-groups")
    }

    /// What they may do is what they do.
    @Test func rights() async throws {
        let objects = try await render()
        #expect(!objects.contains { $0["kind"].text?.hasPrefix("Cluster") == true })
        let apply = try named("Role", "test-apply", in: objects)["rules"].items
        #expect(
            apply.map { $0["verbs"] } == [["list", "create", "patch", "delete"], ["get", "patch"], ["create"]])
        #expect(apply.map { $0["resources"] } == [["cronjobs"], ["configmaps"], ["configmaps"]])
        #expect(apply[1]["resourceNames"] == ["nightly-state"])
        let watch = try named("Role", "test-watch", in: objects)["rules"].items
        #expect(watch.map { $0["verbs"] } == [["list", "patch"], ["create"]])

        let less = try await render(["prune": false, "assign": ["enabled": false], "watch": ["enabled": false]])
        let rules = try named("Role", "test-apply", in: less)["rules"].items
        #expect(rules.map { $0["verbs"] } == [["list", "create", "patch"], ["get"]])
        #expect(
            Set(less.compactMap { $0["kind"].text }) == [
                "ConfigMap", "CronJob", "Role", "RoleBinding", "ServiceAccount",
            ])
        #expect(less.count == 5)
        let args = try named("CronJob", "test-apply", in: less)["spec.jobTemplate.spec.template.spec.containers.0.args"]
        #expect(args == ["groups", "apply", "--file", "/etc/semel/groups.yaml"])
    }

    @Test func theWebhookIsFromASecret() async throws {
        let objects = try await render(["watch": ["webhook": ["existingSecret": "slack"]]])
        let container = try named("CronJob", "test-watch", in: objects)[
            "spec.jobTemplate.spec.template.spec.containers.0"]
        #expect(container["env.0.name"] == "SEMEL_GROUPS_WEBHOOK")
        #expect(container["env.0.valueFrom.secretKeyRef"] == ["name": "slack", "key": "url"])
    }

    @Test func everythingAtOnceIsValid() async throws {
        let values: Node = [
            "image": ["digest": .text("sha256:" + String(repeating: "a", count: 64))],
            "imagePullSecrets": [["name": "pull"]], "labels": ["a": "b"], "annotations": ["a": "b"],
            "podLabels": ["c": "d"], "podAnnotations": ["e": "f"], "env": [["name": "A", "value": "b"]],
            "envFrom": [["secretRef": ["name": "redis"]]], "nodeSelector": ["disk": "fast"],
            "tolerations": [["key": "gpu", "operator": "Exists"]], "affinity": ["nodeAffinity": [:]],
            "state": "other", "suspend": true, "watch": ["webhook": ["existingSecret": "slack"]],
        ]
        let directory = try TemporaryDirectory("groups")
        for (index, object) in try await render(values).enumerated() {
            try directory.write(object.json(), to: "\(index).yaml")
        }
        let checked = try await run(
            Executable(path: "\(Chart.root)/scripts/check-manifests"), [directory.path], timeout: .seconds(240))
        #expect(checked.status == .exited(0), "\(checked.stdoutText)\(checked.stderrText)")
    }

    @Test(
        arguments: [
            (["groups": ["name": "Nightly"]], "groups.name"),
            (["groups": ["jobTemplate": ["spec": nil]]], "jobTemplate"),
            (["groups": ["concurrency": "Never"]], "groups.concurrency"), (["groups": ["scheduel": "x"]], "scheduel"),
            (["assign": ["capacity": 0]], "assign.capacity"), (["prune": "yes"], "prune"), (["pruen": true], "pruen"),
        ] as [(Node, String)])
    func itIsRefused(_ values: Node, _ name: String) async throws {
        let line = try await Chart.refusal("groups", values, chart: Self.chart)
        #expect(line?.contains(name) ?? false, "\(values): \(line ?? "rendered")")
    }
}
