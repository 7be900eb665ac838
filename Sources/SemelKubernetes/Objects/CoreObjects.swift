public struct Pod: KubernetesObject {
    public static let type = ResourceType.pods
    public var json: JSONValue
    public init(json: JSONValue) { self.json = json }

    /// `Pending`, `Running`, `Succeeded`, `Failed`
    public var phase: String { json["status", "phase"]?.string ?? "" }
    /// `Evicted` and the like.
    public var reason: String? { json["status", "reason"]?.string }
    public var message: String? { json["status", "message"]?.string }
    public var node: String? { json["spec", "nodeName"]?.string }
    public var address: String? { json["status", "podIP"]?.string }
    /// RFC 3339
    public var startTime: String? { json["status", "startTime"]?.string }
    public var conditions: [ObjectCondition] {
        (json["status", "conditions"]?.array ?? []).map { ObjectCondition(json: $0) }
    }
    public var containers: [ContainerStatus] {
        (json["status", "containerStatuses"]?.array ?? []).map { ContainerStatus(json: $0) }
    }
    public var initContainers: [ContainerStatus] {
        (json["status", "initContainerStatuses"]?.array ?? []).map { ContainerStatus(json: $0) }
    }

    public struct ContainerStatus: Sendable, Hashable {
        public let json: JSONValue
        public var name: String { json["name"]?.string ?? "" }
        public var isReady: Bool { json["ready"]?.bool ?? false }
        public var restarts: Int64 { json["restartCount"]?.integer ?? 0 }
        /// Why it does not run yet: `ImagePullBackOff`.
        public var waitingReason: String? { json["state", "waiting", "reason"]?.string }
        public var waitingMessage: String? { json["state", "waiting", "message"]?.string }
        public var isRunning: Bool { json["state", "running"] != nil }
        /// How it has ended, or how it ended before it was started again.
        public var end: End? {
            (json["state", "terminated"] ?? json["lastState", "terminated"]).map { End(json: $0) }
        }
    }

    public struct End: Sendable, Hashable {
        public let json: JSONValue
        public var exitCode: Int64 { json["exitCode"]?.integer ?? 0 }
        /// `Completed`, `Error`, `OOMKilled`
        public var reason: String? { json["reason"]?.string }
        /// The termination log.
        public var message: String? { json["message"]?.string }
        /// RFC 3339
        public var finishedAt: String? { json["finishedAt"]?.string }
    }
}

public struct ConfigMap: KubernetesObject {
    public static let type = ResourceType.configMaps
    public var json: JSONValue
    public init(json: JSONValue) { self.json = json }

    public var data: [String: String] {
        get { json["data"]?.texts ?? [:] }
        set { json["data"] = newValue.isEmpty ? nil : JSONValue(newValue) }
    }

    public var isImmutable: Bool { json["immutable"]?.bool ?? false }
}

/// An event of `events.k8s.io/v1`.
public struct ClusterEvent: KubernetesObject {
    public static let type = ResourceType.events
    public var json: JSONValue
    public init(json: JSONValue) { self.json = json }

    /// `FailedScheduling`
    public var reason: String { json["reason"]?.string ?? "" }
    /// `Normal` or `Warning`
    public var severity: String { json["type"]?.string ?? "" }
    public var note: String { json["note"]?.string ?? "" }
    public var regardingKind: String { json["regarding", "kind"]?.string ?? "" }
    public var regardingName: String { json["regarding", "name"]?.string ?? "" }
    public var regardingUID: String { json["regarding", "uid"]?.string ?? "" }
    /// From 1; events of the same kind are counted.
    public var count: Int64 { json["series", "count"]?.integer ?? json["deprecatedCount"]?.integer ?? 1 }
    /// RFC 3339: of the last one.
    public var time: String? {
        (json["series", "lastObservedTime"] ?? json["eventTime"] ?? json["deprecatedLastTimestamp"])?.string
            ?? creationTimestamp
    }
}
