import Semel
public import SemelKEDA

/// `groups.yaml`: what every group's CronJob is.
///
/// What Kubernetes would refuse, or would take for something else than is meant, is an error with its line.
public struct GroupsFile: Sendable {
    /// The CronJobs are called `NAME-1`, `NAME-2` and so on.
    public let name: String
    /// `nil`: whichever namespace the command is told.
    public let namespace: String?
    /// A file's path, relative to this file, or `configmap:[NAMESPACE/]NAME`.
    public let state: Located<String>?
    /// How many items a group has at most. The state has to agree.
    public let capacity: Located<Int32>?
    public let schedule: Located<String>
    public let timeZone: Located<String>
    /// `Forbid`, `Allow` or `Replace`.
    public let concurrency: String
    /// How many finished Jobs of a CronJob are kept; `nil` leaves it to Kubernetes (3 and 1).
    public let history: History
    /// `nil` leaves it to whoever suspends one of them by hand.
    public let suspend: Bool?
    public let deadlines: Deadlines
    /// A CronJob's `jobTemplate`, without what is added to it.
    public let jobTemplate: YAMLValue

    public struct History: Sendable, Hashable {
        public let successful: Int32?
        public let failed: Int32?
    }

    /// In seconds.
    public struct Deadlines: Sendable, Hashable {
        /// `startingDeadlineSeconds`: how late a Job may still begin.
        public let starting: Int64?
        /// `activeDeadlineSeconds` of the Job: how long it may run.
        public let active: Int64?
    }

    /// - Parameter file: What to call it in messages.
    public init(_ text: String, file: String) throws(ManifestError) {
        let documents = try YAMLReader.documents(in: text, file: file)
        guard let document = documents.first, documents.count == 1 else {
            throw ManifestError(
                file: file, line: documents.dropFirst().first?.position.line,
                message: documents.isEmpty
                    ? "is empty; name, schedule, timeZone and jobTemplate have to be in it"
                    : "has more than one document")
        }
        let list = FindingList()
        let fields = FieldReader.read(document, path: "", list) { GroupsFields(&$0) }
        // In a CronJob's own template Kubernetes says itself what it does not know: it may be newer than this.
        let errors = list.findings.filter { $0.isError || !$0.path.hasPrefix("jobTemplate.") }
        if let first = errors.min(by: { $0.position < $1.position }) { throw ManifestError(first) }
        guard let fields, let name = fields.name, let schedule = fields.schedule, let zone = fields.timeZone,
            let template = fields.jobTemplate
        else { throw ManifestError(file: file, line: document.position.line, message: "cannot be read") }
        self.name = name.value
        namespace = fields.namespace?.value
        state = fields.state
        capacity = fields.capacity
        self.schedule = schedule
        timeZone = zone
        concurrency = fields.concurrency?.value ?? "Forbid"
        history = fields.history
        suspend = fields.suspend?.value
        deadlines = try ScheduleRules(fields, schedule).deadlines()
        jobTemplate = template
    }
}

extension ManifestError {
    init(_ finding: Finding) {
        let path = finding.path.isEmpty ? "" : "\(finding.path): "
        self.init(file: finding.position.file, line: finding.position.line, message: path + finding.message)
    }

    init(_ place: Located<some Sendable>, _ message: String) {
        self.init(Finding(.invalid, at: place.position, path: place.path, message))
    }
}
