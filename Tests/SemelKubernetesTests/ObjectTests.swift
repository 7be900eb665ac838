import KubernetesStandIn
import Semel
import SemelKubernetes
import TestSupport
import Testing

@Suite("Objects are made, read, changed and deleted")
struct ObjectTests {
    @Test("an object keeps what nobody here knows")
    func unknownFields() async throws {
        let fixture = try await Fixture()
        var map = ConfigMap.sample("a", ["x": "1"], labels: ["app": "semel"])
        map.json["binaryData"] = ["y": "AAE="]
        let made = try await fixture.client.create(map)
        #expect(made.uid.isEmpty == false)
        #expect(made.creationTimestamp.flatMap { Timestamp(rfc3339: $0) } != nil)
        var read = try await fixture.client.get(ConfigMap.self, "a", in: "default")
        #expect(read == made)
        read.data["x"] = "2"
        let changed = try await fixture.client.update(read)
        #expect(changed.json["binaryData"] == ["y": "AAE="])
        #expect(changed.data == ["x": "2"] && changed.labels == ["app": "semel"])
        #expect(changed.resourceVersion != made.resourceVersion)
        #expect(changed.managers.map(\.name) == ["semelctl"])
    }

    @Test("what is not there is told from what may not be seen")
    func missing() async throws {
        let fixture = try await Fixture()
        #expect(try await fixture.client.find(Job.self, "none", in: "default") == nil)
        let missing = try await failure { try await fixture.client.get(Job.self, "none", in: "default") }
        #expect(
            missing.description
                == "get jobs.batch ‘none’ in namespace ‘default’: there is none (404): jobs.batch \"none\" not found")
        #expect(missing.outcome == .misconfigured)

