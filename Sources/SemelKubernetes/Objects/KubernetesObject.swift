/// An object of the cluster: what was sent, and names for the parts of it that are used here. Whatever else is in it stays.
public protocol KubernetesObject: Sendable, Hashable {
    static var type: ResourceType { get }
    var json: JSONValue { get set }
    init(json: JSONValue)
}

extension KubernetesObject {
    /// An object that is to be.
    public init(name: String, namespace: String? = nil) {
        self.init(json: [
            "apiVersion": .string(Self.type.apiVersion), "kind": .string(Self.type.kind),
            "metadata": ["name": .string(name)],
        ])
        if let namespace { self.namespace = namespace }
    }

    public var name: String { json["metadata", "name"]?.string ?? "" }
    /// Those of a list have no kind.
    var asSent: Self {
        var sent = self
        sent.json["apiVersion"] = .string(Self.type.apiVersion)
        sent.json["kind"] = .string(Self.type.kind)
        return sent
    }

    public var namespace: String? {
        get { json["metadata", "namespace"]?.string }
        set { json["metadata", "namespace"] = newValue.map { .string($0) } }
    }

    public var uid: String { json["metadata", "uid"]?.string ?? "" }

    /// Changes with every change of the object; to be compared for being the same, and for nothing else.
    public var resourceVersion: String? {
        get { json["metadata", "resourceVersion"]?.string }
        set { json["metadata", "resourceVersion"] = newValue.map { .string($0) } }
    }

    /// Changes with every change of what is wanted.
    public var generation: Int64 { json["metadata", "generation"]?.integer ?? 0 }

    public var labels: [String: String] {
        get { json["metadata", "labels"]?.texts ?? [:] }
        set { json["metadata", "labels"] = newValue.isEmpty ? nil : JSONValue(newValue) }
    }

    public var annotations: [String: String] {
        get { json["metadata", "annotations"]?.texts ?? [:] }
        set { json["metadata", "annotations"] = newValue.isEmpty ? nil : JSONValue(newValue) }
    }

    /// RFC 3339
    public var creationTimestamp: String? { json["metadata", "creationTimestamp"]?.string }
    public var deletionTimestamp: String? { json["metadata", "deletionTimestamp"]?.string }

    public var ownerReferences: [OwnerReference] {
        (json["metadata", "ownerReferences"]?.array ?? []).map { OwnerReference(json: $0) }
    }

    public func isOwned(by uid: String) -> Bool {
        ownerReferences.contains { $0.uid == uid }
    }

    /// Who has a say in the object's fields.
    public var managers: [FieldManager] {
        (json["metadata", "managedFields"]?.array ?? []).map { FieldManager(json: $0) }
    }
}

public struct OwnerReference: Sendable, Hashable {
    public let json: JSONValue
    public var kind: String { json["kind"]?.string ?? "" }
    public var name: String { json["name"]?.string ?? "" }
    public var uid: String { json["uid"]?.string ?? "" }
    public var isController: Bool { json["controller"]?.bool ?? false }
}

/// An entry of `managedFields`.
public struct FieldManager: Sendable, Hashable {
    public let json: JSONValue
    public var name: String { json["manager"]?.string ?? "" }
    /// `Apply` or `Update`
    public var operation: String { json["operation"]?.string ?? "" }
    /// `f:spec` and the like, nested as the fields are.
    public var fields: JSONValue { json["fieldsV1"] ?? [:] }
}

/// A condition of a Job or a pod.
public struct ObjectCondition: Sendable, Hashable {
    public let json: JSONValue
    public var type: String { json["type"]?.string ?? "" }
    public var isTrue: Bool { json["status"]?.string == "True" }
    public var reason: String? { json["reason"]?.string }
    public var message: String? { json["message"]?.string }
    /// RFC 3339
    public var since: String? { json["lastTransitionTime"]?.string }
}
