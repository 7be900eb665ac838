import Semel
import Testing

@testable import SemelKEDA

/// Files that would repeat a secret, never end or crash, if nothing were done about it.
@Suite struct HardenedInputTests {
    private func refusal(_ type: String, _ metadata: [String: String], more: String = "") -> String {
        do {
            _ = try Fixture.trigger(type, metadata, more: more)
            return "not refused"
        } catch { return "\(error)" }
    }

    private func refusal(of text: String) -> String {
        do {
            _ = try YAMLReader.documents(in: text, file: "a.yaml")
            return "not refused"
        } catch { return "\(error)" }
    }

    // MARK: Secrets

    @Test func anAddressInPlaceOfAVariablesName() {
        for value in ["amqp://user:s3cret@host/", "s3cret pass", "user:s3cret"] {
            let message = refusal("rabbitmq", ["queueName": "q", "hostFromEnv": value])
            #expect(
                message.hasSuffix("hostFromEnv: is not the name of a variable of the Job's container"), "\(message)")
        }
    }

    @Test func whatASecretHasIsNotRepeated() {
        let more = """
            apiVersion: keda.sh/v1alpha1
            kind: TriggerAuthentication
            metadata: {name: auth}
            spec:
              secretTargetRef: [{parameter: protocol, name: s, key: p}]
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: s}
            stringData: {p: s3cret}
            """
        let metadata = ["queueName": "q", "host": "amqp://host/", "authenticationRef": "auth"]
        let message = refusal("rabbitmq", metadata, more: more)
        #expect(message.hasSuffix("protocol in the authentication is not amqp, http or auto"), "\(message)")
    }

    @Test(arguments: ["value", "mode", "protocol", "useRegex", "pageSize"])
    func addressesInOtherFields(_ field: String) {
        let base = ["queueName": "q", "host": "amqp://host/", "mode": "QueueLength", "value": "1"]
        let message = refusal("rabbitmq", base.merging([field: "amqp://user:s3cret@host/"]) { $1 })
        #expect(message.contains("metadata.\(field): is n"), "\(message)")
        #expect(!message.contains("s3cret"))
    }

    @Test func messagesAreOneLine() {
        let finding = Finding(
            .invalid, at: Position(file: "a\nb", line: 1, column: 1), path: "p", "\u{1B}[2J ‘x\r\n’ \u{9B}\u{2028}")
        #expect("\(finding)" == "a\\u{a}b:1: p: \\u{1b}[2J ‘x\\u{d}\\u{a}’ \\u{9b}\\u{2028}")
        #expect("grün ✓".onOneLine == "grün ✓")
    }

    @Test func redisServers() throws {
        for address in [
            "redis://user:s3cret@host:6379", "user:s3cret@host:6379", "host", "host:0", "host:65536", ":6379", "a:b:1",
            "ho/st:1", "host:1?x",
        ] {
            #expect(RedisEndpoint.server(address) == nil, "\(address)")
        }
        #expect(try #require(RedisEndpoint.server("a.b-c:6379")) == ("a.b-c", 6_379))
        #expect(try #require(RedisEndpoint.server("[::1]:6379")) == ("::1", 6_379))
    }

    // MARK: Ends

    /// Each anchor is deep, and holds the one before.
    @Test func levelsOfAnchors() {
        let (open, close) = (String(repeating: "[", count: 400), String(repeating: "]", count: 400))
        var text = "- &a0 \(open)x\(close)\n"
        for level in 1...20 { text += "- &a\(level) \(open)*a\(level - 1)\(close)\n" }
        let message = refusal(of: text)
        #expect(message.hasSuffix("unfolds into more than 1000 levels"), "\(message)")
        #expect(refusal(of: "- &a \(open)x\(close)\n- [*a]\n") == "not refused")
    }

    @Test(arguments: ["? *a9 : 1", "{? *a9 : 1}", "*a9 : 1", "[*a9]: 1", "{b: {c: [*a9]}}: 1", "? &k [*a9]\n  : 1"])
    func anchorsAsNames(_ key: String) {
        var text = "- &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let names = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "- &a\(level) [\(names)]\n"
        }
        #expect(refusal(of: text + "- \(key)\n") == "a.yaml:11: a field's name has to be text")
    }

    @Test func whatOnlyLooksLikeSuchNames() {
        let text = "a: &a {b: c}\nd: *a\ne: [*a, *a]\nf: '? *b'\ng: {h: *a}\ni: |\n  is it? *no*\n  [x]: *b :\n"
        #expect(refusal(of: text) == "not refused")
    }

    @Test func templatesThatAreNotRendered() {
        #expect(
            refusal(of: "a: {{ .Values.a }}\n").hasSuffix("; a Helm template has to be rendered first: helm template"))
    }

    @Test func aByteOrderMark() throws {
        let documents = try YAMLReader.documents(in: "\u{FEFF}kind: List\n", file: "a.yaml")
        #expect(documents.first?["kind"]?.text == "List")
    }

    @Test func variablesThatRepeatEachOther() {
        var variables: [String: ResolvedText] = ["V0": .known(SecretText(String(repeating: "x", count: 1_000)))]
        for level in 1...40 {
            let text = SecretText(String(repeating: "$(V\(level - 1))", count: 10))
            variables["V\(level)"] = VariableExpansion.expand(text, variables)
        }
        #expect(variables["V3"]?.text?.revealed.count == 1_000_000)
        #expect(variables["V40"] == .unknown("the container's variables unfold into more than 1 MiB"))
    }

    @Test func bracketsThatNothingCloses() {
        let text = String(repeating: "$(", count: 400_000)
        #expect(VariableExpansion.expand(SecretText(text), [:]) == .known(SecretText(text)))
        #expect(
            VariableExpansion.expand(SecretText("$(A)$(B"), ["A": .known(SecretText("1"))]).text?.revealed == "1$(B")
    }

    @Test func sumsThatOverflow() {
        let queues = [RabbitMQStatistics(messages: .max, messagesReady: .max), RabbitMQStatistics(messages: 1)]
        #expect(RabbitMQStatistics(queues, operation: "sum")?.messages == .min)
    }
}
