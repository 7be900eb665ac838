import FoundationEssentials
import Semel

/// AWS STS: credentials of a role, for an hour.
struct AWSTokenService: Sendable {
    private let url: String
    private let signer: AWSSigner
    private let http: AWSHTTP

    private static let patience = Duration.seconds(10)

    init(_ environment: AWSEnvironment, region: String, http: AWSHTTP) {
        url = environment.endpoint(of: "STS") ?? AWSEnvironment.regionalEndpoint(of: "sts", in: region)
        signer = AWSSigner(region: region, service: "sts")
        self.http = http
    }

    /// Vouched for by a token that somebody else renews: the file is read every time.
    func webIdentity(tokenFile: String, role: String, session: String?, source: String)
        async throws(AWSCredentialFailure) -> AWSCredentials
    {
        let token = try AWSCredentialFailure.token(in: tokenFile, named: source)
        return try await ask(
            "AssumeRoleWithWebIdentity", role, session, [("WebIdentityToken", token)], signedBy: nil, source: source)
    }

    func assume(
        _ role: String, session: String?, externalID: String?, with credentials: AWSCredentials, source: String
    ) async throws(AWSCredentialFailure) -> AWSCredentials {
        try await ask(
            "AssumeRole", role, session, externalID.map { [("ExternalId", $0)] } ?? [], signedBy: credentials,
            source: source)
    }

    private func ask(
        _ action: String, _ role: String, _ session: String?, _ more: [(String, String)],
        signedBy credentials: AWSCredentials?, source: String
    ) async throws(AWSCredentialFailure) -> AWSCredentials {
        let fields =
            [("Action", action), ("Version", "2011-06-15"), ("RoleArn", role), ("RoleSessionName", session ?? "semel")]
            + more
        let body = Array(fields.map { "\($0)=\(AWSSigner.encoded($1))" }.joined(separator: "&").utf8)
        guard let address = ServiceURL(endpoint: url) else {
            throw .missing("AWS_ENDPOINT_URL_STS \(ServiceURL.advice)")
        }
        var headers = [
            (name: "host", value: address.host), (name: "content-type", value: "application/x-www-form-urlencoded"),
        ]
        if let credentials {
            headers += signer.headers(
                for: AWSSigner.Request(method: "POST", path: address.path, headers: headers, body: body), credentials,
                at: .now)
        }
        let request = AWSHTTP.Request(method: "POST", url: address.text, headers: headers, body: body)
        let response = try await http.answer(to: request, from: "AWS STS at \(url)", within: Self.patience)
        let text = String(decoding: response.body, as: UTF8.self)
        func element(_ name: String) -> String? { text.element(name) }
        guard response.status == 200 else {
            let reason = [element("Code"), element("Message")].compactMap { $0 }.joined(separator: ": ")
            let words = "\(source): AWS STS at \(url) answered \(response.status) to \(action) for \(role): \(reason)"
            throw response.status >= 500 || element("Code") == "Throttling" ? .unreachable(words) : .refused(words)
        }
        guard let id = element("AccessKeyId"), let secret = element("SecretAccessKey"),
            let token = element("SessionToken")
        else { throw .unreachable("AWS STS at \(url) answered without credentials") }
        return AWSCredentials(
            accessKeyID: id, secretAccessKey: secret, sessionToken: token,
            expiration: element("Expiration").flatMap { Timestamp(iso8601: $0) }, source: source)
    }
}

extension AWSHTTP {
    /// An answer of a place that gives out credentials.
    func answer(to request: Request, from place: String, within limit: Duration) async throws(AWSCredentialFailure)
        -> Response
    {
        do throws(Failure) {
            return try await send(request, within: limit)
        } catch {
            let words = "\(place): \(error.reason)"
            throw switch error.kind {
            case .unanswered: .unreachable(words)
            case .misconfigured: .missing(words)
            case .refused: .refused(words)
            }
        }
    }
}

extension String {
    /// The text of the first element of this name, in XML. What AWS answers has no attributes, comments or CDATA sections
    /// there, and what is taken from it has no characters that would have to be escaped.
    func element(_ name: String) -> String? {
        guard let start = firstRange(of: "<\(name)>")?.upperBound,
            let end = self[start...].firstRange(of: "</\(name)>")?.lowerBound
        else { return nil }
        return String(self[start..<end])
    }
}
