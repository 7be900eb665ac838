import Foundation
import Testing

@testable import SecretScan

@Suite struct KeyRuleTests {
    @Test(arguments: [
        "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    ])
    func findsPrivateKeys(title: String) throws {
        let found = findings(in: "tls:\n  key: |\n    " + MadeUp.privateKey(title, separator: "\n    "))
        let finding = try #require(found.first)
        #expect(found.count == 1)
        #expect(Rule.all[finding.ruleIndex].id == "private-key")
        #expect((finding.line, finding.column) == (3, 5))
        #expect(finding.endColumn - finding.column == "-----BEGIN -----".count + title.count)
        #expect(finding.preview == MadeUp.text(4, from: MadeUp.base64) + "…", "of the key, not of the header")
    }

    @Test func findsPrivateKeysInStrings() {
        #expect(rules(in: "{\"key\": \"\(MadeUp.privateKey(separator: "\\n"))\"}") == ["private-key"])
        #expect(rules(in: MadeUp.privateKey(separator: "\" +\n    \"")) == ["private-key"])
        #expect(rules(in: MadeUp.privateKey(separator: "\r\n")) == ["private-key"])
    }

    @Test func findsPrivateKeysWithAttributes() {
        let attributes = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC," + MadeUp.text(32, from: MadeUp.hexadecimal)
        let key = MadeUp.privateKey().replacingOccurrences(of: "KEY-----\n", with: "KEY-----\n\(attributes)\n\n")
        #expect(rules(in: key) == ["private-key"])
    }

    @Test func leavesWhatIsNoPrivateKey() {
        #expect(rules(in: MadeUp.privateKey("CERTIFICATE")) == [])
        #expect(rules(in: MadeUp.privateKey("PUBLIC KEY")) == [])
        #expect(rules(in: "starts with -----BEG" + "IN PRIVATE KEY----- and so on") == [])
        #expect(rules(in: "-----BEG" + "IN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----") == [])
        let crossedOut = "-----BEG" + "IN PRIVATE KEY-----\n" + String(repeating: "x", count: 64)
        #expect(rules(in: crossedOut) == [])
    }

    @Test(arguments: [
        "AWS_SECRET_ACCESS_KEY=%@", "export AWS_SECRET_ACCESS_KEY='%@'", "aws_secret_access_key = %@\n",
        "\"SecretAccessKey\": \"%@\",", "secretAccessKey: '%@'", "aws.secretKey=%@", "<awsSecretKey>%@</awsSecretKey>",
        "ENV['AWS_SECRET_ACCESS_KEY'] = \"%@\"", "{\\\"AWS_SECRET_KEY\\\":\\\"%@\\\"}",
    ])
    func findsAWSSecrets(form: String) {
        let secret = MadeUp.text(40, from: MadeUp.base64)
        #expect(rules(in: form.replacingOccurrences(of: "%@", with: secret)) == ["aws-secret-access-key"])
    }

    @Test func leavesWhatIsNoAWSSecret() {
        let secret = MadeUp.text(40, from: MadeUp.base64)
        #expect(rules(in: "AWS_SECRET_ACCESS_KEY=\(secret)A") == [])
        #expect(rules(in: "AWS_SECRET_ACCESS_KEY=\(secret.dropLast(7))EXAMPLE") == [])
        #expect(rules(in: "AWS_SECRET_ACCESS_KEY=" + MadeUp.text(40, from: MadeUp.hexadecimal)) == [], "a SHA-1 sum")
        #expect(rules(in: "checksum_key = \(secret)") == [])
        #expect(rules(in: "AWS_SECRET_ACCESS_KEY=${SECRET_FROM_THE_VAULT}") == [])
    }

    @Test func findsAzureConnectionStrings() {
        func connection(account: String, key: String) -> String {
            "DefaultEndpointsProtocol=https;AccountName=\(account);Account"
                + "Key=\(key);EndpointSuffix=core.windows.net"
        }
        let key = MadeUp.text(86, from: MadeUp.base64)
        #expect(rules(in: connection(account: "shop", key: key + "==")) == ["azure-storage-key"])
        #expect(rules(in: connection(account: "shop", key: key)) == [])
        #expect(rules(in: connection(account: "shop", key: "<key>")) == [])
        let emulator = "Eby8vdM02x" + "NOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
        #expect(rules(in: connection(account: "devstoreaccount1", key: emulator)) == [])
    }

    @Test func findsJSONWebTokens() {
        func token(header: String, payload: String, signature: String = MadeUp.text(43)) -> String {
            [Data(header.utf8), Data(payload.utf8)].map { data in
                data.base64EncodedString().replacingOccurrences(of: "+", with: "-")
                    .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
            }.joined(separator: ".") + "." + signature
        }
        let header = #"{"alg":"RS256","typ":"JWT"}"#
        let payload = #"{"sub":"7d3a","scope":"write"}"#
        let signed = token(header: header, payload: payload)
        #expect(rules(in: "Authorization: Bearer \(signed)") == ["json-web-token"])
        #expect(rules(in: "token = \"\(signed)\"") == ["json-web-token"], "known form before guess")
        #expect(rules(in: token(header: #"{"alg":"none"}"#, payload: payload)) == [])
        #expect(rules(in: token(header: header, payload: #"{"sub":"1234567890"}"#)) == [], "the textbook example")
        #expect(rules(in: token(header: header, payload: payload, signature: "short")) == [])
        #expect(rules(in: token(header: #"{"foo":"RS256"}"#, payload: payload)) == [])
        #expect(rules(in: "x" + signed) == [])
    }

    @Test(arguments: ["", "f", "fo", "foo", "foob", "fooba", "foo?>~bar"])
    func decodesBase64URL(text: String) throws {
        let encoded = Data(text.utf8).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
        #expect(Base64URL.decode(Array(encoded.utf8)[...]) == Array(text.utf8))
    }

    @Test func refusesOtherBase64() {
        #expect(Base64URL.decode(Array("ab+/".utf8)[...]) == nil)
        #expect(Base64URL.decode(Array("abcde".utf8)[...]) == nil)
    }
}
