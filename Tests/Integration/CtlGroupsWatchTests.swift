import Foundation
import KubernetesStandIn
import SemelKubernetes
import TestSupport
import Testing

/// `semelctl groups watch`: who is told what, and how often.
@Suite(.oneLane)
struct CtlGroupsWatchTests {
    /// A cluster whose three CronJobs were made a week ago, and had a Job at every midnight up to now.
    private func watched() async throws -> GroupsCluster {
        let groups = try await GroupsCluster()
        _ = try await groups.apply()
        for cronJob in groups.cronJobs {
            var cronJob = cronJob
            cronJob.json["metadata", "creationTimestamp"] = .string(Self.moment(-7 * 86_400))
            let managers = (cronJob.json["metadata", "managedFields"]?.array ?? []).map { manager in
                var manager = manager
                manager["time"] = .string(Self.moment(-7 * 86_400))
                return manager
            }
            cronJob.json["metadata", "managedFields"] = .array(managers)
            cronJob.json["status", "lastScheduleTime"] = .string(Self.moment(0))
            groups.cluster.put(cronJob)
        }
        return groups
    }

    private static func moment(_ seconds: Double) -> String {
        Date(timeIntervalSinceNow: seconds).formatted(.iso8601)
    }

    private func job(_ group: Int, _ groups: GroupsCluster, hoursAgo: Double, _ status: JSONValue) throws -> Job {
        let cronJob = try #require(groups.cronJob(group))
        let due = Date(timeIntervalSinceNow: -hoursAgo * 3_600)
        var job = Job(name: "\(cronJob.name)-\(Int(due.timeIntervalSince1970) / 60)", namespace: "work")
        job.labels = ["semel/groups": "nightly", "semel/group": "\(group)"]
        job.json["metadata", "ownerReferences"] = [
            [
                "apiVersion": "batch/v1", "kind": "CronJob", "name": .string(cronJob.name), "uid": .string(cronJob.uid),
                "controller": true,
            ]
        ]
        job.json["spec"] = cronJob.jobTemplate["spec"]
        job.json["status"] = status
        return groups.cluster.put(job)
    }

    private static let failed: JSONValue = [
        "conditions": [
            [
                "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
                "message": "Job has reached the specified backoff limit",
            ]
        ]
    ]

    @Test func allIsWell() async throws {
        let groups = try await watched()
        _ = try job(1, groups, hoursAgo: 1, ["conditions": [["type": "Complete", "status": "True"]]])
        _ = try job(2, groups, hoursAgo: 1, ["active": 1])
        let count = groups.writes.count
        let end = try await groups.run("watch", "--once")
        #expect(end.status == .exited(0) && end.stdoutText == "" && end.stderrText == "", "\(end.stderrText)")
        #expect(groups.writes.count == count)
    }

    @Test func aJobThatFailed() async throws {
        let groups = try await watched()
        let receiver = try await WebhookReceiver()
        let job = try job(2, groups, hoursAgo: 1, Self.failed)
        let variables = ["SEMEL_GROUPS_WEBHOOK": receiver.url]
        let end = try await groups.run("watch", "--once", variables: variables)
        let line =
            "nightly, group 2: Job \(job.name) failed: BackoffLimitExceeded, Job has reached the specified backoff limit"
        #expect(end.status == .exited(0) && end.stdoutText == line + "\n", "\(end.stderrText)")
        #expect(try receiver.texts() == [line])
        let events = groups.cluster.objects(ClusterEvent.self, in: "work")
        #expect(events.map(\.reason) == ["GroupFailed"] && events.first?.severity == "Warning")
        #expect(events.first?.note == line && events.first?.regardingName == job.name)
        #expect(events.first?.regardingUID == job.uid && events.first?.regardingKind == "Job")

        // Another one that starts anew knows what was told.
        let again = try await groups.run("watch", "--once", variables: variables)
        #expect(again.stdoutText == "" && again.status == .exited(0), "\(again.stderrText)")
        #expect(try receiver.texts().count == 1)
        #expect(groups.cluster.objects(ClusterEvent.self, in: "work").count == 1)
    }

