import Logging
import Semel

/// Finds credentials where AWS' own libraries look, in their order, and renews them before they expire.
actor AWSCredentialChain {
    private let environment: AWSEnvironment
    private let profile: String?
    private let http: AWSHTTP
    private let sts: AWSTokenService
    private let log: Logger
    private var current: AWSCredentials?

    /// What expires sooner than this is renewed; if that fails, it is used as long as it is good.
    private static let margin = Duration.seconds(300)

    /// - Parameter profile: Of the shared files, to be used before all else.
    init(_ environment: AWSEnvironment, profile: String?, region: String, http: AWSHTTP, log: Logger) {
        self.environment = environment
        self.profile = profile
        self.http = http
        self.log = log
        sts = AWSTokenService(environment, region: region, http: http)
    }

    func credentials() async throws(AWSCredentialFailure) -> AWSCredentials {
        if let current, Self.isGood(current, for: Self.margin) { return current }
        do throws(AWSCredentialFailure) {
            let found = try await find()
            if current?.source != found.source {
                log.debug("AWS credentials", metadata: ["source": "\(found.source)"])
            }
            current = found
            return found
        } catch {
            guard let current, Self.isGood(current, for: .zero) else { throw error }
            return current
        }
    }

    /// Others, now that the service does not take these any more; `nil` when there are none.
    func credentials(insteadOf refused: AWSCredentials) async -> AWSCredentials? {
        if current == refused { current = nil }
        guard let found = try? await credentials(), found != refused else { return nil }
        return found
    }

    private static func isGood(_ credentials: AWSCredentials, for span: Duration) -> Bool {
        credentials.expiration.map { $0 > .now + span } ?? true
    }

    private func find() async throws(AWSCredentialFailure) -> AWSCredentials {
        if let profile { return try await required(profile, by: "profile") }
        if let keys = try Self.keys(in: environment) { return keys }
        if let file = environment["AWS_WEB_IDENTITY_TOKEN_FILE"] {
            guard let role = environment["AWS_ROLE_ARN"] else {
                throw .missing("AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not")
            }
            return try await sts.webIdentity(
                tokenFile: file, role: role, session: environment["AWS_ROLE_SESSION_NAME"],
                source: "AWS_WEB_IDENTITY_TOKEN_FILE")
        }
        if let name = environment["AWS_PROFILE"] { return try await required(name, by: "AWS_PROFILE") }
        if let found = try await resolve("default", in: AWSProfiles(environment), within: []) { return found }
        if let found = try await AWSContainerCredentials(environment, http)?.fetch() { return found }
        if let found = try await AWSInstanceCredentials(environment, http)?.fetch() { return found }
        throw .missing(
            "no AWS credentials: not in AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, a profile, "
                + "AWS_CONTAINER_CREDENTIALS_FULL_URI or the machine's metadata service")
    }

    private static func keys(in environment: AWSEnvironment) throws(AWSCredentialFailure) -> AWSCredentials? {
        let (id, secret) = (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
        guard let id, let secret else {
            guard id == nil, secret == nil else {
                let (given, absent) =
                    id == nil ? ("SECRET_ACCESS_KEY", "ACCESS_KEY_ID") : ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
                throw .missing("AWS_\(given) is set, AWS_\(absent) is not")
            }
            return nil
        }
        return AWSCredentials(
            accessKeyID: id, secretAccessKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"],
            source: "AWS_ACCESS_KEY_ID")
    }

    // MARK: Profiles

    private func required(_ name: String, by source: String) async throws(AWSCredentialFailure) -> AWSCredentials {
        let profiles = AWSProfiles(environment)
        guard profiles[name] != nil else { throw .missing("\(source): there is no AWS profile ‘\(name)’") }
        guard let found = try await resolve(name, in: profiles, within: []) else {
            throw .missing("\(source): the AWS profile ‘\(name)’ has no credentials")
        }
        return found
    }

    /// - Parameter above: The profiles that led to this one.
    private func resolve(_ name: String, in profiles: AWSProfiles, within above: [String])
        async throws(AWSCredentialFailure) -> AWSCredentials?
    {
        guard let profile = profiles[name] else { return nil }
        let source = "profile \(name)"
        let keys = Self.keys(of: profile, source: source)
        if let role = profile["role_arn"] {
            if let file = profile["web_identity_token_file"] {
                return try await sts.webIdentity(
                    tokenFile: file, role: role, session: profile["role_session_name"], source: source)
            }
            let base = try await base(of: name, profile, keys, in: profiles, within: above)
            return try await sts.assume(
                role, session: profile["role_session_name"], externalID: profile["external_id"], with: base,
                source: source)
        }
        if let keys { return keys }
        for unknown in ["credential_process", "sso_session", "sso_start_url", "login_session"]
        where profile[unknown] != nil {
            throw .missing(
                "the AWS profile ‘\(name)’ wants \(unknown), which is not supported; "
                    + "give it aws_access_key_id and aws_secret_access_key, or role_arn")
        }
        return nil
    }

    /// With whose credentials a profile takes on its role.
    private func base(
        of name: String, _ profile: AWSProfiles.Profile, _ keys: AWSCredentials?, in profiles: AWSProfiles,
        within above: [String]
    ) async throws(AWSCredentialFailure) -> AWSCredentials {
        if let source = profile["source_profile"] {
            if source == name, let keys { return keys }
            guard source != name, !above.contains(source) else {
                throw .missing("the AWS profile ‘\(name)’ has itself as its source_profile")
            }
            guard let base = try await resolve(source, in: profiles, within: above + [name]) else {
                throw .missing("the AWS profile ‘\(source)’, source_profile of ‘\(name)’, has no credentials")
            }
            return base
        }
        let base: AWSCredentials? =
            switch profile["credential_source"] {
            case "Environment": try Self.keys(in: environment)
            case "EcsContainer": try await AWSContainerCredentials(environment, http)?.fetch()
            case "Ec2InstanceMetadata": try await AWSInstanceCredentials(environment, http)?.fetch()
            default:
                throw .missing(
                    "the AWS profile ‘\(name)’ has a role_arn, but no source_profile, web_identity_token_file or "
                        + "credential_source (Environment, EcsContainer, Ec2InstanceMetadata)")
            }
        guard let base else { throw .missing("the credential_source of the AWS profile ‘\(name)’ has none") }
        return base
    }

    private static func keys(of profile: AWSProfiles.Profile, source: String) -> AWSCredentials? {
        guard let id = profile["aws_access_key_id"], let secret = profile["aws_secret_access_key"] else { return nil }
        return AWSCredentials(
            accessKeyID: id, secretAccessKey: secret, sessionToken: profile["aws_session_token"], source: source)
    }
}
