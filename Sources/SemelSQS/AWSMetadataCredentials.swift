import FoundationEssentials
import Semel

/// The container's own endpoint: ECS, and EKS' pod identity.
/// Source: AWS SDKs and Tools Reference Guide, “Container credential provider”.
struct AWSContainerCredentials: Sendable {
    private let environment: AWSEnvironment
    private let http: AWSHTTP
    private let url: String
    private let source: String

    private static let patience = Duration.seconds(5)

    /// `nil` when the environment names no such endpoint.
    init?(_ environment: AWSEnvironment, _ http: AWSHTTP) {
        if let path = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
            source = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
            url = "http://169.254.170.2\(path)"
        } else if let full = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
            source = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
            url = full
        } else {
            return nil
        }
        self.environment = environment
        self.http = http
    }

    func fetch() async throws(AWSCredentialFailure) -> AWSCredentials {
        guard let address = ServiceURL(url) else { throw .missing("\(source): it \(ServiceURL.advice)") }
        // The token must not be told to whoever listens on the way.
        guard address.isEncrypted || Self.isNear(address.host) else {
            throw .missing(
                "\(source): http:// is for this machine and AWS' own addresses; use https:// for \(address.host)")
        }
        var headers = [(name: "host", value: address.host), (name: "accept", value: "application/json")]
        if let token = try token() { headers.append((name: "authorization", value: token)) }
        let response = try await http.answer(
            to: AWSHTTP.Request(url: address.text, headers: headers), from: "\(source) \(url)", within: Self.patience)
        return try AWSCredentialDocument.read(response, of: source)
    }

    /// Renewed by somebody else: the file is read every time.
    private func token() throws(AWSCredentialFailure) -> String? {
        guard let file = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] else {
            return environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
        }
        return try AWSCredentialFailure.token(in: file, named: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    }

    /// Loopback, and where ECS and EKS have their agents.
    private static func isNear(_ host: String) -> Bool {
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        let agents = ["localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"]
        let numbers = name.split(separator: ".", omittingEmptySubsequences: false)
        return agents.contains(String(name))
            || numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
    }
}

/// The metadata service of an EC2 machine, version 2: the role of its instance profile.
/// Source: AWS, EC2 User Guide, “Use IMDSv2”.
struct AWSInstanceCredentials: Sendable {
    private let http: AWSHTTP
    private let base: String

    /// On any other machine nobody answers: that should be known soon.
    private static let patience = Duration.seconds(1)
    private static let source = "the machine's metadata service"

    /// `nil` when the environment says that it must not be asked.
    init?(_ environment: AWSEnvironment, _ http: AWSHTTP) {
        guard environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else { return nil }
        let standard =
            environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]?.lowercased() == "ipv6"
            ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
        let given = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? standard
        base = String(given.reversed().drop { $0 == "/" }.reversed())
        self.http = http
    }

    /// `nil` where there is no such service, or the machine has no role.
    func fetch() async throws(AWSCredentialFailure) -> AWSCredentials? {
        let lifetime = [(name: "x-aws-ec2-metadata-token-ttl-seconds", value: "21600")]
        let token: AWSHTTP.Response
        do throws(AWSHTTP.Failure) {
            token = try await http.send(
                AWSHTTP.Request(method: "PUT", url: "\(base)/latest/api/token", headers: lifetime),
                within: Self.patience)
        } catch {
            return nil
        }
        guard token.status == 200 else { return nil }
        let headers = [(name: "x-aws-ec2-metadata-token", value: String(decoding: token.body, as: UTF8.self))]
        let roles = "\(base)/latest/meta-data/iam/security-credentials/"
        let names = try await http.answer(
            to: AWSHTTP.Request(url: roles, headers: headers), from: Self.source, within: Self.patience)
        let text = String(decoding: names.body, as: UTF8.self)
        guard names.status == 200, let role = text.split(whereSeparator: \.isNewline).first else { return nil }
        let response = try await http.answer(
            to: AWSHTTP.Request(url: roles + AWSSigner.encoded(String(role)), headers: headers), from: Self.source,
            within: Self.patience)
        return try AWSCredentialDocument.read(response, of: Self.source)
    }
}

extension AWSCredentialDocument {
    fileprivate static func read(_ response: AWSHTTP.Response, of source: String) throws(AWSCredentialFailure)
        -> AWSCredentials
    {
        guard response.status == 200 else {
            let words = "\(source) answered \(response.status)"
            throw response.status >= 500 || response.status == 429 ? .unreachable(words) : .refused(words)
        }
        guard let document = try? JSONDecoder().decode(AWSCredentialDocument.self, from: Data(response.body)) else {
            throw .unreachable("\(source) answered without credentials")
        }
        return document.credentials(from: source)
    }
}
