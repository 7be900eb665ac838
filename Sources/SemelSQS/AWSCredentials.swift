import FoundationEssentials
import Semel

/// What a request is signed with.
struct AWSCredentials: Sendable, Hashable {
    var accessKeyID: String
    var secretAccessKey: String
    var sessionToken: String?
    /// `nil` for keys that are good until somebody revokes them.
    var expiration: Timestamp?
    /// Where they come from, for messages.
    var source: String
}

/// Why there are no credentials. Never holds one.
enum AWSCredentialFailure: Error, Sendable, Hashable {
    /// Nowhere, or something about them makes no sense.
    case missing(String)
    case refused(String)
    case unreachable(String)

    /// What somebody else renews in a file.
    static func token(in file: String, named source: String) throws(AWSCredentialFailure) -> String {
        do throws(ConfigurationError) {
            return try SecretFile.read(file, source: source)
        } catch {
            throw .missing(error.description)
        }
    }
}

/// The answer of a container's or a machine's metadata endpoint.
struct AWSCredentialDocument: Decodable {
    private enum CodingKeys: String, CodingKey {
        case accessKeyID = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case token = "Token"
        case expiration = "Expiration"
    }

    var accessKeyID: String
    var secretAccessKey: String
    var token: String?
    var expiration: String?

    func credentials(from source: String) -> AWSCredentials {
        AWSCredentials(
            accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: token,
            expiration: expiration.flatMap { Timestamp(iso8601: $0) }, source: source)
    }
}

extension Timestamp {
    /// `2026-11-21T13:27:42Z`, with or without a fraction of a second; `nil` for anything else.
    init?(iso8601 text: String) {
        let whole = text.prefix { $0 != "." && $0 != "Z" }
        guard let date = try? Date("\(whole)Z", strategy: .iso8601) else { return nil }
        self.init(milliseconds: Int64(date.timeIntervalSince1970) * 1_000)
    }
}
