/// `metadata` of an object, or of a pod template.
public struct ObjectMetadata: Sendable {
    public let name: Located<String>?
    /// Two objects without one are taken to be in the same namespace.
    public let namespace: Located<String>?
    public let labels: TextMap
    public let annotations: TextMap

    /// Reads the field `metadata`.
    init(_ reader: inout FieldReader) {
        let read = reader.object("metadata") { metadata in
            let result = (
                metadata.text("name"), metadata.text("namespace"), metadata.textMap("labels"),
                metadata.textMap("annotations")
            )
            metadata.skip(
                "generateName", "finalizers", "ownerReferences", "creationTimestamp", "generation", "resourceVersion",
                "uid", "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
            return result
        }
        (name, namespace, labels, annotations) = read ?? (nil, nil, TextMap(), TextMap())
    }

    func isReachable(from namespace: String?) -> Bool {
        guard let own = self.namespace?.value, let namespace else { return true }
        return own == namespace
    }
}
