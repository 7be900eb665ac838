/// A kind of objects, as the API server's paths and answers name it.
public struct ResourceType: Sendable, Hashable, CustomStringConvertible {
    /// Empty for the core group.
    public let group: String
    public let version: String
    /// `CronJob`
    public let kind: String
    /// `cronjobs`
    public let plural: String

    /// Of a kind that lives in namespaces.
    public init(group: String, version: String, kind: String, plural: String) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
    }

    public static let cronJobs = ResourceType(group: "batch", version: "v1", kind: "CronJob", plural: "cronjobs")
    public static let jobs = ResourceType(group: "batch", version: "v1", kind: "Job", plural: "jobs")
    public static let pods = ResourceType(group: "", version: "v1", kind: "Pod", plural: "pods")
    public static let configMaps = ResourceType(group: "", version: "v1", kind: "ConfigMap", plural: "configmaps")
    public static let events = ResourceType(group: "events.k8s.io", version: "v1", kind: "Event", plural: "events")

    /// `batch/v1`
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// `cronjobs.batch`, as the API server says it.
    public var description: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// - Parameter namespace: `nil` for those of all namespaces.
    func path(namespace: String?, name: String? = nil) -> String {
        let root = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        let place = namespace.map { "/namespaces/\(URLText.escaped($0))" } ?? ""
        return "\(root)\(place)/\(plural)" + (name.map { "/\(URLText.escaped($0))" } ?? "")
    }
}

package enum URLText {
    private static let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)

    /// For a part of a path or of a query.
    package static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            plain.contains(byte)
                ? String(Unicode.Scalar(byte)) : (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    /// With its `?`; empty when there is nothing to say.
    package static func query(_ pairs: [(String, String)]) -> String {
        pairs.isEmpty ? "" : "?" + pairs.map { "\(escaped($0.0))=\(escaped($0.1))" }.joined(separator: "&")
    }
}
