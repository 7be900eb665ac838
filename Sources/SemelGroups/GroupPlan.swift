import SemelKEDA
public import SemelKubernetes

/// What has to be done so that there is a CronJob for every group.
///
/// What a write would change is for the API server to say: it is asked to make it without keeping it (`dryRun=All`), and what
/// it answers is compared with what there is. So defaults, other people's fields and webhooks count as they do in earnest.
public struct GroupPlan: Sendable {
    public enum Action: Sendable, Hashable {
        case create
        case update([FieldDifference])
        case unchanged
        /// Belongs to no group any more. With the Jobs of it that run.
        case orphaned(running: [String])

        public var word: String {
            switch self {
            case .create: "create"
            case .update: "update"
            case .unchanged: "unchanged"
            case .orphaned: "orphaned"
            }
        }
    }

    public struct Entry: Sendable {
        public let name: String
        public let group: String
        public let action: Action
        /// As it has to be; `nil` for an orphan.
        public let wanted: CronJob?
        /// As it is.
        public let present: CronJob?

        public init(wanted: CronJob, present: CronJob?, dryRun: CronJob) {
            name = wanted.name
            group = wanted.labels[GroupLabels.group] ?? ""
            self.wanted = wanted
            self.present = present
            guard let present else {
                action = .create
                return
            }
            let differences = FieldDifference.between(present.json, dryRun.json)
            action = differences.isEmpty ? .unchanged : .update(differences)
        }

        public init(orphan: CronJob) {
            name = orphan.name
            group = orphan.labels[GroupLabels.group] ?? ""
            wanted = nil
            present = orphan
            action = .orphaned(running: orphan.activeJobs)
        }
    }

    /// In the order of the groups' numbers.
    public let entries: [Entry]

    public init(_ entries: [Entry]) {
        self.entries = entries.sorted { (Int($0.group) ?? .max, $0.name) < (Int($1.group) ?? .max, $1.name) }
    }

    public func count(_ word: String) -> Int { entries.count { $0.action.word == word } }
}

/// The CronJobs of a namespace, sorted by whose they are.
public struct PresentCronJobs: Sendable {
    /// Those that carry the label with this name.
    public let owned: [String: CronJob]
    private let foreign: Set<String>

    public init(_ all: [CronJob], of groups: String) {
        var owned: [String: CronJob] = [:]
        var foreign: Set<String> = []
        for cronJob in all {
            if cronJob.labels[GroupLabels.groups] == groups {
                owned[cronJob.name] = cronJob
            } else {
                foreign.insert(cronJob.name)
            }
        }
        self.owned = owned
        self.foreign = foreign
    }

    /// The first name that is wanted and somebody else's.
    public func collision(with wanted: [CronJob]) -> String? {
        wanted.map(\.name).first { foreign.contains($0) }
    }

    public func orphans(of wanted: [CronJob]) -> [CronJob] {
        let names = Set(wanted.map(\.name))
        return owned.values.filter { !names.contains($0.name) }
    }
}