    @Test func aStartThatWasMissed() async throws {
        let groups = try await watched()
        var late = try #require(groups.cronJob(3))
        late.json["status", "lastScheduleTime"] = .string(Self.moment(-3 * 86_400))
        groups.cluster.put(late)
        let end = try await groups.run("watch", "--once")
        #expect(end.stdoutText.hasPrefix("nightly, group 3: no Job began in time, due "), "\(end.stdoutText)")
        #expect(end.stdoutText.hasSuffix(":00:00Z\n"))
        let events = groups.cluster.objects(ClusterEvent.self, in: "work")
        #expect(events.map(\.reason) == ["GroupMissed"] && events.first?.regardingKind == "CronJob")
        #expect(try await groups.run("watch", "--once").stdoutText == "")
        // The note is no change of ours to undo, and none that makes the CronJob another.
        #expect(try await groups.apply().stderrText == "nightly: 0 created, 0 updated, 3 unchanged\n")
        #expect(groups.cronJob(3)?.annotations["semel/alarm-missed"] != nil)

        var suspended = try #require(groups.cronJob(2))
        suspended.json["status", "lastScheduleTime"] = .string(Self.moment(-3 * 86_400))
        suspended.json["spec", "suspend"] = true
        groups.cluster.put(suspended)
        #expect(try await groups.run("watch", "--once").stdoutText == "")
    }

    @Test func aJobThatRunsPastItsWindow() async throws {
        let groups = try await watched()
        let job = try job(1, groups, hoursAgo: 6, ["active": 1])
        let end = try await groups.run("watch", "--once")
        #expect(end.stdoutText.hasPrefix("nightly, group 1: Job \(job.name) still runs, although its window ended "))
        #expect(try await groups.run("watch", "--once").stdoutText == "")
        // Its end is something else.
        var ended = try #require(groups.cluster.object(Job.self, job.name, in: "work"))
        ended.json["status"] = Self.failed
        groups.cluster.put(ended)
        #expect(try await groups.run("watch", "--once").stdoutText.contains("failed: BackoffLimitExceeded"))
        #expect(try await groups.run("watch", "--once").stdoutText == "")
    }

