import Semel
import SemelGroups
import SemelKubernetes

/// Looks at a namespace's groups, and tells what somebody has to know.
struct GroupWatch {
    private let groups: String
    private let namespace: String
    private let client: KubernetesClient
    private let webhook: Webhook?
    /// What has been printed.
    private var said: Set<Alarm> = []

    init(_ file: GroupsFile, _ client: KubernetesClient, _ webhook: Webhook?) {
        groups = file.name
        namespace = file.namespace ?? client.namespace
        (self.client, self.webhook) = (client, webhook)
    }

    /// Told first and noted then: whoever is killed in between tells it again, and never not at all.
    ///
    /// An event that is not allowed keeps nobody from being told by the webhook, and a webhook that refuses no event from
    /// being recorded.
    mutating func look() async throws(CommandFailure) {
        let (cronJobs, jobs) = try await objects()
        let alarms = alarms(cronJobs, jobs)
        let lines = alarms.filter { said.insert($0).inserted }.map { GroupText.line($0, groups: groups) + "\n" }
        if !lines.isEmpty { try StandardOutput.write(lines.joined()) }
        var refusal: CommandFailure?
        var told: [Alarm] = []
        for alarm in alarms {
            let job = jobs.first { $0.name == alarm.job }
            guard let regarding = job?.json ?? cronJobs.first(where: { $0.name == alarm.cronJob })?.json else {
                continue
            }
            do throws(KubernetesError) {
                try await record(alarm, regarding)
                told.append(alarm)
            } catch {
                // Without the API server nothing can be noted, and all would be told again.
                if error.isPassing { throw CommandFailure(error) }
                refusal = CommandFailure(error)
            }
        }
        if let webhook, !alarms.isEmpty {
            try await webhook.post(alarms, groups)
            told = alarms
        }
        for alarm in told { try await note(alarm, jobs.first { $0.name == alarm.job }) }
        if let refusal { throw refusal }
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
        event.json["note"] = .string(GroupText.line(alarm, groups: groups).cut(toBytes: 1_024))
        event.json["reportingController"] = .string(GroupLabels.watcher)
        event.json["reportingInstance"] = .string(GroupLabels.watcher)
        event.labels[GroupLabels.groups] = groups
        // As it is there, since nobody knows what somebody has written.
        event.labels[GroupLabels.group] = regarding["metadata", "labels", GroupLabels.group]?.string
        do throws(KubernetesError) {
            _ = try await client.create(event, manager: GroupLabels.watcher)
        } catch {
            guard case .alreadyExists = error else { throw error }
        }
    }

    private func note(_ alarm: Alarm, _ job: Job?) async throws(CommandFailure) {
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
            guard case .notFound = error else { throw CommandFailure(error) }
        }
    }

    private static func annotation(_ name: String, _ value: String) -> KubernetesPatch {
        .merge(["metadata": ["annotations": .object([name: .string(value)])]])
    }
}

extension String {
    /// As much of it as fits, in whole characters of Unicode.
    fileprivate func cut(toBytes most: Int) -> String {
        var cut = unicodeScalars[...]
        while cut.reduce(0, { $0 + UTF8.width($1) }) > most { cut.removeLast() }
        return String(cut)
    }
}
