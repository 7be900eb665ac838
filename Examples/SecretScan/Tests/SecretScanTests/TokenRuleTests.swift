import Testing

@testable import SecretScan

@Suite struct TokenRuleTests {
    struct Sample: CustomTestStringConvertible, Sendable {
        let rule: String
        let token: String

        var testDescription: String { rule }
    }

    static let samples = [
        Sample(rule: "aws-access-key-id", token: "AK" + "IA" + MadeUp.text(16, from: MadeUp.base32)),
        Sample(rule: "aws-access-key-id", token: "AS" + "IA" + MadeUp.text(16, from: MadeUp.base32, seed: 2)),
        Sample(rule: "github-token", token: MadeUp.gitHubToken()),
        Sample(rule: "github-token", token: "gh" + "o_" + MadeUp.text(36)),
        Sample(rule: "github-token", token: "github" + "_pat_" + MadeUp.text(22) + "_" + MadeUp.text(59, seed: 2)),
        Sample(rule: "gitlab-token", token: "gl" + "pat-" + MadeUp.text(20, from: MadeUp.alphanumerics + "-_")),
        Sample(
            rule: "slack-token",
            token: "xox" + "b-" + MadeUp.text(12, from: MadeUp.digits) + "-"
                + MadeUp.text(12, from: MadeUp.digits, seed: 2)
                + "-" + MadeUp.text(24)),
        Sample(rule: "slack-token", token: "xa" + "pp-1-A" + MadeUp.text(10).uppercased() + "-" + MadeUp.text(64)),
        Sample(rule: "stripe-live-key", token: "sk" + "_live_" + MadeUp.text(24)),
        Sample(rule: "stripe-live-key", token: "rk" + "_live_" + MadeUp.text(99)),
        Sample(rule: "google-api-key", token: "AI" + "za" + MadeUp.text(35, from: MadeUp.alphanumerics + "-_")),
        Sample(rule: "npm-token", token: "np" + "m_" + MadeUp.text(36)),
        Sample(
            rule: "pypi-token", token: "py" + "pi-AgEIcHlwaS5vcmc" + MadeUp.text(150, from: MadeUp.alphanumerics + "-_")
        ),
    ]

    @Test(arguments: samples)
    func finds(sample: Sample) {
        #expect(rules(in: sample.token) == [sample.rule])
        #expect(rules(in: "{\"value\":\"\(sample.token)\"}") == [sample.rule])
        #expect(rules(in: "export VALUE=\(sample.token)\n") == [sample.rule])
        #expect(rules(in: "\"first\\n\(sample.token)\\nlast\"") == [sample.rule], "after an escaped line end")
        #expect(rules(in: "https://host.example/?a%3D\(sample.token)") == [sample.rule], "after an escaped character")
    }

    @Test(arguments: samples)
    func leavesOtherForms(sample: Sample) {
        #expect(rules(in: "prefix" + sample.token) == [], "a part of a longer word")
        #expect(rules(in: String(sample.token.prefix(12))) == [], "too short")
        let letters = sample.token.prefix(8) + String(repeating: "x", count: sample.token.count - 8)
        #expect(rules(in: String(letters)) == [], "shows the form only")
        #expect(rules(in: String(sample.token.dropLast(7)) + "EXAMPLE") == [], "says that it is an example")
    }

    @Test func fixedLengthsAreExact() {
        let key = "AK" + "IA" + MadeUp.text(16, from: MadeUp.base32)
        #expect(rules(in: key + "A") == [])
        #expect(rules(in: key.lowercased()) == [])
        #expect(rules(in: "np" + "m_" + MadeUp.text(37)) == [])
    }

    @Test func countingUpIsNoToken() {
        #expect(rules(in: "gh" + "p_" + "0123456789" + MadeUp.lowercase) == [])
        #expect(rules(in: "sk" + "_test_" + MadeUp.text(24)) == [], "test keys open nothing")
    }

    @Test func findsSlackWebhooks() {
        let address = "https://hooks.slack.com/serv" + "ices/T0A1B2C3D/B0A1B2C3D/"
        let found = findings(in: "curl \(address + MadeUp.text(24))")
        #expect(found.map { Rule.all[$0.ruleIndex].id } == ["slack-webhook"])
        #expect(found.first?.preview == MadeUp.text(24).prefix(4) + "…")
        #expect(rules(in: address + String(repeating: "X", count: 24)) == [])
        #expect(rules(in: "https://hooks.slack.com/services/") == [])
    }

    @Test func everyRuleHasItsOwnIdentity() {
        #expect(Set(Rule.all.map(\.id)).count == Rule.all.count)
        #expect(Set(Rule.all.map(\.name)).count == Rule.all.count)
        for rule in Rule.all {
            #expect(rule.keywords.allSatisfy { $0 == $0.lowercased() && !$0.isEmpty }, "\(rule.id)")
            #expect(!rule.help.isEmpty, "\(rule.id)")
        }
    }
}
