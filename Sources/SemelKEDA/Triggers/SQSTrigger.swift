/// A trigger of type `aws-sqs-queue`. Amazon's counts are approximate.
public struct SQSTrigger: Sendable {
    /// The URL or the name, as it is written.
    public let queueURL: ResolvedText
    public let queueName: String
    public let awsRegion: ResolvedText
    public let awsEndpoint: String?
    /// Of a TriggerAuthentication with keys from a Secret.
    public let accessKeyID: ResolvedText?
    public let secretAccessKey: ResolvedText?
    public let sessionToken: ResolvedText?
    /// The target: 5 when it is not written.
    public let queueLength: Int64
    /// Whether `queueLength` is written.
    public let isLengthWritten: Bool
    public let activationQueueLength: Int64
    /// Held messages count: true when it is not written.
    public let scaleOnInFlight: Bool
    public let scaleOnDelayed: Bool

    init(_ parameters: TriggerParameters) throws(TriggerError) {
        queueURL = try parameters.required("queueURL", [.metadata, .environment])
        awsRegion = try parameters.required("awsRegion", [.metadata, .authentication])
        awsEndpoint = parameters.metadata("awsEndpoint")
        accessKeyID = parameters.text("awsAccessKeyID", [.authentication, .environment])
        secretAccessKey = parameters.text("awsSecretAccessKey", [.authentication, .environment])
        sessionToken = parameters.text("awsSessionToken", [.authentication])
        let length = try parameters.integer("queueLength")
        queueLength = length ?? 5
        isLengthWritten = length != nil
        activationQueueLength = try parameters.integer("activationQueueLength") ?? 0
        scaleOnInFlight = try parameters.flag("scaleOnInFlight") ?? true
        scaleOnDelayed = try parameters.flag("scaleOnDelayed") ?? false
        queueName = try Self.name(in: queueURL.text?.revealed ?? "", parameters)
    }

    /// `https://sqs.eu-central-1.amazonaws.com/123456789012/scans` is `scans`; what is no URL is the name itself.
    private static func name(in url: String, _ parameters: TriggerParameters) throws(TriggerError) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let path = url[scheme.upperBound...].drop { $0 != "/" }.prefix { $0 != "?" && $0 != "#" }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let name = parts.last, !name.isEmpty else {
            throw parameters.error(
                "queueURL", "has no queue's name; write https://HOST/ACCOUNT/NAME, or the name alone")
        }
        return String(name)
    }
}
