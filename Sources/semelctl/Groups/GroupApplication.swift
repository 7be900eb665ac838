import Semel
import SemelGroups
import SemelKubernetes

/// Makes the cluster what the groups want: first asks about everything, then does it.
///
/// Every write is one object's, and repeating it has no effect. So whoever is killed half way, and two who do it at once,
/// leave what the next run makes whole.
struct GroupApplication: Sendable {
    /// How many requests are under way at once.
    private static let width = 8
    /// How often somebody else may change the same CronJob between reading and writing it.
    private static let mostTries = 5

    private let wanted: [CronJob]
    private let groups: String
    private let namespace: String
    private let client: KubernetesClient
    private let force: Bool
    private let prune: Bool

    init(_ file: GroupsFile, _ state: GroupState, _ client: KubernetesClient, force: Bool, prune: Bool) {
        namespace = file.namespace ?? client.namespace
        wanted = file.cronJobs(state, namespace: namespace)
        groups = file.name
        (self.client, self.force, self.prune) = (client, force, prune)
    }

    /// Changes nothing, and finds out whether everything can be changed.
    func plan() async throws(CommandFailure) -> GroupPlan {
        let present: PresentCronJobs
        do throws(KubernetesError) {
            // All of them: a name may be taken by somebody else's.
            present = PresentCronJobs(try await client.list(CronJob.self, in: namespace).items, of: groups)
        } catch {
            throw CommandFailure(error)
        }
        if let name = present.collision(with: wanted) {
            throw .misconfigured(
                "there is a CronJob ‘\(name)’ in namespace ‘\(namespace)’ without the label \(GroupLabels.selector(groups)), so "
                    + "it is somebody else's; rename it, or give the groups another name")
        }
        let asked = GroupProgress("looked at", of: wanted.count)
        let entries = try await Self.each(wanted, asked) { cronJob throws(KubernetesError) in
            GroupPlan.Entry(
                wanted: cronJob, present: present.owned[cronJob.name],
                dryRun: try await client.apply(cronJob, manager: GroupLabels.applier, force: force, dryRun: true))
        }
        let orphans = present.orphans(of: wanted)
        if prune {
            _ = try await Self.each(orphans, nil) { orphan throws(KubernetesError) in
                try await requireDeletable(orphan)
            }
        }
        return GroupPlan(entries + orphans.map { GroupPlan.Entry(orphan: $0) })
    }

    /// Creates and updates before anything is deleted.
    func carryOut(_ plan: GroupPlan, _ progress: GroupProgress) async throws(CommandFailure) {
        _ = try await Self.each(plan.entries.filter(\.isWrite), progress) { entry throws(KubernetesError) in
            try await apply(entry)
        }
        guard prune else { return }
        _ = try await Self.each(plan.entries.filter(\.isDeletable), progress) { entry throws(KubernetesError) in
            if let orphan = entry.present { try await delete(orphan) }
        }
    }

    private func apply(_ entry: GroupPlan.Entry) async throws(KubernetesError) {
        guard var wanted = entry.wanted else { return }
        // With it the API server refuses what was changed since it was looked at.
        wanted.resourceVersion = entry.present?.resourceVersion
        for attempt in 1... {
            do throws(KubernetesError) {
                _ = try await client.apply(wanted, manager: GroupLabels.applier, force: force)
                return
            } catch {
                guard error.isStale, attempt < Self.mostTries else { throw error }
                wanted.resourceVersion = try await currentVersion(of: wanted)
            }
        }
    }

    /// `nil` when it has been deleted meanwhile.
    private func currentVersion(of cronJob: CronJob) async throws(KubernetesError) -> String? {
        guard let current = try await client.find(CronJob.self, cronJob.name, in: namespace) else { return nil }
        guard current.labels[GroupLabels.groups] == groups else {
            throw .misconfigured(
                "CronJob ‘\(cronJob.name)’ in namespace ‘\(namespace)’ has lost its label \(GroupLabels.selector(groups))"
            )
        }
        return current.resourceVersion
    }

    private func requireDeletable(_ orphan: CronJob) async throws(KubernetesError) {
        do throws(KubernetesError) {
            try await client.delete(CronJob.self, orphan.name, in: namespace, dryRun: true)
        } catch {
            // Somebody else has deleted it.
            guard case .notFound = error else { throw error }
        }
    }

    /// Only the one that was looked at, and only as it was: a Job may have begun since, which would be deleted, too.
    private func delete(_ orphan: CronJob) async throws(KubernetesError) {
        var orphan = orphan
        for attempt in 1... {
            do throws(KubernetesError) {
                try await client.delete(
                    CronJob.self, orphan.name, in: namespace, uid: orphan.uid,
                    resourceVersion: orphan.resourceVersion)
                return
            } catch {
                guard error.isStale else { throw error }
                let current = try await client.find(CronJob.self, orphan.name, in: namespace)
                // Somebody else has deleted it.
                guard let current, current.uid == orphan.uid else { return }
                guard attempt < Self.mostTries, current.activeJobs.isEmpty,
                    current.labels[GroupLabels.groups] == groups
                else { throw error }
                orphan = current
            }
        }
    }

    /// Some at once, with a line on a terminal; the first that fails ends it.
    private static func each<Element: Sendable, Result: Sendable>(
        _ elements: [Element], _ progress: GroupProgress?,
        _ body: @escaping @Sendable (Element) async throws(KubernetesError) -> Result
    ) async throws(CommandFailure) -> [Result] {
        let line = progress.map { ProgressLine($0) }
        do {
            let results = try await all(elements) { element in
                let result = try await body(element)
                progress?.add()
                return result
            }
            await line?.remove()
            return results
        } catch {
            await line?.remove()
            guard let error = error as? KubernetesError else { throw CommandFailure("\(error)", .internalError) }
            throw CommandFailure(error)
        }
    }

    private static func all<Element: Sendable, Result: Sendable>(
        _ elements: [Element], _ body: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: Result.self) { tasks in
            var results: [Result] = []
            for (index, element) in elements.enumerated() {
                if index >= width, let result = try await tasks.next() { results.append(result) }
                tasks.addTask { try await body(element) }
            }
            for try await result in tasks { results.append(result) }
            return results
        }
    }
}

extension GroupPlan.Entry {
    var isWrite: Bool {
        switch action {
        case .create, .update: true
        case .unchanged, .orphaned: false
        }
    }

    /// A Job that runs is let run: with its CronJob it would be deleted, too.
    var isDeletable: Bool { action == .orphaned(running: []) }
}

extension KubernetesError {
    /// Whether the object is not the one any more that was read.
    fileprivate var isStale: Bool {
        switch self {
        case .conflict, .notFound: true
        default: false
        }
    }
}
