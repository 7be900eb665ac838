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
    /// No object has it, since versions begin with the first write to the whole store; a server-side apply with it changes
    /// nothing that is there. It makes what is not, as if it had none.
    private static let versionOfNone = "1"

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
        if let name = present.collision(with: wanted) { throw .misconfigured(foreign(name)) }
        let asked = GroupProgress("looked at", of: wanted.count)
        let entries = try await Self.each(wanted, asked) { cronJob throws(KubernetesError) in
            try await apply(cronJob, over: present.owned[cronJob.name], dryRun: true)
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
            if let wanted = entry.wanted { try await apply(wanted, over: entry.present) }
        }
        guard prune else { return }
        _ = try await Self.each(plan.entries.filter(\.isDeletable), progress) { entry throws(KubernetesError) in
            if let orphan = entry.present { try await delete(orphan) }
        }
    }

    /// Makes a CronJob what it is to be, and looks again when it is not any more what was seen of it.
    ///
    /// - Parameter seen: `nil` when there was none.
    @discardableResult
    private func apply(
        _ cronJob: CronJob, over seen: CronJob?, dryRun: Bool = false
    ) async throws(KubernetesError) -> GroupPlan.Entry {
        var (wanted, present) = (cronJob, seen)
        var absence: String? = Self.versionOfNone
        var tries = 0
        while true {
            tries += 1
            // With it the API server refuses to write over what was changed, or made, since it was looked at.
            wanted.resourceVersion = present?.resourceVersion ?? absence
            do throws(KubernetesError) {
                let result = try await client.apply(
                    wanted, manager: GroupLabels.applier, force: force, dryRun: dryRun)
                return GroupPlan.Entry(wanted: cronJob, present: present, dryRun: result)
            } catch {
                guard error.isAboutVersion, tries < Self.mostTries else { throw error }
                let wasPresent = present != nil
                present = try await find(cronJob.name)
                // A server that wants no version of what there is not.
                if !wasPresent && present == nil { absence = nil }
            }
        }
    }

    /// Asked for by a list, so that no other right is needed than for the plan. `nil` when there is none.
    private func find(_ name: String) async throws(KubernetesError) -> CronJob? {
        let found = try await client.list(CronJob.self, in: namespace, fields: "metadata.name=\(name)").items.first
        guard let found else { return nil }
        guard found.labels[GroupLabels.groups] == groups else { throw .misconfigured(foreign(name)) }
        return found
    }

    private func foreign(_ name: String) -> String {
        "there is a CronJob ‘\(name)’ in namespace ‘\(namespace)’ without the label \(GroupLabels.selector(groups)), so it "
            + "is somebody else's; rename it, or give the groups another name"
    }

    /// One that somebody else has deleted meanwhile is deleted, too.
    private func requireDeletable(_ orphan: CronJob) async throws(KubernetesError) {
        do throws(KubernetesError) {
            try await client.delete(CronJob.self, orphan.name, in: namespace, dryRun: true)
        } catch {
            guard error.isAbsence else { throw error }
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
                if error.isAbsence { return }
                guard error.isAboutVersion else { throw error }
                guard let current = try await find(orphan.name), current.uid == orphan.uid else { return }
                guard attempt < Self.mostTries, current.activeJobs.isEmpty else { throw error }
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
    /// Whether the object is not the one any more that was read, or a version was of no use.
    fileprivate var isAboutVersion: Bool {
        switch self {
        case .conflict: true
        case .rejected(_, let status), .invalid(_, let status): status.message.contains("resourceVersion")
        default: false
        }
    }

    fileprivate var isAbsence: Bool {
        if case .notFound = self { true } else { false }
    }
}
