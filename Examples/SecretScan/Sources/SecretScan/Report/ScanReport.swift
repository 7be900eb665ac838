import FoundationEssentials

/// What a scan came to.
struct ScanReport {
    /// Something that the results do not cover, although a reader might expect it.
    struct Gap {
        enum Kind: String, CaseIterable {
            case unreadable = "unreadable"
            case tooLarge = "too-large"
            case damagedArchive = "damaged-archive"
            case binaryTarget = "binary-target"
            case tooManyFindings = "too-many-findings"
        }

        let kind: Kind
        let path: RelativePath
        let reason: String
    }

    let target: ScanTarget
    var findings: [Finding] = []
    var gaps: [Gap] = []
    var filesScanned = 0
    var filesSkipped = 0
    var bytesScanned = 0

    /// False when what the message names could not be scanned to its end; single files that were left out do not count.
    var isComplete: Bool {
        !gaps.contains { $0.kind.level == .error || ($0.kind == .unreadable && $0.path.bytes.isEmpty) }
    }
}

extension ScanReport.Gap.Kind {
    var level: Level {
        switch self {
        case .unreadable, .tooManyFindings: .warning
        case .tooLarge: .note
        case .damagedArchive, .binaryTarget: .error
        }
    }

    fileprivate var descriptor: Sarif.Descriptor {
        let (name, summary) =
            switch self {
            case .unreadable: ("Unreadable", "A file or folder could not be read")
            case .tooLarge: ("TooLarge", "A text file was left out because of its size")
            case .damagedArchive: ("DamagedArchive", "An archive could not be read to its end")
            case .binaryTarget: ("BinaryTarget", "The only file to scan is neither text nor a tar archive")
            case .tooManyFindings: ("TooManyFindings", "Findings beyond the limit are not listed")
            }
        return Sarif.Descriptor(
            id: rawValue, name: name, shortDescription: Sarif.Message(text: summary), help: nil,
            defaultConfiguration: Sarif.Configuration(level: level))
    }
}

extension ScanReport {
    private static let rootID = "SCANROOT"

    /// The report as one SARIF document in UTF-8, in the same order for the same files.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try Array(encoder.encode(sarif)) + [Ascii.newline]
    }

    private var sarif: Sarif.Log {
        let driver = Sarif.Driver(
            name: "secret-scan",
            semanticVersion: SecretScanCommand.version,
            rules: Rule.all.map(Self.descriptor),
            notifications: Gap.Kind.allCases.map(\.descriptor))
        let run = Sarif.Run(
            tool: Sarif.Tool(driver: driver),
            invocations: [
                Sarif.Invocation(
                    executionSuccessful: isComplete, toolExecutionNotifications: gaps.map(Self.notification))
            ],
            originalUriBaseIds: [Self.rootID: target.base],
            results: findings.map(Self.result),
            properties: Sarif.Statistics(
                filesScanned: filesScanned, filesSkipped: filesSkipped, bytesScanned: bytesScanned))
        return Sarif.Log(runs: [run])
    }

    private static func descriptor(of rule: Rule) -> Sarif.Descriptor {
        Sarif.Descriptor(
            id: rule.id, name: rule.name, shortDescription: Sarif.Message(text: rule.summary),
            help: Sarif.Message(text: rule.help), defaultConfiguration: Sarif.Configuration(level: rule.level))
    }

    private static func result(for finding: Finding) -> Sarif.Result {
        let rule = Rule.all[finding.ruleIndex]
        let region = Sarif.Region(startLine: finding.line, startColumn: finding.column, endColumn: finding.endColumn)
        return Sarif.Result(
            ruleId: rule.id,
            ruleIndex: finding.ruleIndex,
            level: rule.level,
            message: Sarif.Message(text: "\(rule.summary): \(finding.preview)"),
            locations: [location(of: finding.path, region: region)],
            partialFingerprints: ["secretScan/v1": finding.fingerprint])
    }

    private static func notification(for gap: Gap) -> Sarif.Notification {
        Sarif.Notification(
            descriptor: Sarif.Reference(id: gap.kind.rawValue, index: Gap.Kind.allCases.firstIndex(of: gap.kind) ?? 0),
            level: gap.kind.level,
            message: Sarif.Message(text: gap.path.bytes.isEmpty ? gap.reason : "\(gap.path.display): \(gap.reason)"),
            locations: [location(of: gap.path, region: nil)])
    }

    private static func location(of path: RelativePath, region: Sarif.Region?) -> Sarif.Location {
        Sarif.Location(
            physicalLocation: Sarif.PhysicalLocation(
                artifactLocation: Sarif.ArtifactLocation(uri: path.uri, uriBaseId: rootID), region: region))
    }
}
