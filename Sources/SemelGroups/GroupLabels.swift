/// How a CronJob, its Jobs and their pods tell whose they are.
public enum GroupLabels {
    /// The `name` in `groups.yaml`: what carries it is looked after, and may be deleted.
    public static let groups = "semel/groups"
    /// The group's number.
    public static let group = "semel/group"
    public static let managedBy = "app.kubernetes.io/managed-by"
    public static let manager = "semelctl"

    /// Who applies CronJobs, and who notes on them what was told, to the API server.
    public static let applier = "semelctl-groups"
    public static let watcher = "semelctl-groups-watch"

    /// For a list of what belongs to `name`.
    public static func selector(_ name: String) -> String { "\(groups)=\(name)" }
}
