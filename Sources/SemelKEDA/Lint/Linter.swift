/// Looks at files that belong together: a ScaledJob, and the objects that it names.
public struct Linter: Sendable {
    private let version: KEDAVersion
    private var manifest = Manifest()
    private var findings: [LintFinding] = []
    private var silencers: [String: Silencer] = [:]

    public init(version: KEDAVersion = .newest) {
        self.version = version
    }

    /// - Parameter file: What to call it in findings.
    public mutating func add(_ text: String, file: String) {
        let silencer = Silencer(text)
        silencers[file] = silencer
        findings += silencer.mistakes.map { line, problem in
            ReadingRules.finding(ReadingRules.unknownRule, Position(file: file, line: line, column: 1), problem)
        }
        do throws(ManifestError) {
            try manifest.add(text, file: file)
        } catch {
            // What is missing at the end of a file is missed on the line behind it.
            let last = max(1, text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).count)
            let position = Position(file: file, line: min(error.line ?? 1, last), column: 1)
            findings.append(ReadingRules.finding(ReadingRules.notYAML, position, error.message))
        }
    }

    public var scaledJobCount: Int { manifest.scaledJobs.count }

    /// ScaledObjects, of which nothing is said, as ‘‘name’ (file:line)’.
    public var scaledObjects: [String] {
        manifest.others.filter(\.isScaledObject).map { "‘\($0.name ?? "")’ (\($0.source.position))" }
    }

    /// Whether a trigger of some ScaledJob counts this queue.
    public func counts(_ queue: QueueFacts) -> Bool {
        subjects.contains { $0.trigger(counting: queue) != nil }
    }

    private var subjects: [LintSubject] { manifest.scaledJobs.map { LintSubject($0, manifest, version) } }

    /// Everything that the rules have to say, in the order of files and lines.
    ///
    /// - Parameter queue: What is known of a real queue; `nil` looks at files alone. It is that of the ScaledJobs that
    ///   count it, and of all of them when none does.
    public func run(queue: QueueFacts? = nil) -> [LintFinding] {
        let isForSome = queue.map { counts($0) } ?? false
        var found = findings + manifest.findings.filter(isOfInterest).map { ReadingRules.finding($0) }
        for var subject in subjects {
            if let queue, !isForSome || subject.trigger(counting: queue) != nil { subject.queue = queue }
            for rule in LintRule.all {
                guard case .scaledJob(let check) = rule.check else { continue }
                found += check(subject).map {
                    LintFinding(rule: rule, position: $0.position, problem: $0.problem, fix: $0.fix)
                }
            }
        }
        return found.filter { silencers[$0.position.file]?.silences($0) != true }
            .sorted { ($0.position, $0.rule.id) < ($1.position, $1.rule.id) }
    }

    /// Of ConfigMaps and Secrets that stand alone nothing is said: they are not what this is about.
    private func isOfInterest(_ finding: Finding) -> Bool {
        !manifest.scaledJobs.isEmpty || !manifest.authentications.isEmpty
    }
}

/// `# semel-lint: ignore SJ060 SJ061` on a line or in the comments right above it, and `# semel-lint: ignore-file SJ060`
/// anywhere. Without an id all rules are meant.
struct Silencer: Sendable {
    private enum Scope {
        case all
        case rules(Set<String>)

        func has(_ id: String) -> Bool {
            switch self {
            case .all: true
            case .rules(let ids): ids.contains(id)
            }
        }

        var mistake: String? {
            guard case .rules(let ids) = self else { return nil }
            if ids.isEmpty { return "the comment names no rule" }
            let unknown = ids.subtracting(LintRule.all.map(\.id)).sorted()
            return unknown.isEmpty ? nil : "the comment names \(unknown.joined(separator: " and ")), which is no rule"
        }
    }

    private var byLine: [Int: [Scope]] = [:]
    private var wholeFile: [Scope] = []
    /// What is to be left out and cannot be, with its line.
    private(set) var mistakes: [(line: Int, problem: String)] = []

    init(_ text: String) {
        guard text.contains("semel-lint:") else { return }
        var above: [Scope] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let isComment = line.drop(while: \.isWhitespace).first == "#"
            var here = above
            if let (isForFile, scope) = Self.directive(in: line) {
                if isForFile { wholeFile.append(scope) } else { here.append(scope) }
                if let problem = scope.mistake { mistakes.append((index + 1, problem)) }
            }
            above = isComment ? here : []
            if !here.isEmpty { byLine[index + 1] = here }
        }
    }

    func silences(_ finding: LintFinding) -> Bool {
        (wholeFile + (byLine[finding.position.line] ?? [])).contains { $0.has(finding.rule.id) }
    }

    private static func directive(in line: Substring) -> (isForFile: Bool, Scope)? {
        // The reason may have a # of its own.
        guard
            let marker = line.ranges(of: "semel-lint:").first(where: { range in
                line[..<range.lowerBound].last { !$0.isWhitespace } == "#"
            })
        else { return nil }
        var words = line[marker.upperBound...].split { $0.isWhitespace || $0 == "," }[...]
        guard let verb = words.popFirst(), ["ignore", "ignore-file"].contains(verb) else { return nil }
        // What follows the ids is the reason.
        let ids = words.map { id(in: $0) }.prefix { $0 != nil }.compactMap { $0 }
        return (verb == "ignore-file", words.isEmpty ? .all : .rules(Set(ids)))
    }

    /// `SJ040`, `sj040` and `SJ040:`
    private static func id(in word: Substring) -> String? {
        let id = word.uppercased().prefix { $0.isLetter || $0.isNumber }
        guard id.hasPrefix("SJ"), id.count > 2, id.dropFirst(2).allSatisfy(\.isNumber) else { return nil }
        return String(id)
    }
}
