/// How bad a finding is, in SARIF's words.
enum Level: String, Encodable, Sendable {
    /// Lets whoever reads it in, as far as can be told from here.
    case error
    /// Harmless by itself or without proof: half of a pair, a token that expires, a guess.
    case warning
    case note
}

/// Where a rule sees a secret.
struct Match: Sendable {
    /// The part that must never be shown.
    let secret: Range<Int>
    /// The part that a reader is led to; always on one line.
    let region: Range<Int>

    init(secret: Range<Int>, region: Range<Int>? = nil) {
        self.secret = secret
        self.region = region ?? secret
    }
}

/// One kind of credential: what to say about it and how to recognise it.
struct Rule: Sendable {
    let id: String
    let name: String
    let summary: String
    /// What to do about a finding.
    let help: String
    let level: Level
    /// A guess from the surroundings; it gives way where a rule that knows the form of the credential matches too.
    let isGuess: Bool
    /// In lower case. The rule is asked only where one of these stands, in any case.
    let keywords: [String]
    /// Looks around one keyword, a bounded number of bytes in each direction.
    let match: @Sendable (SourceText, Range<Int>) -> Match?

    init(
        id: String,
        name: String,
        summary: String,
        help: String,
        level: Level = .error,
        isGuess: Bool = false,
        keywords: [String],
        match: @escaping @Sendable (SourceText, Range<Int>) -> Match?
    ) {
        self.id = id
        self.name = name
        self.summary = summary
        self.help = help
        self.level = level
        self.isGuess = isGuess
        self.keywords = keywords
        self.match = match
    }
}

extension Rule {
    /// All rules. A result names its rule by the position in this list.
    static let all: [Rule] = [
        .privateKey, .awsAccessKeyID, .awsSecretAccessKey,
        .gitHubToken, .gitLabToken, .slackToken, .slackWebhook, .stripeLiveKey, .googleAPIKey, .npmToken, .pyPIToken,
        .azureStorageKey, .jsonWebToken, .urlCredentials, .highEntropyAssignment,
    ]
}