    @Test(arguments: [
        (503, "503 Service Unavailable"), (429, "429 Too Many Requests"), (302, "302 Found"), (404, "404 Not Found"),
    ])
    func aWebhookThatRefuses(_ status: Int, _ words: String) async throws {
        let groups = try await watched()
        let receiver = try await WebhookReceiver(refusing: 1, with: status)
        _ = try job(2, groups, hoursAgo: 1, Self.failed)
        try groups.directory.write(receiver.url + "\n", to: "webhook")
        let file = groups.directory.path("webhook")
        let end = try await groups.run("watch", "--once", "--webhook-file", file)
        #expect(end.status == .exited(69))
        #expect(
            end.complaint
                == "the webhook of --webhook-file answered \(words); it is tried again at the next look")
        #expect(try receiver.texts().isEmpty)
        // Kubernetes has it already.
        #expect(groups.cluster.objects(ClusterEvent.self, in: "work").count == 1)
        #expect(try await groups.run("watch", "--once", "--webhook-file", file).status == .exited(0))
        #expect(try receiver.texts().count == 1)
        #expect(groups.cluster.objects(ClusterEvent.self, in: "work").count == 1)
    }

    /// Whoever may not record events tells the webhook nevertheless, once, and says what is missing.
    @Test func eventsAreNotAllowed() async throws {
        let groups = try await watched()
        let receiver = try await WebhookReceiver()
        let variables = ["SEMEL_GROUPS_WEBHOOK": receiver.url]
        for group in 1...2 { _ = try job(group, groups, hoursAgo: 1, Self.failed) }
        groups.cluster.deny(.init(verb: "create", resource: "events"))
        let end = try await groups.run("watch", "--once", variables: variables)
        #expect(
            end.status == .exited(77) && end.complaint.hasPrefix("create events.events.k8s.io"), "\(end.stderrText)")
        #expect(try receiver.texts().first?.split(separator: "\n").count == 2)
        #expect(try await groups.run("watch", "--once", variables: variables).status == .exited(0))
        #expect(try receiver.texts().count == 1)
    }

    /// Labels that somebody has changed, a reason as long as a Job's may be.
    @Test func whatAnEventCannotHold() async throws {
        let groups = try await watched()
        var strange = try job(2, groups, hoursAgo: 1, Self.failed)
        strange.labels["semel/group"] = nil
        strange.json["status", "conditions"] = [
            [
                "type": "Failed", "status": "True", "reason": "PodFailurePolicy",
                "message": .string(String(repeating: "ü", count: 2_000)),
            ]
        ]
        groups.cluster.put(strange)
        let end = try await groups.run("watch", "--once")
        #expect(end.status == .exited(0) && end.stdoutText.hasPrefix("nightly, group ?: Job "), "\(end.stderrText)")
        let event = try #require(groups.cluster.objects(ClusterEvent.self, in: "work").first)
        #expect(event.labels == ["semel/groups": "nightly"])
        #expect((1_000...1_024).contains(event.note.utf8.count) && event.note.hasSuffix("ü"))
    }

    /// What was due while a CronJob was suspended is not missed when it goes on; what failed meanwhile has failed.
    @Test func aSuspensionThatEnds() async throws {
        let groups = try await watched()
        var paused = try #require(groups.cronJob(3))
        paused.json["status", "lastScheduleTime"] = .string(Self.moment(-3 * 86_400))
        paused.json["spec", "suspend"] = true
        groups.cluster.put(paused)
        _ = try job(3, groups, hoursAgo: 70, Self.failed)
        #expect(try await groups.run("watch", "--once").stdoutText.contains("group 3: Job nightly-3-"))
        let client = KubernetesClient(
            try KubernetesConfiguration.find(kubeconfig: groups.directory.path("kubeconfig"), environment: [:]))
        _ = try await client.patch(
            CronJob.self, "nightly-3", in: "work", .merge(["spec": ["suspend": false]]), manager: "kubectl-patch")
        await client.close()
        let end = try await groups.run("watch", "--once")
        #expect(end.status == .exited(0) && end.stdoutText == "", "\(end.stdoutText)\(end.stderrText)")
    }

    /// The one that stays: it goes on when the API server or the webhook fails, and ends by a signal.
    @Test func againAndAgain() async throws {
        let groups = try await watched()
        let receiver = try await WebhookReceiver(refusing: 1)
        let process = try groups.start("watch", ["--interval", "1s"], ["SEMEL_GROUPS_WEBHOOK": receiver.url])
        try await eventually("it has looked") { groups.cluster.seen.contains { $0.target.contains("/jobs?") } }
        _ = try job(2, groups, hoursAgo: 1, Self.failed)
        try await eventually(timeout: .seconds(30), "it was told: \(process.report)") { try !receiver.texts().isEmpty }
        try await eventually("it was noted") {
            groups.cluster.objects(Job.self, in: "work").first?.annotations["semel/alarms"] == "failed"
        }
        let looks = groups.cluster.seen.count
        try await eventually(timeout: .seconds(30), "it looks again") { groups.cluster.seen.count > looks + 2 }
        #expect(try receiver.texts().count == 1)
        // Not at every look, either, while the webhook refused.
        #expect(process.stdout.text.split(separator: "\n").count == 1)
        process.send(SIGTERM)
        #expect(try await process.waitForExit() == .signalled(SIGTERM))
    }

    @Test func whatIsWrong() async throws {
        let groups = try await watched()
        var end = try await groups.run("watch", "--once", variables: ["SEMEL_GROUPS_WEBHOOK": "slack"])
        #expect(end.status == .exited(78))
        #expect(end.complaint == "SEMEL_GROUPS_WEBHOOK: is no URL that begins with https:// or http://")
        end = try await groups.run("watch", "--once", "--webhook-file", "/nonexistent")
        #expect(end.status == .exited(78) && end.complaint.hasPrefix("--webhook-file: cannot open /nonexistent: "))
        groups.cluster.deny(.init(verb: "list", resource: "jobs"))
        end = try await groups.run("watch")
        #expect(end.status == .exited(77) && end.complaint.hasPrefix("list jobs.batch"), "\(end.stderrText)")
    }
}
