import KubernetesStandIn
import Semel
import SemelKubernetes
import TestSupport
import Testing

@Suite("Server-side apply")
struct ApplyTests {
    @Test("what is not there is made, what is as wanted stays untouched")
    func idempotent() async throws {
        let fixture = try await Fixture()
        let made = try await fixture.client.apply(CronJob.sample(), manager: "groups")
        #expect(made.generation == 1 && made.concurrencyPolicy == "Allow")
        #expect(made.managers.map { "\($0.name) \($0.operation)" } == ["groups Apply"])
        let again = try await fixture.client.apply(CronJob.sample(), manager: "groups")
        #expect(again == made)
        let changed = try await fixture.client.apply(CronJob.sample(image: "app:2"), manager: "groups")
        #expect(changed.container["image"]?.string == "app:2" && changed.generation == 2)
        #expect(changed.resourceVersion != made.resourceVersion)
    }

    @Test("fields that the manager no longer names go, those of others stay")
    func givenUp() async throws {
        let fixture = try await Fixture()
        var first = CronJob.sample()
        first.labels = ["mine": "1", "shared": "1"]
        first.json["spec", "startingDeadlineSeconds"] = 60
        _ = try await fixture.client.apply(first, manager: "groups")
        var other = CronJob(name: "nightly")
        other.labels = ["shared": "1", "theirs": "1"]
        _ = try await fixture.client.apply(other, manager: "other")
        let second = try await fixture.client.apply(CronJob.sample(), manager: "groups")
        #expect(second.labels == ["shared": "1", "theirs": "1"])
        #expect(second.startingDeadlineSeconds == nil)
        #expect(second.container["env"] == [["name": "A", "value": "1"]])
    }

    @Test("elements of a list go by their names")
    func lists() async throws {
        let fixture = try await Fixture()
        _ = try await fixture.client.apply(CronJob.sample(), manager: "groups")
        var sidecar = CronJob(name: "nightly")
        sidecar.json["spec", "jobTemplate", "spec", "template", "spec", "containers"] = [
            ["name": "side", "image": "side:1"],
            ["name": "main", "env": [["name": "B", "value": "2"]]],
        ]
        let both = try await fixture.client.apply(sidecar, manager: "mesh")
        #expect(both.container["env"]?.array?.compactMap { $0["name"]?.string } == ["A", "B"])
        let after = try await fixture.client.apply(CronJob.sample(image: "app:2"), manager: "groups")
        let containers = after.jobTemplate["spec", "template", "spec", "containers"]?.array ?? []
        #expect(containers.compactMap { $0["image"]?.string } == ["app:2", "side:1"])
        #expect(containers.first?["env"]?.array?.count == 2)
    }

    @Test("a field of somebody else is a conflict that names both, until it is taken by force")
    func conflict() async throws {
        let fixture = try await Fixture()
        _ = try await fixture.client.apply(CronJob.sample(), manager: "groups")
        _ = try await fixture.client.patch(
            CronJob.self, "nightly", in: "default", .merge(["spec": ["schedule": "0 4 * * *"]]), manager: "kubectl-edit"
        )
        var image = CronJob(name: "nightly")
        image.json["spec", "jobTemplate", "spec", "template", "spec", "containers"] = [
            ["name": "main", "image": "app:9"]
        ]
        _ = try await fixture.client.apply(image, manager: "updater", force: true)

        let error = try await failure { try await fixture.client.apply(CronJob.sample(), manager: "groups") }
        guard case .fieldConflict(_, let conflicts) = error else { throw error }
        #expect(
            Set(conflicts) == [
                .init(
                    manager: "updater", field: #".spec.jobTemplate.spec.template.spec.containers[name="main"].image"#),
                .init(manager: "kubectl-edit", field: ".spec.schedule"),
            ])
        #expect(error.description.contains(".spec.schedule belongs to ‘kubectl-edit’"))
        #expect(error.outcome == .misconfigured)
        #expect(fixture.cluster.object(CronJob.self, "nightly", in: "default")?.schedule == "0 4 * * *")

        let forced = try await fixture.client.apply(CronJob.sample(), manager: "groups", force: true)
        #expect(forced.schedule == "0 3 * * *" && forced.container["image"]?.string == "app:1")
        _ = try await fixture.client.apply(CronJob.sample(), manager: "groups")
    }

    @Test("a field that does not exist is no trouble of the server's, although it says so")
    func unknownField() async throws {
        let fixture = try await Fixture()
        var job = CronJob.sample()
        job.json["spec", "shedule"] = "x"
        let error = try await failure { [job] in try await fixture.client.apply(job, manager: "groups") }
        #expect(error.outcome == .misconfigured)
        #expect(error.description.hasSuffix("Kind=CronJob): .spec.shedule: field not declared in schema"))
        #expect(fixture.cluster.seen.count == 1)
    }

    @Test("the same value belongs to many without a conflict")
    func shared() async throws {
        let fixture = try await Fixture()
        _ = try await fixture.client.apply(CronJob.sample(), manager: "one")
        let both = try await fixture.client.apply(CronJob.sample(), manager: "two")
        #expect(both.managers.map(\.name) == ["one", "two"])
    }

    @Test("a dry run says what would be, and does nothing")
    func dryRun() async throws {
        let fixture = try await Fixture()
        let would = try await fixture.client.apply(CronJob.sample(), manager: "groups", dryRun: true)
        #expect(would.concurrencyPolicy == "Allow")
        #expect(fixture.cluster.objects(CronJob.self, in: "default").isEmpty)
        let error = try await failure {
            try await fixture.client.apply(CronJob.sample(schedule: "never"), manager: "groups", dryRun: true)
        }
        #expect(
            error.description.hasSuffix(
                #"not valid: spec.schedule: Invalid value: "never": expected exactly 5 fields, found 1: [never]"#))
    }
}
