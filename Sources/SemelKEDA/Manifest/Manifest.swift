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

    public struct OtherObject: Sendable {
        public let kind: String
        public let name: String?
        public let source: YAMLValue
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

    private mutating func add(_ document: YAMLValue, _ list: FindingList) {
        guard let kind = document["kind"]?.text else { return }
        if kind.hasSuffix("List"), let items = document["items"]?.elements {
            for item in items { add(item, list) }
            return
        }
        let group = document["apiVersion"]?.text.map { $0.split(separator: "/").dropLast().joined(separator: "/") }
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
