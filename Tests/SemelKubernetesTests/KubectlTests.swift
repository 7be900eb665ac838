import Foundation
import KubernetesStandIn
import SemelKubernetes
import TestSupport
import Testing

/// The stand-in is worth what kubectl makes of it: it is asked by the real client, which has its own idea of the wire
/// format, and what that has made is read by ours.
@Suite("kubectl and the stand-in understand each other")
struct KubectlTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("scripts/kubectl").path

    private static let cronJob = """
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: nightly, labels: {app: semel}}
        spec:
          schedule: "0 3 * * *"
          jobTemplate:
            spec:
              template:
                spec:
                  restartPolicy: Never
                  containers:
                  - {name: main, image: "app:1", env: [{name: A, value: "1"}]}

        """

    private static func map(_ number: Int) -> String {
        #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"map-\#(number)"},"data":{"x":"\#(number)"}}"#
    }

    private let fixture: Fixture

    init() async throws {
        fixture = try await Fixture(user: "{token: good}", authority: try await CertificateAuthority())
        fixture.cluster.accept(token: "good", of: "kubectl")
    }

    private func arguments(_ words: [String]) throws -> [String] {
        ["--kubeconfig", fixture.directory.path("config"), "--cache-dir", fixture.directory.path("cache")] + words
    }

    private func end(_ words: [String], input: String) async throws -> Finished {
        try await run(
            Executable(path: Self.script), arguments(words), input: Array(input.utf8), timeout: .seconds(180))
    }

    /// What it prints when all goes well.
    private func kubectl(_ words: String..., input: String = "") async throws -> String {
        let end = try await end(words, input: input)
        guard end.status == .exited(0) else { throw SupportError("kubectl \(words): \(end.status): \(end.stderrText)") }
        return end.stdoutText
    }

    /// What it says when it does not.
    private func refusal(_ words: String..., input: String = "") async throws -> String {
        let end = try await end(words, input: input)
        guard end.status != .exited(0) else { throw SupportError("kubectl \(words) has succeeded: \(end.stdoutText)") }
        return end.stderrText
    }

    @Test("discovery")
    func discovery() async throws {
        #expect(try await kubectl("version").contains("Server Version: v1.34.0"))
        let resources = try await kubectl("api-resources", "--no-headers", "-o", "name")
        #expect(
            Set(resources.split(separator: "\n").map(String.init)).isSuperset(
                of: ["cronjobs.batch", "jobs.batch", "pods", "configmaps", "events", "events.events.k8s.io"]))
    }

    @Test("server-side apply, with checked fields, conflicts and force")
    func apply() async throws {
        #expect(
            try await kubectl("apply", "--server-side", "-f", "-", input: Self.cronJob)
                == "cronjob.batch/nightly serverside-applied\n")
        #expect(
            try await kubectl("get", "cj", "nightly", "-o", "jsonpath={.spec.schedule} {.spec.concurrencyPolicy}")
                == "0 3 * * * Allow")
        let read = try await fixture.client.get(CronJob.self, "nightly", in: "default")
        #expect(read.managers.map { "\($0.name) \($0.operation)" } == ["kubectl Apply"])

        let ours = try await failure {
            try await fixture.client.apply(CronJob.sample(schedule: "0 5 * * *"), manager: "groups")
        }
        #expect(ours.description.hasSuffix(".spec.schedule belongs to ‘kubectl’"))
        _ = try await fixture.client.apply(CronJob.sample(schedule: "0 5 * * *"), manager: "groups", force: true)
        let theirs = try await refusal("apply", "--server-side", "-f", "-", input: Self.cronJob)
        #expect(theirs.contains("Apply failed with 1 conflict: conflict with \"groups\": .spec.schedule"))
        _ = try await kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input: Self.cronJob)
        #expect(fixture.cluster.object(CronJob.self, "nightly", in: "default")?.schedule == "0 3 * * *")

        let unknown = Self.cronJob.replacing("schedule:", with: "shedule: x\n  schedule:")
        #expect(
            try await refusal("apply", "--server-side", "-f", "-", input: unknown).contains(
                ".spec.shedule: field not declared in schema"))
        let invalid = Self.cronJob.replacing("0 3 * * *", with: "tomorrow")
        #expect(
            try await refusal("apply", "--server-side", "--force-conflicts", "-f", "-", input: invalid).contains(
                #"The CronJob "nightly" is invalid: spec.schedule: Invalid value: "tomorrow": expected exactly 5 fields"#
            ))
        _ = try await kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", input: Self.cronJob)
    }

    @Test("objects are made, listed by labels and pages, changed and deleted")
    func objects() async throws {
        for number in 0..<5 {
            _ = try await kubectl("create", "-f", "-", input: Self.map(number))
        }
        _ = try await kubectl("label", "configmap", "map-1", "map-3", "app=semel")
        #expect(try await kubectl("get", "cm", "-l", "app=semel", "-o", "name") == "configmap/map-1\nconfigmap/map-3\n")
        let pages = try await kubectl("get", "configmaps", "--chunk-size=2", "-o", "name")
        #expect(pages.split(separator: "\n").count == 5)
        _ = try await kubectl("patch", "configmap", "map-1", "--type=merge", "-p", #"{"data":{"y":"2"}}"#)
        _ = try await kubectl(
            "patch", "configmap", "map-1", "--type=json", "-p", #"[{"op":"remove","path":"/data/x"}]"#)
        #expect(fixture.cluster.object(ConfigMap.self, "map-1", in: "default")?.data == ["y": "2"])
        #expect(try await kubectl("delete", "configmap", "map-0").contains("\"map-0\" deleted"))
        #expect(try await refusal("get", "configmap", "map-0").contains("configmaps \"map-0\" not found"))
        #expect(
            try await refusal("create", "-f", "-", input: Self.map(1)).contains(#"configmaps "map-1" already exists"#))
    }

    @Test("a CronJob's Job, its pod and its log, an event, and the end of them all")
    func running() async throws {
        _ = try await kubectl("apply", "--server-side", "-f", "-", input: Self.cronJob)
        let owner = try #require(fixture.cluster.object(CronJob.self, "nightly", in: "default"))
        let made: JSONValue = [
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": [
                "name": "by-hand",
                "ownerReferences": [
                    ["apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": .string(owner.uid)]
                ],
            ],
            "spec": owner.jobTemplate["spec"] ?? [:],
        ]
        _ = try await kubectl("create", "-f", "-", input: made.text)
        let job = try #require(fixture.cluster.object(Job.self, "by-hand", in: "default"))
        #expect(job.isOwned(by: owner.uid))
        var pod = Pod(name: "by-hand-x", namespace: "default")
        pod.json["spec"] = ["containers": [["name": "main", "image": "app:1"]]]
        pod.json["metadata", "ownerReferences"] = [
            ["apiVersion": "batch/v1", "kind": "Job", "name": "by-hand", "uid": .string(job.uid), "controller": true]
        ]
        fixture.cluster.put(pod)
        fixture.cluster.answer("one\ntwo\n", below: "by-hand-x/log", in: "default")
        #expect(try await kubectl("logs", "by-hand-x", "--tail=1") == "two\n")
        var event = ClusterEvent(name: "e.1", namespace: "default")
        event.json = event.json.mergingFields([
            "reason": "BackOff", "note": "it failed", "type": "Warning",
            "regarding": ["kind": "Pod", "name": "by-hand-x", "namespace": "default"],
        ])
        fixture.cluster.put(event)
        #expect(
            try await kubectl("get", "events", "-o", "jsonpath={.items[0].message} {.items[0].involvedObject.name}")
                == "it failed by-hand-x")
        _ = try await kubectl("delete", "cronjob", "nightly")
        #expect(fixture.cluster.objects(Job.self, in: "default").isEmpty)
        #expect(fixture.cluster.objects(Pod.self, in: "default").isEmpty)
    }

    @Test("a watch")
    func watch() async throws {
        let watching = try RunningProcess(
            Executable(path: Self.script),
            arguments(["get", "configmaps", "-w", "-o", "name"]))
        try await eventually(timeout: .seconds(180), "kubectl watches: \(watching.report)") {
            fixture.cluster.watchCount == 1
        }
        fixture.cluster.put(ConfigMap.sample("a"))
        try await watching.waitForOutput(containing: "configmap/a\n")
        fixture.cluster.endWatches()
        // kubectl counts it as a failure that a watch ends.
        try await watching.waitForExit()
    }

    @Test("who may not")
    func refused() async throws {
        fixture.cluster.deny(.init(user: "kubectl", verb: "list", resource: "jobs", namespace: "default"))
        #expect(
            try await refusal("get", "jobs").contains(
                #"Error from server (Forbidden): jobs.batch is forbidden: User "kubectl" cannot list resource "jobs" in API group "batch" in the namespace "default""#
            ))
        fixture.cluster.expire(token: "good")
        #expect(try await refusal("get", "pods").contains("Unauthorized"))
    }
}

extension JSONValue {
    fileprivate func mergingFields(_ fields: [String: JSONValue]) -> JSONValue {
        .object((object ?? [:]).merging(fields) { _, new in new })
    }
}
