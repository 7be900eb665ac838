import Foundation
import Testing

@testable import SecretScan

@Suite struct URLCredentialTests {
    /// Keeps the sources of the tests free of URLs with passwords.
    private func url(_ userInfo: String, _ rest: String, scheme: String = "amqp") -> String {
        scheme + ":" + "//" + userInfo + "@" + rest
    }

    @Test func findsPasswords() throws {
        let password = MadeUp.text(12)
        for scheme in ["amqp", "rediss", "postgres", "https", "git+https", "mongodb+srv"] {
            #expect(rules(in: url("app:\(password)", "db.corp.net:5672/x", scheme: scheme)) == ["url-credentials"])
        }
        #expect(rules(in: url(":\(password)", "cache.corp.net", scheme: "redis")) == ["url-credentials"], "no user")
        #expect(rules(in: "\"" + url("app:winter%2119", "db.corp.net") + "\"") == ["url-credentials"])
        #expect(rules(in: url("app:pa@\(password)", "10.1.2.3")) == ["url-credentials"])

        let finding = try #require(findings(in: "url = " + url("app:\(password)", "db.corp.net")).first)
        #expect(finding.column == "url = amqp://app:".count + 1)
        #expect(finding.endColumn - finding.column == password.count, "the password alone")
    }

    @Test func asksMoreOfAPasswordForAShortHost() {
        #expect(rules(in: url("app:" + MadeUp.text(16), "rabbitmq:5672")) == ["url-credentials"])
        #expect(rules(in: url("app:" + MadeUp.text(16), "${DB_HOST}/x")) == ["url-credentials"])
        #expect(rules(in: url("app:" + MadeUp.text(16), "rabbitmq.mq.svc.cluster.local")) == ["url-credentials"])
        #expect(rules(in: url("app:sesame", "rabbitmq:5672")) == [])
    }

    @Test(arguments: [
        "user:pw", "guest:guest", "test:test", "user:password", "user:${PASSWORD}", "user:$PASSWORD", "user:<password>",
        "user:{password}", "user:xxxxxxxx", "user:********", "user:%s", "root:root", "user:changeme", "joe:secret",
        "billing:billing", "user", "user:",
    ])
    func leavesPlaceholders(userInfo: String) {
        #expect(rules(in: url(userInfo, "db.corp.net")) == [])
    }

    @Test(arguments: [
        "localhost:5672", "127.0.0.1", "[::1]:6379", "0.0.0.0", "example.com", "db.example.org", "broker.test",
        "db.invalid", "host:5672", "x.localhost",
    ])
    func leavesHostsForShow(host: String) {
        #expect(rules(in: url("app:" + MadeUp.text(16), host)) == [])
    }

    @Test func leavesOtherURLs() {
        #expect(rules(in: "https://db.corp.net:5672/path?mail=someone:else1234@corp.net") == [])
        #expect(rules(in: "https://db.corp.net/a:bcdefgh@2x.png") == [])
        #expect(rules(in: "see http://corp.net, mail me@corp.net") == [])
    }
}

@Suite struct AssignmentTests {
    static let value = MadeUp.text(24)

    @Test(arguments: [
        "password = \"%@\"", "\"password\": \"%@\"", "'api_key' => '%@'", "let token: String = \"%@\"",
        "API_KEY := `%@`", "auth_token='%@'", "config[\"secret\"] = \"%@\"", "setenv(\"CLIENT_SECRET\", \"%@\")",
        "<password>%@</password>", "process.env.API_TOKEN || '%@'", "dbPassword2 = \"%@\"", "x-api-key: '%@'",
        "{\\\"token\\\": \\\"%@\\\"}", "password=b\"%@\"", "if token == \"%@\" {",
    ])
    func findsRandomValues(form: String) throws {
        let text = form.replacingOccurrences(of: "%@", with: Self.value)
        let found = findings(in: text, path: "main.go")
        #expect(found.map { Rule.all[$0.ruleIndex].id } == ["high-entropy-assignment"])
        #expect(try #require(found.first).preview == Self.value.prefix(4) + "…")
    }

    @Test(arguments: [
        "password = load(\"%@\")", "password_hash = \"%@\"", "tokenizer = \"%@\"", "next_token = \"%@\"",
        "csrfToken: \"%@\"", "secretName: \"%@\"", "checksum = \"%@\"", "password != \"%@\"", "token = \"/run/%@\"",
        "token = \"https://corp.net/%@\"", "token = \"${%@}\"", "token = \"two words %@\"", "password",
        "[\"md5\", \"password\", \"%@\"]", "password = ", "password = \"", "token = \"example-%@\"",
    ])
    func leavesOtherPlaces(form: String) {
        #expect(rules(in: form.replacingOccurrences(of: "%@", with: Self.value), path: "main.go") == [])
    }

    @Test(arguments: [
        "hunter2", "correct-horse-battery-staple", "oauth2-client-secret-v2", "accessTokenExpirationSeconds2",
        "${DB_PASSWORD}", "<your-password-1>", "xxxxxxxxxxxx1", "1234567890abcdef", "aaaabbbb1111", "12345678901",
        "SuperSecretPassword123", "%env(TOKEN_V2)%",
    ])
    func leavesTameValues(value: String) {
        #expect(rules(in: "password = \"\(value)\"") == [])
    }

    @Test func unquotedValuesCountInConfigurationOnly() {
        let text = "DEBUG=1\nAPI_TOKEN=\(Self.value)\n"
        for path in [".env", "deploy/.env.production", "app.properties", "values.yaml", "prod.ENV", "home/.npmrc"] {
            #expect(rules(in: text, path: path) == ["high-entropy-assignment"], "\(path)")
        }
        #expect(rules(in: text, path: "main.py") == [])
        #expect(rules(in: "token: \(Self.value) # rotate\n", path: "a.yml") == ["high-entropy-assignment"])
        #expect(rules(in: "token: \(Self.value) is a word\n", path: "a.yml") == [])
        #expect(rules(in: "token: build(\(Self.value))\n", path: "a.yml") == [])
    }

    @Test func requestIdentitiesAreNotSecrets() {
        let identity = [8, 4, 4, 4, 12].map { MadeUp.text($0, from: MadeUp.hexadecimal, seed: UInt64($0)) }
            .joined(separator: "-")
        #expect(rules(in: "\"clientToken\": \"\(identity)\"") == [])
        #expect(rules(in: "_authToken=\(identity)", path: ".npmrc") == ["high-entropy-assignment"])
    }

    @Test func knownFormsComeBeforeGuesses() {
        #expect(rules(in: "token = \"\(MadeUp.gitHubToken())\"") == ["github-token"])
        let address = "https:" + "//x-access-token:\(MadeUp.gitHubToken())@github.com/a/b"
        #expect(rules(in: address) == ["github-token"])
        #expect(rules(in: "api_token_secret = \"\(Self.value)\"") == ["high-entropy-assignment"], "once")
    }
}
