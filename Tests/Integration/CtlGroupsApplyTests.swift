import Foundation
import KubernetesStandIn
import SemelKubernetes
import TestSupport
import Testing

/// `semelctl groups apply` against an API server.
@Suite(.oneLane)
struct CtlGroupsApplyTests {
    @Test func aCronJobForEveryGroup() async throws {
        let groups = try await GroupsCluster()
        let end = try await groups.apply()
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(end.stderrText == "nightly: 3 created, 0 updated, 0 unchanged\n")
        #expect(groups.cronJobs.map(\.name) == ["nightly-1", "nightly-2", "nightly-3"])
        let second = try #require(groups.cronJob(2))
        #expect(second.schedule == "0 0 * * *" && second.timeZone == "Europe/Berlin")
        #expect(second.startingDeadlineSeconds == 600 && second.concurrencyPolicy == "Forbid")
        #expect(second.jobTemplate["spec", "activeDeadlineSeconds"] == 18_000)
        #expect(second.labels["semel/groups"] == "nightly" && second.labels["semel/group"] == "2")
        let container = second.jobTemplate["spec", "template", "spec", "containers"]?.array?.first
        #expect(
            container?["env"]?.array?.prefix(3) == [
                ["name": "SEMEL_GROUP", "value": "2"], ["name": "SEMEL_GROUP_FIRST", "value": "k1a"],
                ["name": "SEMEL_GROUP_LAST", "value": "k1b"],
            ])
        #expect(second.managers.contains { $0.name == "semelctl-groups" && $0.operation == "Apply" })
    }

    @Test func doneTwiceIsDoneOnce() async throws {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        let (before, count) = (groups.cronJobs, groups.writes.count)
        let end = try await groups.apply()
        #expect(end.stderrText == "nightly: 0 created, 0 updated, 3 unchanged\n" && end.stdoutText == "")
        #expect(groups.cronJobs == before && groups.writes.count == count)
    }

    @Test func aDryRunChangesNothing() async throws {
        let groups = try await GroupsCluster()
        var end = try await groups.apply("--dry-run")
        #expect(end.status == .exited(0) && groups.cronJobs.isEmpty && groups.writes.isEmpty, "\(end.stderrText)")
        #expect(
            end.stdoutText == """
                CRONJOB    GROUP  ACTION  WHAT
                nightly-1  1      create
                nightly-2  2      create
                nightly-3  3      create

                """)
        #expect(end.stderrText == "nightly: 3 to create, 0 to update, 0 unchanged\n")

        _ = try await groups.apply()
        try groups.write(image: "work:2")
        try groups.writeState(groups: 1)
        let before = groups.cronJobs
        end = try await groups.apply("--dry-run", "--prune")
        #expect(groups.cronJobs == before)
        let path = "spec.jobTemplate.spec.template.spec.containers[work]"
        #expect(
            end.stdoutText == """
                CRONJOB    GROUP  ACTION    WHAT
                nightly-1  1      update    \(path).env[PASSWORD].value
                                            \(path).image: work:1 → work:2
                nightly-2  2      orphaned  is deleted
                nightly-3  3      orphaned  is deleted

                """)
        #expect(end.stderrText == "nightly: 0 to create, 1 to update, 0 unchanged, 2 orphaned (2 to delete)\n")
    }

    @Test func asJSON() async throws {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        try groups.write(image: "work:2")
        try groups.writeState(groups: 2)
        let end = try await groups.apply("--json")
        #expect(end.stderrText == "")
        let object = try JSONValue(parsing: end.stdout)
        #expect(object["update"] == 2 && object["orphaned"] == 1 && object["delete"] == 0 && object["dryRun"] == false)
        let update = object["cronJobs"]?.array?.first
        #expect(update?["name"] == "nightly-1" && update?["action"] == "update")
        #expect(update?["changes"]?.array?.last?["after"] == "work:2")
    }

    @Test func anotherImageReachesAll() async throws {
        let groups = try await GroupsCluster()
        try groups.writeState(groups: 40)
        _ = try await groups.apply()
        try groups.write(image: "work:2")
        let end = try await groups.apply()
        #expect(end.stderrText == "nightly: 0 created, 40 updated, 0 unchanged\n")
        #expect(groups.cronJobs.count == 40 && groups.cronJobs.allSatisfy { $0.json.text.contains("\"work:2\"") })
    }

    /// One group more is one CronJob more, and no other is touched.
    @Test func oneGroupMore() async throws {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        let before = groups.cronJobs
        try groups.writeState(groups: 4)
        #expect(try await groups.apply().stderrText == "nightly: 1 created, 0 updated, 3 unchanged\n")
        #expect(groups.cronJobs.count == 4 && Array(groups.cronJobs.prefix(3)) == before)
    }

    @Test func orphansGoOnlyWhenAskedTo() async throws {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        try groups.writeState(groups: 1)
        var end = try await groups.apply()
        #expect(groups.cronJobs.count == 3)
        #expect(end.stderrText == "nightly: 0 created, 0 updated, 1 unchanged, 2 orphaned (--prune deletes them)\n")

        // One whose Job runs stays: its Job would go with it.
        var busy = try #require(groups.cronJob(3))
        busy.json["status", "active"] = [["kind": "Job", "name": "nightly-3-1"]]
        groups.cluster.put(busy)
        end = try await groups.apply("--prune")
        #expect(groups.cronJobs.map(\.name) == ["nightly-1", "nightly-3"])
        #expect(end.stdoutText.contains("nightly-3  3      orphaned  stays until Job nightly-3-1 has ended"))
        #expect(end.stderrText.hasSuffix("2 orphaned (1 deleted)\n"))
    }

    @Test func whatIsNotOursIsLeftAlone() async throws {
        let groups = try await GroupsCluster()
        var foreign = CronJob(name: "nightly-9", namespace: "work")
        foreign.labels = ["app": "mine"]
        var other = CronJob(name: "other-1", namespace: "work")
        other.labels = ["semel/groups": "other"]
        let before = [groups.cluster.put(foreign), groups.cluster.put(other)]
        #expect(try await groups.apply("--prune").status == .exited(0))
        #expect(groups.cronJobs.filter { !$0.labels.values.contains("nightly") } == before)
    }

    @Test func aNameThatIsTaken() async throws {
        let groups = try await GroupsCluster()
        let foreign = groups.cluster.put(CronJob(name: "nightly-2", namespace: "work"))
        let end = try await groups.apply()
        #expect(end.status == .exited(78))
        #expect(end.complaint.hasPrefix("there is a CronJob ‘nightly-2’ in namespace ‘work’ without the label"))
        #expect(groups.cronJobs == [foreign])
    }

    /// Annotations, a suspension by hand, and whatever else `groups.yaml` does not say.
    @Test func whatOthersHaveSetStays() async throws {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        let client = try groups.client()
        let patch: JSONValue = ["metadata": ["annotations": ["who": "me"]], "spec": ["suspend": true]]
        _ = try await client.patch(CronJob.self, "nightly-1", in: "work", .merge(patch), manager: "kubectl-patch")
        try groups.write(image: "work:2")
        #expect(try await groups.apply().status == .exited(0))
        let cronJob = try #require(groups.cronJob(1))
        #expect(cronJob.isSuspended && cronJob.annotations["who"] == "me" && cronJob.json.text.contains("\"work:2\""))
        await client.close()
    }

    @Test func aFieldThatSomebodyElseHasChanged() async throws {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        let client = try groups.client()
        let patch: JSONValue = ["spec": ["schedule": "0 3 * * *"]]
        _ = try await client.patch(CronJob.self, "nightly-2", in: "work", .merge(patch), manager: "kubectl-edit")
        await client.close()
        let before = groups.cronJobs
        try groups.write(image: "work:2")
        var end = try await groups.apply()
        #expect(end.status == .exited(78), "\(end.stderrText)")
        #expect(end.complaint.contains("‘nightly-2’") && end.complaint.contains(".spec.schedule"), "\(end.stderrText)")
        #expect(end.complaint.contains("kubectl-edit") && groups.cronJobs == before)

        end = try await groups.apply("--force-conflicts")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(groups.cronJobs.allSatisfy { $0.schedule == "0 0 * * *" })
    }
}

extension GroupsCluster {
    func client() throws -> KubernetesClient {
        KubernetesClient(
            try KubernetesConfiguration.find(kubeconfig: directory.path("kubeconfig"), context: nil, namespace: nil))
    }
}
