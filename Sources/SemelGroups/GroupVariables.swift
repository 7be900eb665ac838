/// What a group's containers are told of it.
public enum GroupVariables {
    public static let names: Set = [
        "SEMEL_GROUP", "SEMEL_GROUP_FIRST", "SEMEL_GROUP_LAST", "SEMEL_GROUP_BUCKETS",
    ]

    /// Names and values, in the order in which they are written. How many items the group has is not among them: it
    /// changes every night, and with it would every CronJob.
    public static func variables(of group: GroupState.Group) -> [(name: String, value: String)] {
        let optional = [
            ("SEMEL_GROUP_FIRST", group.first), ("SEMEL_GROUP_LAST", group.last),
            ("SEMEL_GROUP_BUCKETS", group.buckets),
        ]
        return [("SEMEL_GROUP", "\(group.number)")]
            + optional.compactMap { name, value in value.map { (name, escaped($0)) } }
    }

    /// Kubernetes replaces `$(NAME)` in a value, and `$$` by `$`.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars { result += character == "$" ? "$$" : String(character) }
        return result
    }
}
