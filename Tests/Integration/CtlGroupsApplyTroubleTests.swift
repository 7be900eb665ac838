import Foundation
import KubernetesStandIn
import SemelKubernetes
import TestSupport
import Testing

/// `semelctl groups apply` when something is wrong: one line, and nothing has changed.
@Suite(.oneLane)
struct CtlGroupsApplyTroubleTests {
    @Test(arguments: [
        ("0 25 * * *", "", 3, "schedule: ‘25’ is no hour"),
        ("0 12 * * *", "", 3, "schedule: fires at 12:00, which is outside the window 00:00-05:00"),
        ("0 0 * * *", "scheduel: x", 6, "scheduel: unknown field"),
        ("0 0 * * *", "concurrency: Never", 6, "concurrency: ‘Never’ is none of"),
        ("0 0 * * *", "capacity: 3", 6, "capacity: is 3, and the items were assigned with 2"),
    ])
    func aBadFile(_ schedule: String, _ more: String, _ line: Int, _ words: String) async throws {
        let groups = try await GroupsCluster()
        try groups.write(schedule: schedule, more: more)
        let end = try await groups.apply()
        #expect(end.status == .exited(78))
        #expect(
            end.complaint.hasPrefix("\(groups.directory.path("groups.yaml")):\(line): \(words)"), "\(end.stderrText)")
        #expect(groups.writes.isEmpty)
    }

    @Test func aBadState() async throws {
        let groups = try await GroupsCluster()
        try groups.directory.write("semel-groups 1\nlayout keys\ncapacity none\n", to: "state")
        var end = try await groups.apply()
        #expect(end.status == .exited(78))
        #expect(end.complaint.hasPrefix("\(groups.directory.path("state")):3: capacity: "), "\(end.stderrText)")
        try FileManager.default.removeItem(atPath: groups.directory.path("state"))
        end = try await groups.apply()
        #expect(end.status == .exited(78))
        #expect(end.complaint.hasSuffix("/state; semelctl groups assign makes it"), "\(end.stderrText)")
        try groups.write(state: ".")
        end = try await groups.apply()
        #expect(end.status == .exited(78))
        #expect(end.complaint.hasPrefix("\(groups.directory.path("groups.yaml")):2: state: "), "\(end.stderrText)")
        #expect(end.complaint.hasSuffix(" is not a file"))
        #expect(groups.writes.isEmpty)
    }

    /// Nobody knows which of the two is meant.
    @Test(arguments: ["apply", "watch"])
    func twoNamespaces(_ command: String) async throws {
        let groups = try await GroupsCluster()
        try groups.write(more: "namespace: work")
        var end = try await groups.run(command, "-n", "default")
        #expect(end.status == .exited(64) && groups.cluster.seen.isEmpty)
        #expect(end.complaint.hasPrefix("--namespace: is ‘default’, and "), "\(end.stderrText)")
        end = try await groups.end(of: groups.start(command, ["-n", "work"] + (command == "watch" ? ["--once"] : [])))
        #expect(end.status == .exited(0), "\(end.stderrText)")
    }

    @Test func theStateInAConfigMap() async throws {
        let groups = try await GroupsCluster()
        let text = try String(contentsOfFile: groups.directory.path("groups.yaml"), encoding: .utf8)
        try groups.directory.write(text.replacing("state: state", with: "state: configmap:nightly"), to: "groups.yaml")
        let end = try await groups.apply()
        #expect(end.status == .exited(78))
        #expect(
            end.complaint.hasSuffix(
                "groups.yaml:2: state: there is no ConfigMap ‘nightly’ in namespace ‘work’; semelctl groups assign makes it"
            ),
            "\(end.stderrText)")
        var map = ConfigMap(name: "nightly", namespace: "work")
        map.data = ["other": "x"]
        groups.cluster.put(map)
        #expect(
            try await groups.apply().complaint.hasSuffix(
                ":2: state: ConfigMap ‘nightly’ in namespace ‘work’ has no key ‘state’; semelctl groups assign makes it"
            ))
        map.data = ["state": "semel-groups 1\nlayout buckets\ncapacity 9\ngroups 1\ngroup 4 items 2 buckets 0-9,12\n"]
        groups.cluster.put(map)
        #expect(try await groups.apply().status == .exited(0))
        #expect(groups.cronJobs.map(\.name) == ["nightly-4"])
        #expect(groups.cronJob(4)?.json.text.contains(#""SEMEL_GROUP_BUCKETS","value":"0-9,12""#) == true)
    }

    /// What this program lets through and Kubernetes does not.
    @Test func whatKubernetesRefuses() async throws {
        let groups = try await GroupsCluster()
        let text = try String(contentsOfFile: groups.directory.path("groups.yaml"), encoding: .utf8)
        try groups.directory.write(text.replacing("image: work:1", with: "imagePullPolicy: Always"), to: "groups.yaml")
        let end = try await groups.apply()
        #expect(end.status == .exited(78))
        #expect(end.complaint.contains("spec.jobTemplate.spec.template.spec.containers[0].image"), "\(end.stderrText)")
        #expect(groups.cronJobs.isEmpty && groups.writes.isEmpty)
    }

    @Test(arguments: [("list", "list"), ("patch", "apply"), ("create", "apply")])
    func aPermissionThatIsMissing(_ verb: String, _ word: String) async throws {
        let groups = try await GroupsCluster()
        groups.cluster.deny(.init(verb: verb, resource: "cronjobs"))
        let end = try await groups.apply()
        #expect(end.status == .exited(77), "\(end.stderrText)")
        #expect(end.complaint.hasPrefix("\(word) cronjobs.batch"), "\(end.stderrText)")
        #expect(end.complaint.contains("cannot \(verb) resource \"cronjobs\""), "\(end.stderrText)")
        #expect(groups.cronJobs.isEmpty && groups.writes.isEmpty)
    }

    /// It is known before anything else is changed.
    @Test func deletingIsNotAllowed() async throws {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        let before = groups.cronJobs
        try groups.writeState(groups: 2)
        try groups.write(image: "work:2")
        groups.cluster.deny(.init(verb: "delete", resource: "cronjobs"))
        let end = try await groups.apply("--prune")
        #expect(end.status == .exited(77) && end.complaint.contains("cannot delete"), "\(end.stderrText)")
        #expect(groups.cronJobs == before)
    }

    @Test func nobodyAnswers() async throws {
        let groups = try await GroupsCluster()
        try await groups.server.stop()
        let end = try await groups.apply()
        #expect(end.status == .exited(69) && end.complaint.contains("127.0.0.1"), "\(end.stderrText)")
    }

    @Test func theTokenHasExpired() async throws {
        let groups = try await GroupsCluster()
        groups.cluster.expire(token: GroupsCluster.token)
        let end = try await groups.apply()
        #expect(end.status == .exited(77), "\(end.stderrText)")
        #expect(end.complaint.hasPrefix("list cronjobs.batch"))
    }

    /// Killed behind any of its writes, and done again: as if nothing had happened.
    @Test(arguments: [1, 2, 5, 9])
    func killedAtAnyPoint(_ count: Int) async throws {
        let groups = try await GroupsCluster()
        try groups.writeState(groups: 6)
        _ = try await groups.apply()
        try groups.writeState(groups: 9)
        try groups.write(image: "work:2")
        let done = groups.writes.count
        // Everything takes a while, so that it can be killed in between.
        groups.cluster.inject(.init(.delay(.milliseconds(20)), target: "cronjobs", times: 1_000))
        let process = try groups.start("apply", ["--prune"])
        try await eventually("\(count) writes: \(process.report)") {
            groups.writes.count >= done + count || !process.isRunning
        }
        process.send(SIGKILL)
        try await process.waitForExit()
        let end = try await groups.apply("--prune")
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(groups.cronJobs.count == 9 && groups.cronJobs.allSatisfy { $0.json.text.contains("\"work:2\"") })
        #expect(try await groups.apply().stderrText == "nightly: 0 created, 0 updated, 9 unchanged\n")
    }

    @Test func twoAtOnce() async throws {
        let groups = try await GroupsCluster()
        try groups.writeState(groups: 30)
        for image in ["work:1", "work:2", "work:3"] {
            try groups.write(image: image)
            try groups.writeState(groups: image == "work:2" ? 20 : 30)
            async let one = groups.apply("--prune")
            async let other = groups.apply("--prune")
            for end in try await [one, other] { #expect(end.status == .exited(0), "\(end.stderrText)") }
            #expect(groups.cronJobs.count == (image == "work:2" ? 20 : 30))
            #expect(groups.cronJobs.allSatisfy { $0.json.text.contains("\"\(image)\"") })
        }
    }

    /// Somebody changes an object between the look at it and the write: it is looked at again.
    @Test func changedMeanwhile() async throws {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        try groups.write(image: "work:2")
        groups.cluster.inject(.init(.delay(.milliseconds(300)), method: "PATCH", target: "nightly-2", times: 1))
        let process = try groups.start("apply", [])
        try await eventually("it was looked at") {
            groups.cluster.seen.contains { $0.target.contains("nightly-3?dryRun") }
        }
        var touched = try #require(groups.cronJob(2))
        touched.annotations["touched"] = "yes"
        touched.resourceVersion = nil
        groups.cluster.put(touched)
        #expect(try await groups.end(of: process).status == .exited(0), "\(process.report)")
        let cronJob = try #require(groups.cronJob(2))
        #expect(cronJob.json.text.contains("\"work:2\"") && cronJob.annotations["touched"] == "yes")
    }

    /// Somebody makes a CronJob of a wanted name when it has been seen that there is none; one that an apply would only
    /// have to add its labels to.
    @Test(arguments: ["nightly-2?dryRun", "nightly-2?fieldManager"], [[], ["--force-conflicts"]])
    func somebodyElsesMadeMeanwhile(_ request: String, _ flags: [String]) async throws {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        var foreign = try #require(groups.cronJob(2))
        for group in 1...3 { groups.cluster.remove(CronJob.self, "nightly-\(group)", in: "work") }
        foreign.labels = ["app": "somebody's"]
        foreign.json["metadata", "uid"] = nil
        foreign.json["metadata", "managedFields"] = nil
        let theirs = foreign
        groups.cluster.inject(
            .init(.meanwhile { $0.put(theirs) }, method: "PATCH", target: request, times: 1))
        let count = groups.writes.count
        let end = try await groups.end(of: groups.start("apply", flags))
        #expect(end.status == .exited(78), "\(end.stderrText)")
        #expect(end.complaint.hasPrefix("there is a CronJob ‘nightly-2’ in namespace ‘work’ without the label"))
        let left = try #require(groups.cronJob(2))
        #expect(left.labels == foreign.labels && left.managers.isEmpty && left.json["spec"] == foreign.json["spec"])
        if request.contains("dryRun") { #expect(groups.cronJobs.count == 1 && groups.writes.count == count) }
    }

    /// Another controller makes it, or takes it away, in the moment in which it is written.
    @Test func oursMadeAndTakenMeanwhile() async throws {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        let first = try #require(groups.cronJob(1))
        groups.cluster.remove(CronJob.self, "nightly-1", in: "work")
        try groups.write(image: "work:2")
        groups.cluster.inject(
            .init(.meanwhile { $0.put(first) }, method: "PATCH", target: "nightly-1?fieldManager", times: 1))
        groups.cluster.inject(
            .init(
                .meanwhile { $0.remove(CronJob.self, "nightly-2", in: "work") }, method: "PATCH",
                target: "nightly-2?fieldManager", times: 1))
        let end = try await groups.apply()
        #expect(end.status == .exited(0), "\(end.stderrText)")
        #expect(groups.cronJobs.count == 3 && groups.cronJobs.allSatisfy { $0.json.text.contains("\"work:2\"") })
        #expect(groups.cluster.faultCount == 0 && groups.cronJob(1)?.uid == first.uid)
        #expect(try await groups.apply().stderrText == "nightly: 0 created, 0 updated, 3 unchanged\n")
    }

    /// What a Role has to allow is what is asked for, also when two are at it.
    @Test func rightsThatAreNeeded() async throws {
        let groups = try await GroupsCluster()
        groups.cluster.deny(.init(verb: "get", resource: "cronjobs"))
        groups.cluster.deny(.init(verb: "watch"))
        try groups.writeState(groups: 9)
        for count in [9, 4] {
            try groups.writeState(groups: count)
            try groups.write(image: "work:\(count)")
            async let one = groups.apply("--prune")
            async let other = groups.apply("--prune")
            for end in try await [one, other] { #expect(end.status == .exited(0), "\(end.stderrText)") }
            #expect(groups.cronJobs.count == count)
        }
    }

    @Test(arguments: [["--interval", "0"], ["--interval", "soon"]])
    func usage(_ arguments: [String]) async throws {
        let groups = try await GroupsCluster()
        let end = try await groups.end(of: groups.start("watch", arguments))
        #expect(end.status == .exited(64) && end.complaint.hasPrefix("--interval: "), "\(end.stderrText)")
    }
}
