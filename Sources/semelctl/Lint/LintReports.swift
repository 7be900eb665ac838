import Foundation
import Semel
import SemelKEDA

/// All findings as one JSON object.
struct LintJSON: Encodable {
    private struct Item: Encodable {
        let file: String
        let line: Int
        let column: Int
        let severity: String
        let rule: String
        let name: String
        let message: String
        let fix: String
    }

    private let scaledJobs: Int
    private let errors: Int
    private let warnings: Int
    private let notes: Int
    private let findings: [Item]

    init(_ findings: [LintFinding], scaledJobs: Int) {
        func count(_ severity: LintSeverity) -> Int { findings.count { $0.rule.severity == severity } }
        self.scaledJobs = scaledJobs
        (errors, warnings, notes) = (count(.error), count(.warning), count(.note))
        self.findings = findings.map {
            Item(
                file: $0.position.file, line: $0.position.line, column: $0.position.column,
                severity: $0.rule.severity.rawValue, rule: $0.rule.id, name: $0.rule.name, message: $0.problem,
                fix: $0.fix)
        }
    }

    func line() -> String { JSONText.of(self) + "\n" }
}

/// The parts of the Static Analysis Results Interchange Format 2.1.0 that a linter needs, named as in the standard.
enum LintSarif {
    static func text(_ findings: [LintFinding]) -> String {
        let rules = LintRule.all
        let indices = Dictionary(rules.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        let driver = Driver(rules: rules.map(Descriptor.init))
        let results = findings.map { Result($0, index: indices[$0.rule.id] ?? -1) }
        return JSONText.of(Log(runs: [Run(tool: Tool(driver: driver), results: results)])) + "\n"
    }

    private struct Log: Encodable {
        let schema = "https://json.schemastore.org/sarif-2.1.0.json"
        let version = "2.1.0"
        let runs: [Run]

        enum CodingKeys: String, CodingKey {
            case schema = "$schema"
            case version, runs
        }
    }

    private struct Run: Encodable {
        let tool: Tool
        let columnKind = "unicodeCodePoints"
        let results: [Result]
    }

    private struct Tool: Encodable {
        let driver: Driver
    }

    private struct Driver: Encodable {
        let name = "semelctl lint"
        let semanticVersion = Version.current
        let rules: [Descriptor]
    }

    private struct Text: Encodable {
        let text: String
    }

    private struct Configuration: Encodable {
        let level: String
    }

    private struct Descriptor: Encodable {
        let id: String
        let name: String
        let shortDescription: Text
        let defaultConfiguration: Configuration

        init(_ rule: LintRule) {
            id = rule.id
            name = rule.name
            shortDescription = Text(text: rule.summary)
            defaultConfiguration = Configuration(level: rule.severity.rawValue)
        }
    }

    private struct Result: Encodable {
        let ruleId: String
        let ruleIndex: Int
        let level: String
        let message: Text
        let locations: [Location]

        init(_ finding: LintFinding, index: Int) {
            ruleId = finding.rule.id
            ruleIndex = index
            level = finding.rule.severity.rawValue
            message = Text(text: "\(finding.problem); \(finding.fix).".onOneLine)
            locations = [Location(finding.position)]
        }
    }

    private struct Location: Encodable {
        let physicalLocation: PhysicalLocation

        init(_ position: Position) {
            physicalLocation = PhysicalLocation(
                artifactLocation: ArtifactLocation(uri: LintSarif.uri(position.file)),
                region: Region(startLine: position.line, startColumn: position.column))
        }
    }

    private struct PhysicalLocation: Encodable {
        let artifactLocation: ArtifactLocation
        let region: Region
    }

    private struct ArtifactLocation: Encodable {
        let uri: String
    }

    private struct Region: Encodable {
        let startLine: Int
        let startColumn: Int
    }

    /// A path as a URI: relative as it is written, absolute with its scheme.
    static func uri(_ path: String) -> String {
        let allowed = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
        let encoded = path.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        return path.hasPrefix("/") ? "file://\(encoded)" : encoded
    }
}
