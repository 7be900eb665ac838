public struct CronJob: KubernetesObject {
    public static let type = ResourceType.cronJobs
    public var json: JSONValue
    public init(json: JSONValue) { self.json = json }

    public var schedule: String { json["spec", "schedule"]?.string ?? "" }
    /// `Europe/Berlin`; `nil` is that of the controller.
    public var timeZone: String? { json["spec", "timeZone"]?.string }
    public var isSuspended: Bool { json["spec", "suspend"]?.bool ?? false }
    /// `Allow`, `Forbid` or `Replace`
    public var concurrencyPolicy: String { json["spec", "concurrencyPolicy"]?.string ?? "Allow" }
    public var startingDeadlineSeconds: Int64? { json["spec", "startingDeadlineSeconds"]?.integer }
    public var jobTemplate: JSONValue { json["spec", "jobTemplate"] ?? [:] }
    /// RFC 3339: when a Job was last due and started, and when one last succeeded.
    public var lastScheduleTime: String? { json["status", "lastScheduleTime"]?.string }
    public var lastSuccessfulTime: String? { json["status", "lastSuccessfulTime"]?.string }
    /// The names of the Jobs that run.
    public var activeJobs: [String] { (json["status", "active"]?.array ?? []).compactMap { $0["name"]?.string } }
}

public struct Job: KubernetesObject {
    public static let type = ResourceType.jobs
    public var json: JSONValue
    public init(json: JSONValue) { self.json = json }

    /// Of pods.
    public var active: Int64 { json["status", "active"]?.integer ?? 0 }
    public var succeeded: Int64 { json["status", "succeeded"]?.integer ?? 0 }
    public var failed: Int64 { json["status", "failed"]?.integer ?? 0 }
    public var backoffLimit: Int64 { json["spec", "backoffLimit"]?.integer ?? 6 }
    /// RFC 3339
    public var startTime: String? { json["status", "startTime"]?.string }
    public var completionTime: String? { json["status", "completionTime"]?.string }
    public var conditions: [ObjectCondition] {
        (json["status", "conditions"]?.array ?? []).map { ObjectCondition(json: $0) }
    }

    public var isComplete: Bool { conditions.contains { $0.type == "Complete" && $0.isTrue } }
    /// Why it has failed for good; `nil` while it has not.
    public var failure: ObjectCondition? { conditions.first { $0.type == "Failed" && $0.isTrue } }
    public var isFinished: Bool { isComplete || failure != nil }
}
