import Semel
import SemelGroups
import SemelKubernetes

/// Looks at a namespace's groups, and tells what somebody has to know.
struct GroupWatch: Sendable {
    private let groups: String
    private let namespace: String
    private let client: KubernetesClient
    private let webhook: Webhook?

    init(_ file: GroupsFile, _ client: KubernetesClient, _ webhook: Webhook?) {
        groups = file.name
        namespace = file.namespace ?? client.namespace
        (self.client, self.webhook) = (client, webhook)
    }

    /// Told first and noted then: whoever is killed in between tells it again, and never not at all.
    func look() async throws(CommandFailure) {
        let (cronJobs, jobs) = try await objects()
        let alarms = alarms(cronJobs, jobs)
        guard !alarms.isEmpty else { return }
        try StandardOutput.write(alarms.map { GroupText.line($0, groups: groups) + "\n" }.joined())
        if let webhook { try await webhook.post(alarms, groups) }
        for alarm in alarms {
            guard let cronJob = cronJobs.first(where: { $0.name == alarm.cronJob }) else { continue }
            let job = jobs.first { $0.name == alarm.job }
            do throws(KubernetesError) {
                try await record(alarm, job?.json ?? cronJob.json)
                try await note(alarm, job)
            } catch {
                throw CommandFailure(error)
            }
        }
    }

    private func objects() async throws(CommandFailure) -> ([CronJob], [Job]) {
        let selector = GroupLabels.selector(groups)
        do throws(KubernetesError) {
            return (
                try await client.list(CronJob.self, in: namespace, labels: selector).items,
                try await client.list(Job.self, in: namespace, labels: selector).items
            )
        } catch {
            throw CommandFailure(error)
        }
    }

    private func alarms(_ cronJobs: [CronJob], _ jobs: [Job]) -> [Alarm] {
        let names = Set(cronJobs.map(\.name))
        let offsets = Dictionary(
            cronJobs.map { ($0.name, TimeZones.offset($0.timeZone ?? "UTC")) }, uniquingKeysWith: { first, _ in first })
        return WatchRules.alarms(
            cronJobs.compactMap { WatchedCronJob($0) },
            // With its CronJob, a Job is on its way out.
            jobs.compactMap { WatchedJob($0) }.filter { names.contains($0.cronJob) },
            now: Timestamp.now.milliseconds / 1_000
        ) { cronJob in
            (offsets[cronJob.name] ?? nil) ?? { _ in 0 }
        }
    }

    /// An event about the Job, or about the CronJob that has none. Its name tells what it is about: there is one of it.
    private func record(_ alarm: Alarm, _ regarding: JSONValue) async throws(KubernetesError) {
        let moment = alarm.scheduled.map { ".\($0 / 60)" } ?? ""
        var event = ClusterEvent(
            name: "\(alarm.job ?? alarm.cronJob).\(alarm.kind.rawValue)\(moment)", namespace: namespace)
        event.json["regarding"] = [
            "apiVersion": "batch/v1", "kind": alarm.job == nil ? "CronJob" : "Job", "namespace": .string(namespace),
            "name": regarding["metadata", "name"] ?? .null, "uid": regarding["metadata", "uid"] ?? .null,
        ]
        // With microseconds, as the API wants it.
        event.json["eventTime"] = .string(Timestamp.now.rfc3339.replacing("Z", with: "000Z"))
        event.json["type"] = "Warning"
        event.json["reason"] = .string(
            "Group\(alarm.kind.rawValue.prefix(1).uppercased())\(alarm.kind.rawValue.dropFirst())")
        event.json["action"] = "Watch"
        event.json["note"] = .string(String(GroupText.line(alarm, groups: groups).prefix(1_000)))
        event.json["reportingController"] = .string(GroupLabels.watcher)
        event.json["reportingInstance"] = .string(GroupLabels.watcher)
        event.labels = [GroupLabels.groups: groups, GroupLabels.group: alarm.group]
        do throws(KubernetesError) {
            _ = try await client.create(event, manager: GroupLabels.watcher)
        } catch {
            guard case .alreadyExists = error else { throw error }
        }
    }

    private func note(_ alarm: Alarm, _ job: Job?) async throws(KubernetesError) {
        do throws(KubernetesError) {
            if let job, let note = WatchedJob(job)?.note(telling: alarm.kind) {
                _ = try await client.patch(
                    Job.self, job.name, in: namespace, Self.annotation(AlarmNotes.told, note),
                    manager: GroupLabels.watcher)
            } else if let scheduled = alarm.scheduled {
                _ = try await client.patch(
                    CronJob.self, alarm.cronJob, in: namespace,
                    Self.annotation(AlarmNotes.missed, GroupText.moment(scheduled)), manager: GroupLabels.watcher)
            }
        } catch {
            // It has been deleted meanwhile, and nobody will look at it again.
            guard case .notFound = error else { throw error }
        }
    }

    private static func annotation(_ name: String, _ value: String) -> KubernetesPatch {
        .merge(["metadata": ["annotations": .object([name: .string(value)])]])
    }
}
