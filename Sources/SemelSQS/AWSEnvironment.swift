/// The variables that AWS' own tools read, some of which hold secrets.
public struct AWSEnvironment: Sendable {
    private let variables: [String: String]

    public init(_ environment: [String: String]) {
        variables = environment.filter { ($0.key.hasPrefix("AWS_") || $0.key == "HOME") && !$0.value.isEmpty }
    }

    /// The static keys. A task that is not to have its queue's credentials must not have these.
    public static let keyVariables = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]

    /// An empty variable is one that a template left out.
    subscript(_ name: String) -> String? { variables[name] }

    var region: String? { self["AWS_REGION"] ?? self["AWS_DEFAULT_REGION"] }

    /// The file that a variable names, else the one in the home directory.
    func file(_ variable: String, or standard: String) -> String? {
        self[variable] ?? self["HOME"].map { "\($0)/\(standard)" }
    }

    /// Where a service is, when it is not where AWS has it: a compatible server, or a VPC's own endpoint.
    func endpoint(of service: String) -> String? { self["AWS_ENDPOINT_URL_\(service)"] ?? self["AWS_ENDPOINT_URL"] }
}

extension AWSEnvironment {
    /// Where AWS has a service: `https://sqs.eu-central-1.amazonaws.com`.
    static func regionalEndpoint(of service: String, in region: String) -> String {
        "https://\(service).\(region).amazonaws.com\(region.hasPrefix("cn-") ? ".cn" : "")"
    }
}
