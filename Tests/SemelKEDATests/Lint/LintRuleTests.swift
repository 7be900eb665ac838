import Foundation
import SemelKEDA
import Testing

@Suite struct LintRuleTests {
    @Test func idsAreOrderedAndUnique() {
        let ids = LintRule.all.map(\.id)
        #expect(Set(ids).count == ids.count && Set(LintRule.all.map(\.name)).count == ids.count)
        #expect(ids.allSatisfy { $0.count == 5 && $0.hasPrefix("SJ") && $0.dropFirst(2).allSatisfy(\.isNumber) })
        #expect(ids == ids.sorted())
        #expect(Set(LintCase.all.map(\.id)) == Set(ids), "each rule has a case")
    }

    @Test(arguments: ["amqp", "http", "redis", "sqs", "own sqs", "stream"])
    func nothingIsSaidOfTheseFixtures(_ name: String) {
        let texts = [
            "amqp": LintFixture.amqp, "http": LintFixture.http, "redis": LintFixture.redis, "sqs": LintFixture.sqs,
            "own sqs": LintFixture.ownSQS,
            "stream": LintFixture.stream,
        ]
        for version in ["2.19", "2.20.0", "2.20"] {
            let findings = texts[name]?.linted(version) ?? []
            #expect(findings.isEmpty, "\(findings.map(\.description))")
        }
    }

    @Test(arguments: LintCase.all)
    func aRule(_ example: LintCase) throws {
        let found = example.bad.linted(example.version, queue: example.queue)
        let finding = try #require(
            found.first { $0.rule.id == example.id }, "not found in: \(found.map(\.description))")
        #expect(finding.description.contains(example.says), "\(finding.description)")
        let lines = example.bad.split(separator: "\n", omittingEmptySubsequences: false)
        let line = try #require(
            lines.indices.contains(finding.position.line - 1) ? lines[finding.position.line - 1] : nil)
        #expect(line.contains(example.line), "\(finding.description) is at ‘\(line)’")
        #expect(
            finding.description.hasPrefix("a.yaml:\(finding.position.line): \(finding.rule.severity) \(example.id): "))
        #expect(!finding.description.contains("\n") && finding.fix.last != "." && finding.problem.last != ".")
        let others = example.good.linted(
            example.goodVersion ?? example.version, queue: example.goodQueue ?? example.queue)
        #expect(!others.contains { $0.rule.id == example.id }, "\(others.map(\.description))")
    }

    @Test func noSecretIsRepeated() {
        for example in LintCase.all {
            let found = example.bad.linted(example.version, queue: example.queue)
            #expect(!found.contains { $0.description.contains("s3cret") }, "\(found.map(\.description))")
        }
    }

    @Test func rulesAreDocumentedAsTheyAre() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/lint.md"), encoding: .utf8)
        let documented = page.split(separator: "\n").filter { $0.hasPrefix("| SJ") }.map(String.init)
        let actual = LintRule.all.map { "| \($0.id) | `\($0.name)` | \($0.severity.rawValue) | \($0.summary) |" }
        #expect(documented == actual, "write in docs/lint.md:\n\(actual.joined(separator: "\n"))")
    }
}
