/// A trigger of type `cron`: a number of Jobs between two times. Its metric is that number then, and its target 1.
public struct CronTrigger: Sendable {
    /// A name of the tz database.
    public let timezone: String
    /// Five fields, or a word such as `@daily`.
    public let start: String
    public let end: String
    public let desiredReplicas: Int64

    init(_ parameters: TriggerParameters) throws(TriggerError) {
        timezone = try parameters.requiredMetadata("timezone")
        start = try Self.schedule("start", parameters)
        end = try Self.schedule("end", parameters)
        guard start != end else { throw parameters.error("end", "is the same time as start") }
        guard let replicas = try parameters.integer("desiredReplicas") else {
            throw parameters.error("desiredReplicas", "is missing; write it in the metadata")
        }
        desiredReplicas = replicas
    }

    private static func schedule(_ name: String, _ parameters: TriggerParameters) throws(TriggerError) -> String {
        let text = try parameters.requiredMetadata(name)
        guard text.hasPrefix("@") || text.split(whereSeparator: \.isWhitespace).count == 5 else {
            throw parameters.error(name, "\(text.quoted)is no schedule of five fields, such as 0 8 * * 1-5")
        }
        return text
    }
}
