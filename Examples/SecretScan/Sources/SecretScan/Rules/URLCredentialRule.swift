extension Rule {
    static let urlCredentials = Rule(
        id: "url-credentials",
        name: "CredentialsInURL",
        summary: "User and password inside a URL",
        help: "Change the password; pass it in an environment variable or a file, apart from the address.",
        isGuess: true,
        keywords: ["://"]
    ) { text, keyword in
        guard let url = URLWithPassword(in: text, separator: keyword), !url.isForShow(in: text) else { return nil }
        return Match(secret: url.password)
    }
}

/// The parts of `scheme://user:password@host`.
private struct URLWithPassword {
    let user: Range<Int>
    let password: Range<Int>
    let host: Range<Int>

    /// What can stand in a user name or password: not the characters that end it in a URL, nor those that end the URL
    /// in the text around it.
    private static let userInfoBytes = ByteSet.alphanumerics.union("-._~%!$&*+=^:@")
    private static let hostBytes = ByteSet.alphanumerics.union("-._[]:%${}")

    init?(in text: SourceText, separator: Range<Int>) {
        let scheme = text.startOfRun(of: .alphanumerics, endingAt: separator.lowerBound, limit: 2)
        guard separator.lowerBound - scheme == 2 else { return nil }

        let start = separator.upperBound
        let end = text.endOfRun(of: Self.userInfoBytes, from: start, limit: 400)
        let info = text.slice(start..<end)
        // An unescaped `@` in a password is wrong but common: the last one counts, as browsers see it.
        guard let at = info.lastIndex(of: Ascii.at), let colon = info[..<at].firstIndex(of: Ascii.colon) else {
            return nil
        }
        user = start..<colon
        password = (colon + 1)..<at
        let hostEnd = text.endOfRun(of: Self.hostBytes, from: at + 1, limit: 255)
        host = (at + 1)..<hostEnd
    }

    func isForShow(in text: SourceText) -> Bool {
        let secret = text.slice(password)
        guard secret.count >= 5, !secret.elementsEqual(text.slice(user)), !Placeholder.isPlaceholder(secret)
        else { return true }
        let word = String(decoding: secret.map(Ascii.lowercased), as: UTF8.self)
        guard !Self.examplePasswords.contains(word) else { return true }

        switch HostKind(text.slice(host)) {
        case .forShow: return true
        case .named: return false
        case .unknown:
            // `amqp://app:…@rabbitmq` may be a real password on a real host of a private network or the
            // first words that came to a mind: the password has to decide.
            return secret.count < 8 || !Randomness.hasDigitAndLetter(secret)
                || Randomness.readsLikeWords(secret)
                || Randomness.entropy(of: secret) < Randomness.threshold(forLength: secret.count)
        }
    }

    private static let examplePasswords: Set<String> = [
        "admin", "basic", "guest", "hunter2", "letmein", "mypass", "mypwd", "pass1", "pass12", "pass123", "passphrase",
        "postgres", "p4ssw0rd", "p%40ss", "qwerty", "rabbitmq", "rootpw", "s3cret", "s3cr3t", "token", "user1",
        "username", "userpass", "userpw", "x-oauth-basic",
    ]
}

/// What the host of a URL says about whether the password is real.
private enum HostKind {
    /// This machine, or a name reserved for documentation and tests.
    case forShow
    /// A full name or an address.
    case named
    /// A name that only its own network knows, or one that is filled in later.
    case unknown

    init(_ host: ArraySlice<UInt8>) {
        let text = String(decoding: host.map(Ascii.lowercased), as: UTF8.self)
        guard !text.hasPrefix("["), !text.contains("$"), !text.contains("{"), !text.contains("%") else {
            self = text.hasPrefix("[::1]") ? .forShow : .unknown
            return
        }
        let name = text.prefix { $0 != ":" }
        let labels = name.split(separator: ".")
        guard let last = labels.last else {
            self = .unknown
            return
        }
        let isReserved = ["example", "test", "invalid", "localhost"].contains(last)
        let isExample = labels.count > 1 && labels[labels.count - 2].hasPrefix("example")
        let isLoopback = name.hasPrefix("127.") || name == "0.0.0.0"
        let isStandIn = labels.count == 1 && Self.standIns.contains(String(last))
        if isReserved || isExample || isLoopback || isStandIn {
            self = .forShow
        } else {
            // Clusters and home networks end their names in `.local`.
            self = labels.count > 1 && last != "local" ? .named : .unknown
        }
    }

    private static let standIns: Set<String> = [
        "a", "b", "broker", "domain", "foo", "h", "host", "host1", "hostname", "ip", "mock", "myhost", "proxy",
        "server", "somehost", "x", "your-host", "yourhost",
    ]
}
