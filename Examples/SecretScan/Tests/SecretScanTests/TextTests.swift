import Testing

@testable import SecretScan

@Suite struct RandomnessTests {
    private func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

    @Test func entropyIsShannons() {
        #expect(Randomness.entropy(of: []) == 0)
        #expect(Randomness.entropy(of: bytes("aaaa")) == 0)
        #expect(Randomness.entropy(of: bytes("abab")) == 1)
        #expect(abs(Randomness.entropy(of: bytes(MadeUp.hexadecimal)) - 4) < 1e-9)
        #expect(abs(Randomness.entropy(of: bytes("aab")) - 0.9182958340544896) < 1e-9)
    }

    @Test func thresholdGrowsWithTheLength() {
        #expect(Randomness.threshold(forLength: 8) < Randomness.threshold(forLength: 12))
        #expect(Randomness.threshold(forLength: 100) == 3.2)
    }

    @Test func wordsAreSeenInAllSpellings() {
        for text in ["oauth2-client-secret", "accessTokenSeconds", "MAX_TOKEN_LENGTH", "HTTPServerPassword2"] {
            #expect(Randomness.readsLikeWords(bytes(text)), "\(text)")
        }
        for text in ["", "x9fK2qLm4Zt7", "3wolf7ab9moon2", "PqRsTvWxZbCdFg"] {
            #expect(!Randomness.readsLikeWords(bytes(text)), "\(text)")
        }
    }

    /// Whatever alphabet a generator uses, few of its keys may pass for tame.
    @Test(arguments: [
        (MadeUp.hexadecimal, 32), (MadeUp.hexadecimal, 40), (MadeUp.alphanumerics, 16), (MadeUp.alphanumerics, 20),
        (MadeUp.alphanumerics, 32), (MadeUp.base64, 43), (MadeUp.lowercase + MadeUp.digits, 32),
    ])
    func findsNearlyAllRandomKeys(alphabet: String, length: Int) {
        let missed = (1...500).count { seed in
            rules(in: "token = \"\(MadeUp.text(length, from: alphabet, seed: UInt64(seed)))\"").isEmpty
        }
        #expect(missed < 50)
    }
}

@Suite struct KeywordScannerTests {
    private func hits(_ keywords: [[String]], in text: String) -> [String] {
        var hits: [String] = []
        let bytes = Array(text.utf8)
        KeywordScanner(keywords: keywords).forEachHit(in: bytes) { range, rule in
            hits.append("\(rule):\(String(decoding: bytes[range], as: UTF8.self))")
        }
        return hits
    }

    @Test func findsOverlappingKeywords() {
        let keywords = [["he", "hers"], ["she"], ["his"]]
        #expect(hits(keywords, in: "ushers his") == ["1:she", "0:he", "0:hers", "2:his"])
    }

    @Test func ignoresCaseOfASCII() {
        #expect(hits([["token"]], in: "TOKEN tOkEn ToKeN") == ["0:TOKEN", "0:tOkEn", "0:ToKeN"])
        #expect(hits([["@"]], in: "`@") == ["0:@"])
    }

    @Test func agreesWithPlainSearch() {
        let keywords = (1...40).map { [MadeUp.text(Int($0) % 4 + 1, from: "abc", seed: $0)] }
        let text = MadeUp.text(400, from: "abcd", seed: 99)
        let bytes = Array(text.utf8)
        var expected = 0
        for keyword in keywords.joined().map({ Array($0.utf8) }) {
            expected += bytes.indices.count { bytes[$0...].starts(with: keyword) }
        }
        #expect(hits(keywords, in: text).count == expected)
    }

    @Test func emptyTextHasNone() {
        #expect(hits([["a"]], in: "") == [])
    }
}

@Suite struct FindingTests {
    @Test func placesCountFromOneInCodePoints() throws {
        let token = MadeUp.gitHubToken()
        let found = findings(in: "α\nβγ \(token) — \(token)\r\n\(token)")
        #expect(found.map(\.line) == [2, 2, 3])
        #expect(found.map(\.column) == [4, 4 + 40 + 3, 1])
        #expect(found.map(\.endColumn) == [44, 44 + 43, 41])
    }

    @Test func showsFourCharactersAtMost() {
        func preview(_ text: String) -> String { Redaction.preview(of: Array(text.utf8)[...]) }
        #expect(preview(MadeUp.text(40)) == MadeUp.text(40).prefix(4) + "…")
        #expect(preview("abcdefgh") == "ab…", "never more than a third")
        #expect(preview("äöüßäöüßäöüß") == "äöüß…")
        #expect(preview("") == "…")
    }

    @Test func fingerprintsSurviveMoves() throws {
        let token = MadeUp.gitHubToken()
        let before = try #require(findings(in: token).first)
        let after = try #require(findings(in: "\n\n   \(token)").first)
        #expect(before.fingerprint == after.fingerprint)
        #expect(before.fingerprint.wholeMatch(of: /[0-9a-f]{16}:1/) != nil)
        #expect(findings(in: token, path: "other.txt").first?.fingerprint != before.fingerprint)
    }

    @Test func fingerprintsTellLikeFindingsApart() {
        let found = findings(in: "\(MadeUp.gitHubToken(seed: 1)) \(MadeUp.gitHubToken(seed: 2))")
        #expect(Set(found.map(\.fingerprint)).count == 2)
    }

    @Test func fingerprintsDoNotDependOnTheSecret() {
        // Otherwise a list of passwords could be tried against the report.
        #expect(
            findings(in: MadeUp.gitHubToken(seed: 1)).map(\.fingerprint)
                == findings(in: MadeUp.gitHubToken(seed: 2)).map(\.fingerprint))
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["password=\"", "eyJ", "a://", "gl" + "pat-", "xoxb-", "token:   "])
    func workIsProportionalToTheInput(unit: String) {
        _ = findings(in: String(repeating: unit, count: 200_000 / unit.utf8.count))
    }
}