        fixture.cluster.deny(.init(user: "admin", verb: "get", resource: "jobs"))
        let hidden = try await failure { try await fixture.client.find(Job.self, "none", in: "default") }
        #expect(
            hidden.description.contains(
                #"jobs.batch "none" is forbidden: User "admin" cannot get resource "jobs" in API group "batch" in the namespace "default""#
            ))
        #expect(hidden.outcome == .refused)
    }

    @Test("a namespace that is not there")
    func noNamespace() async throws {
        let fixture = try await Fixture()
        var map = ConfigMap.sample("a")
        map.namespace = "nowhere"
        let error = try await failure { [map] in try await fixture.client.create(map) }
        guard case .notFound = error else { throw error }
        #expect(error.description.contains(#"namespaces "nowhere" not found"#))
    }

    @Test("whoever has not seen the last change does not undo it")
    func staleUpdate() async throws {
        let fixture = try await Fixture()
        let first = try await fixture.client.create(ConfigMap.sample("a", ["x": "1"]))
        var mine = first
        mine.data["x"] = "mine"
        _ = try await fixture.client.update(mine)
        var late = first
        late.data["x"] = "late"
        let error = try await failure { [late] in try await fixture.client.update(late) }
        guard case .conflict = error else { throw error }
        #expect(error.outcome == .retry)
        #expect(fixture.cluster.object(ConfigMap.self, "a", in: "default")?.data == ["x": "mine"])

        let again = try await failure { try await fixture.client.create(ConfigMap.sample("a")) }
        guard case .alreadyExists = again else { throw again }
    }

    @Test("patches: fields that are merged, operations that are tested")
    func patches() async throws {
        let fixture = try await Fixture()
        let made = try await fixture.client.create(CronJob.sample())
        let paused = try await fixture.client.patch(
            CronJob.self, "nightly", in: "default",
            .merge(["spec": ["suspend": true], "metadata": ["annotations": ["why": "test"]]]), manager: "me")
        #expect(paused.isSuspended && paused.annotations == ["why": "test"] && paused.generation == 2)
        #expect(paused.managers.map(\.name).contains("me"))
        let resumed = try await fixture.client.patch(
            CronJob.self, "nightly", in: "default",
            .operations([
                ["op": "test", "path": "/spec/suspend", "value": true],
                ["op": "replace", "path": "/spec/suspend", "value": false],
                ["op": "remove", "path": "/metadata/annotations/why"],
            ]))
        #expect(!resumed.isSuspended && resumed.annotations.isEmpty)
        let failed = try await failure {
            try await fixture.client.patch(
                CronJob.self, "nightly", in: "default",
                .operations([["op": "test", "path": "/spec/suspend", "value": true]]))
        }
        guard case .invalid = failed else { throw failed }
        let stale = try await failure {
            try await fixture.client.patch(
                CronJob.self, "nightly", in: "default",
                .merge([
                    "metadata": ["resourceVersion": .string(made.resourceVersion ?? "")], "spec": ["suspend": true],
                ]))
        }
        guard case .conflict = stale else { throw stale }
    }

    @Test("a deletion takes what is owned along, or leaves it, and hits only what was meant")
    func deletion() async throws {
        let fixture = try await Fixture()
        let owner = try await fixture.client.create(CronJob.sample())
        func addJob(_ name: String) {
            var job = Job(name: name, namespace: "default")
            job.json["metadata", "ownerReferences"] = [
                ["kind": "CronJob", "name": "nightly", "uid": .string(owner.uid), "controller": true]
            ]
            fixture.cluster.put(job)
        }
        addJob("nightly-1")
        let other = try await failure {
            try await fixture.client.delete(CronJob.self, "nightly", in: "default", uid: "another")
        }
        guard case .conflict = other else { throw other }
        try await fixture.client.delete(CronJob.self, "nightly", in: "default", dryRun: true)
        #expect(fixture.cluster.object(CronJob.self, "nightly", in: "default") != nil)
        #expect(fixture.cluster.object(Job.self, "nightly-1", in: "default")?.isOwned(by: owner.uid) == true)

        try await fixture.client.delete(CronJob.self, "nightly", in: "default", uid: owner.uid)
        #expect(fixture.cluster.object(CronJob.self, "nightly", in: "default") == nil)
        #expect(fixture.cluster.object(Job.self, "nightly-1", in: "default") == nil)

        let second = try await fixture.client.create(CronJob.sample())
        var job = Job(name: "left", namespace: "default")
        job.json["metadata", "ownerReferences"] = [["kind": "CronJob", "name": "nightly", "uid": .string(second.uid)]]
        fixture.cluster.put(job)
        try await fixture.client.delete(
            CronJob.self, "nightly", in: "default", .orphan, resourceVersion: second.resourceVersion)
        #expect(fixture.cluster.object(Job.self, "left", in: "default")?.ownerReferences == [])
    }

    @Test("what is wrong with a CronJob is said field by field")
    func invalid() async throws {
        let fixture = try await Fixture()
        var job = CronJob.sample(String(repeating: "a", count: 53), schedule: "61 * * * *")
        job.json["spec", "timeZone"] = "Europe/Nowhere"
        job.json["spec", "concurrencyPolicy"] = "Never"
        job.json["spec", "startingDeadlineSeconds"] = -1
        let error = try await failure { [job] in try await fixture.client.create(job) }
        guard case .invalid(_, let status) = error else { throw error }
        #expect(
            status.causes.map(\.field) == [
                "metadata.name", "spec.schedule", "spec.timeZone", "spec.concurrencyPolicy",
                "spec.startingDeadlineSeconds",
            ])
        #expect(error.outcome == .misconfigured)
        #expect(!error.description.contains("\n"))
        #expect(error.description.contains(#"spec.timeZone: Invalid value: "Europe/Nowhere": unknown time zone"#))
    }

    @Test("what the server warns of is passed on")
    func warnings() async throws {
        let fixture = try await Fixture()
        var job = CronJob.sample()
        job.json["spec", "paralelism"] = 2
        _ = try await fixture.client.create(job)
        #expect(fixture.warnings.all == [#"unknown field "spec.paralelism""#])
    }

    @Test("logs and what is behind a proxy are read as they are")
    func raw() async throws {
        let fixture = try await Fixture()
        fixture.cluster.put(Pod(name: "p", namespace: "default"))
        fixture.cluster.answer("1\n2\n3\n", below: "p/log", in: "default")
        fixture.cluster.answer("{\"state\":\"ING\"}", below: "p:8082/proxy/status", in: "default")
        #expect(try await fixture.client.log(ofPod: "p", in: "default", lines: 2) == Array("2\n3\n".utf8))
        let status = try await fixture.client.read("/api/v1/namespaces/default/pods/p:8082/proxy/status")
        #expect(String(decoding: status, as: UTF8.self) == "{\"state\":\"ING\"}")
        let version = try JSONValue(parsing: try await fixture.client.read("/version"))
        #expect(version["major"]?.string == "1")
    }
}
