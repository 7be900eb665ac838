/// A TriggerAuthentication or a ClusterTriggerAuthentication: where a trigger's parameters come from.
public struct TriggerAuthentication: Sendable {
    public let position: Position
    public let metadata: ObjectMetadata
    /// A ClusterTriggerAuthentication. Its Secrets are in KEDA's own namespace.
    public let isClusterWide: Bool
    public let secrets: [Reference]
    public let configMaps: [Reference]
    public let environment: [EnvironmentReference]
    /// The provider of `podIdentity`, if it is written: `aws`, `azure-workload`, …
    public let podIdentity: Located<String>?
    /// Names of the other sources that are written, such as `hashiCorpVault`: what they give is known only in the cluster.
    public let foreignSources: [String]

    /// A parameter from a Secret or ConfigMap.
    public struct Reference: Sendable {
        public let position: Position
        public let parameter: String
        /// Of the object.
        public let name: String
        public let key: String
    }

    /// A parameter from a variable of the Job's container.
    public struct EnvironmentReference: Sendable {
        public let position: Position
        public let parameter: String
        public let variable: String
        public let containerName: String?
    }

    private static let foreign = [
        "hashiCorpVault", "azureKeyVault", "gcpSecretManager", "awsSecretManager", "boundServiceAccountToken",
        "filePath", "oauth2",
    ]

    init(_ reader: inout FieldReader, isClusterWide: Bool) {
        self.isClusterWide = isClusterWide
        position = reader.value.position
        metadata = ObjectMetadata(&reader)
        reader.skip("apiVersion", "kind", "status")
        let spec = reader.object("spec") { spec in
            let identity = spec.object("podIdentity") { identity in
                identity.skip(
                    "identityId", "identityTenantId", "identityAuthorityHost", "roleArn", "identityOwner", "externalID")
                return identity.requiredText("provider")
            }
            let foreign = Self.foreign.filter { spec.any($0) != nil }
            return (
                spec.objects("secretTargetRef") { Reference(&$0) },
                spec.objects("configMapTargetRef") { Reference(&$0) },
                spec.objects("env") { EnvironmentReference(&$0) }, identity ?? nil, foreign
            )
        }
        (secrets, configMaps, environment, podIdentity, foreignSources) = spec ?? ([], [], [], nil, [])
    }
}

extension TriggerAuthentication.Reference {
    fileprivate init(_ reader: inout FieldReader) {
        position = reader.value.position
        parameter = reader.requiredText("parameter")?.value ?? ""
        name = reader.requiredText("name")?.value ?? ""
        key = reader.requiredText("key")?.value ?? ""
    }
}

extension TriggerAuthentication.EnvironmentReference {
    fileprivate init(_ reader: inout FieldReader) {
        position = reader.value.position
        parameter = reader.requiredText("parameter")?.value ?? ""
        variable = reader.requiredText("name")?.value ?? ""
        containerName = reader.text("containerName")?.value
    }
}
