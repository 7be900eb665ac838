import Testing

@testable import SemelKEDA

@Suite struct YAMLTests {
    private func documents(_ text: String) throws -> [YAMLValue] {
        try YAMLReader.documents(in: text, file: "a.yaml")
    }

    private func kind(_ text: String) throws -> YAMLScalar.Kind? {
        guard case .scalar(let scalar) = try documents("a: \(text)").first?["a"]?.content else { return nil }
        return scalar.kind
    }

    @Test func documentsAndTheirLines() throws {
        let all = try documents(
            "# Source: chart/templates/a.yaml\n---\n# nothing\n---\na:\n  - b: 1\n...\n---\nc: {d: e}\n---\n")
        try #require(all.count == 2)
        #expect(all[0]["a"]?.elements?.first?["b"]?.position == Position(file: "a.yaml", line: 6, column: 8))
        #expect(all[1]["c"]?["d"]?.position.line == 9)
        #expect(try documents("").isEmpty && documents("# nothing").isEmpty)
    }

    @Test(arguments: [
        ("1", YAMLScalar.Kind.integer), ("\"1\"", .string), ("'on'", .string), ("on", .boolean), ("Y", .boolean),
        ("~", .null), ("null", .null), ("", .null), ("1.0", .float), ("-1_000", .integer), ("0x1F", .integer),
        ("017", .integer), ("0o17", .integer), ("08", .float), (".inf", .float), ("1e3", .float), ("5m", .string),
        ("1.2.3", .string), ("99999999999999999999", .float), ("!!str 12", .string), ("|\n  12", .string),
        ("2026-11-21", .string), ("-x", .string), ("+", .string), (".", .string), ("0x", .string), ("10:20", .string),
    ])
    func types(_ text: String, _ expected: YAMLScalar.Kind) throws {
        #expect(try kind(text) == expected)
    }

    @Test func numbers() throws {
        let document = try #require(try documents("a: 0x1F\nb: 017\nc: -9223372036854775808\nd: 1_000\ne: +5").first)
        let numbers = ["a", "b", "c", "d", "e"].map { name -> Int64? in
            guard case .scalar(let scalar) = document[name]?.content else { return nil }
            return scalar.integer
        }
        #expect(numbers == [31, 15, .min, 1_000, 5])
    }

    /// What is written beside the merge key wins; what is merged keeps the line where it is written.
    @Test func anchorsAndMergeKeys() throws {
        let document = try #require(
            try documents("base: &b\n  k: v\n  l: w\na:\n  <<: *b\n  l: x\nc:\n  <<: [{k: 1}, *b]\nd: *b\n").first)
        #expect(document["a"]?["k"]?.text == "v")
        #expect(document["a"]?["k"]?.position.line == 2)
        #expect(document["a"]?["l"]?.text == "x")
        #expect(document["c"]?["k"]?.text == "1" && document["c"]?["l"]?.text == "w")
        #expect(document["d"]?["l"]?.text == "w")
    }

    @Test(arguments: [
        ("a:\n\tb: s3cret", "a.yaml:2: not YAML: found character that cannot start any token"),
        ("a: s3cret\nb: *s3cret", "a.yaml:2: not YAML: found undefined alias"),
        ("b: s3cret\na: 1\na: 2", "a.yaml:2: ‘a’ is there twice"),
        ("a: 1\nb: \u{0}s3cret", "a.yaml:2: not YAML: control characters are not allowed"),
        ("{{ if .Values.s3cret }}\na: 1", "a.yaml:1: not YAML: did not find expected ‘,’ or ‘}’"),
        ("a: &a [*a]", "a.yaml:1: not YAML: found undefined alias"),
    ])
    func errorsAreOneLineWithoutTheFile(_ text: String, _ expected: String) {
        do {
            _ = try documents(text)
            Issue.record("\(text) was read")
        } catch {
            let message = "\(error)"
            #expect(!message.contains("s3cret") && !message.contains("\n"))
            #expect(message.hasPrefix(expected.split(separator: ":").prefix(2).joined(separator: ":")), "\(message)")
        }
    }

    @Test func helmTemplates() {
        #expect(throws: ManifestError.self) { try documents("a: {{ .Values.a }}\n") }
        do { _ = try documents("{{- if .Values.a }}\na: 1\n{{- end }}\n") } catch {
            #expect("\(error)".hasSuffix("; a Helm template has to be rendered first: helm template"), "\(error)")
        }
    }

    @Test func whatWouldNotEnd() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<12 {
            let references = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(references)]\n"
        }
        #expect(throws: ManifestError.self) { try documents(bomb) }
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: ManifestError.self) { try documents(deep) }
    }

    @Test func valuesDoNotPrintThemselves() throws {
        let document = try #require(try documents("password: s3cret").first)
        var dumped = ""
        dump(document, to: &dumped)
        #expect(!"\(document) \(String(reflecting: document)) \(dumped)".contains("s3cret"))
        let secret = SecretText("s3cret")
        dumped = ""
        dump(["a": secret], to: &dumped)
        #expect(!"\(secret) \(String(reflecting: [secret])) \(dumped)".contains("s3cret"))
    }
}
