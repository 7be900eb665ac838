extension Rule {
    static let highEntropyAssignment = Rule(
        id: "high-entropy-assignment",
        name: "HighEntropyAssignment",
        summary: "Random-looking value in a field named like a secret",
        help: "If the value is real, change it and pass it in an environment variable or a mounted file.",
        level: .warning,
        isGuess: true,
        keywords: [
            "password", "passwd", "passphrase", "secret", "token", "api_key", "api-key", "apikey", "access_key",
            "access-key", "accesskey", "secret_key", "secret-key", "secretkey", "auth_key", "authkey",
            "encryption_key", "encryptionkey", "signing_key", "signingkey",
        ]
    ) { text, keyword in
        guard let assignment = Assignment(in: text, keyword: keyword),
            assignment.isDelimited || text.path.isConfiguration,
            let value = assignment.value(of: secretBytes, in: text, limit: 200),
            assignment.isDelimited || Assignment.endsLine(value, in: text),
            value.count >= (assignment.isDelimited ? 10 : 16)
        else { return nil }
        let bytes = text.slice(value)
        guard isRandom(bytes), !isHarmless(name: assignment.name),
            !(isUUID(bytes) && isTicket(name: assignment.name))
        else { return nil }
        return Match(secret: value)
    }

    /// No blanks, brackets or commas: with them it is prose or program far more often than a password.
    private static let secretBytes = ByteSet.alphanumerics.union("-_+/=.~!@#%^&*:$?|")

    private static func isRandom(_ value: ArraySlice<UInt8>) -> Bool {
        Randomness.hasDigitAndLetter(value)
            && Randomness.entropy(of: value) >= Randomness.threshold(forLength: value.count)
            && !Randomness.readsLikeWords(value)
            && !isReference(value)
            && !Placeholder.isPlaceholder(value)
    }

    /// A path, an address or a resource name, which says where the secret is.
    private static func isReference(_ value: ArraySlice<UInt8>) -> Bool {
        let bytes = Array(value)
        return referenceStarts.contains { bytes.starts(with: $0) }
            || bytes.contains(literal: "://") || bytes.contains(literal: "::")
    }

    private static let referenceStarts = ["/", "./", "arn:", "vault:", "%", "@"].map { Array($0.utf8) }

    private static func isUUID(_ value: ArraySlice<UInt8>) -> Bool {
        value.split(separator: Ascii.dash).map(\.count) == [8, 4, 4, 4, 12]
            && value.allSatisfy { $0 == Ascii.dash || ByteSet.hexadecimal.contains($0) }
    }

    /// A "token" that is a UUID mostly names a request or a lock; it lets in only where the name says so.
    private static func isTicket(name: [UInt8]) -> Bool {
        name.suffix(5).elementsEqual("token".utf8) && !opensSomething.contains { name.contains(literal: $0) }
    }

    private static let opensSomething: [StaticString] = ["auth", "access", "api", "bearer"]

    /// Tokens that open nothing: page marks, form protection; and names of types (`Cloud::AccessKey`).
    private static func isHarmless(name: [UInt8]) -> Bool {
        harmlessMarks.contains { name.contains(literal: $0) }
    }

    private static let harmlessMarks: [StaticString] = [
        "next", "page", "continu", "cursor", "csrf", "xsrf", "public", "sync", "resume", "idempot", "mock", "::",
    ]
}

extension RelativePath {
    /// Whether the file is of a kind where values stand without quotes.
    var isConfiguration: Bool {
        let name = String(decoding: name.map(Ascii.lowercased), as: UTF8.self)
        return name.hasPrefix(".env") || name == "credentials"
            || Self.configurationSuffixes.contains(where: name.hasSuffix)
    }

    private static let configurationSuffixes = [
        ".env", ".ini", ".cfg", ".conf", ".config", ".properties", ".yaml", ".yml", ".toml", ".tfvars", ".npmrc",
        ".pypirc",
    ]
}
