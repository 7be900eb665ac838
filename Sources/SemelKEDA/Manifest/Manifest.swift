/// What is in one or more YAML files: ScaledJobs, and the objects that they name.
public struct Manifest: Sendable {
    public private(set) var scaledJobs: [ScaledJob] = []
    public private(set) var authentications: [TriggerAuthentication] = []
    public private(set) var secrets: [Secret] = []
    public private(set) var configMaps: [ConfigMap] = []
    /// Objects of other kinds, kept as they are written.
    public private(set) var others: [OtherObject] = []
    /// In the order of the files.
    public private(set) var findings: [Finding] = []
    /// Which of the findings are of which object.
    private var owners: [Owner] = []

    private struct Owner {
        let kind: String
        let name: String?
        let position: Position
        let findings: Range<Int>
    }

    public struct OtherObject: Sendable {
        public let kind: String
        public let name: String?
        public let source: YAMLValue

        /// KEDA's other kind: it scales a Deployment, and starts no Jobs.
        public var isScaledObject: Bool {
            kind == "ScaledObject" && source["apiVersion"]?.text?.hasPrefix("keda.sh/") == true
        }
    }

    public init() {}

    /// - Parameter file: What to call it in messages.
    public init(_ text: String, file: String) throws(ManifestError) {
        try add(text, file: file)
    }

    /// Adds a file's documents: any number, empty ones among them. Lists are taken apart. What is no object of Kubernetes,
    /// such as a Helm chart's values, is left alone.
    ///
    /// - Parameter changes: What is different on this machine.
    public mutating func add(_ text: String, file: String, _ changes: DeskChanges = DeskChanges()) throws(ManifestError)
    {
        let list = FindingList()
        for document in try YAMLReader.documents(in: text, file: file) { add(changes.applied(to: document), list) }
        findings += list.findings
    }

    public func scaledJob(named name: String) -> ScaledJob? {
        scaledJobs.first { $0.name == name }
    }

    /// What is found in this ScaledJob and in the objects that it names. Other objects may be in the same files and have
    /// nothing to do with it.
    public func findings(for job: ScaledJob) -> [Finding] {
        let named = namesOfObjects(for: job)
        return owners.filter { owner in
            owner.position == job.position || named.contains { $0 == (owner.kind, owner.name) }
        }.flatMap { findings[$0.findings] }
    }

    private func namesOfObjects(for job: ScaledJob) -> [(kind: String, name: String?)] {
        let references = job.triggers.compactMap { trigger -> (kind: String, name: String?)? in
            guard let reference = trigger.authenticationRef, let name = reference.name?.value else { return nil }
            let isClusterWide = reference.kind?.value == "ClusterTriggerAuthentication"
            return (isClusterWide ? "ClusterTriggerAuthentication" : "TriggerAuthentication", name)
        }
        var names = references
        for authentication in authentications {
            let kind = authentication.isClusterWide ? "ClusterTriggerAuthentication" : "TriggerAuthentication"
            guard references.contains(where: { $0 == (kind, authentication.metadata.name?.value) }) else { continue }
            names += authentication.secrets.map { ("Secret", $0.name) }
            names += authentication.configMaps.map { ("ConfigMap", $0.name) }
        }
        for container in job.job?.template.map({ $0.containers + $0.initContainers }) ?? [] {
            names += container.envFrom.compactMap { source in source.secretName.map { ("Secret", $0.value) } }
            names += container.envFrom.compactMap { source in source.configMapName.map { ("ConfigMap", $0.value) } }
            for variable in container.env {
                switch variable.source {
                case .secret(let key): names.append(("Secret", key.name))
                case .configMap(let key): names.append(("ConfigMap", key.name))
                case .value, .field, .resource: break
                }
            }
        }
        return names
    }

    private mutating func add(_ document: YAMLValue, _ list: FindingList) {
        guard let kind = document["kind"]?.text else { return }
        if kind.hasSuffix("List"), let items = document["items"]?.elements {
            for item in items { add(item, list) }
            return
        }
        let group = document["apiVersion"]?.text.map { $0.split(separator: "/").dropLast().joined(separator: "/") }
        // The list's findings are put behind those of the files before.
        let start = findings.count + list.findings.count
        defer {
            owners.append(
                Owner(
                    kind: kind, name: document["metadata"]?["name"]?.text, position: document.position,
                    findings: start..<findings.count + list.findings.count))
        }
        _ = FieldReader.read(document, path: "", list) { reader in
            switch (kind, group) {
            case ("ScaledJob", "keda.sh"): scaledJobs.append(ScaledJob(&reader))
            case ("TriggerAuthentication", "keda.sh"):
                authentications.append(TriggerAuthentication(&reader, isClusterWide: false))
            case ("ClusterTriggerAuthentication", "keda.sh"):
                authentications.append(TriggerAuthentication(&reader, isClusterWide: true))
            case ("Secret", ""): secrets.append(Secret(&reader))
            case ("ConfigMap", ""): configMaps.append(ConfigMap(&reader))
            default:
                others.append(OtherObject(kind: kind, name: document["metadata"]?["name"]?.text, source: document))
                // Nothing is known of its fields.
                for field in document.fields ?? [] { reader.skip(field.name) }
            }
        }
    }
}
