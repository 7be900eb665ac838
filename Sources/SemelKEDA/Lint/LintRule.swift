import Semel

/// One thing that goes wrong with ScaledJobs: how to see it in a file, what will happen, and what to do.
///
/// A rule is a value, made in the file of `Lint/Rules` that its subject belongs to and listed in ``all``. Its id never
/// gets another meaning, and that of a rule that is gone is not used again: people have it in their files.
public struct LintRule: Sendable {
    /// `SJ010`
    public let id: String
    /// A few words with hyphens, for reports: `flooding-pair`.
    public let name: String
    public let severity: LintSeverity
    /// One sentence for `docs/lint.md`: what the rule finds.
    public let summary: String
    let check: Check

    enum Check {
        /// Found while files are read, before there is a ScaledJob to look at.
        case reading
        case scaledJob(@Sendable (LintSubject) -> [LintRemark])
    }

    init(
        _ id: String, _ name: String, _ severity: LintSeverity, _ summary: String,
        _ check: @escaping @Sendable (LintSubject) -> [LintRemark]
    ) {
        self.init(id: id, name: name, severity: severity, summary: summary, check: .scaledJob(check))
    }

    /// Asks the queue of `--queue`; without one it has nothing to say.
    init(
        _ id: String, _ name: String, _ severity: LintSeverity, _ summary: String,
        queue check: @escaping @Sendable (LintSubject, QueueFacts) -> [LintRemark]
    ) {
        self.init(id, name, severity, summary) { subject in subject.queue.map { check(subject, $0) } ?? [] }
    }

    init(id: String, name: String, severity: LintSeverity, summary: String, check: Check) {
        (self.id, self.name, self.severity, self.summary, self.check) = (id, name, severity, summary, check)
    }
}

extension LintRule {
    /// Every rule, in the order of their ids.
    public static let all: [LintRule] =
        (ReadingRules.all + TriggerRules.all + PairRules.all + SeveralTriggersRules.all + LimitRules.all
        + RolloutRules.all + JobRules.all + EvictionRules.all + SecretRules.all + WorkerRules.all + QueueRules.all)
        .sorted { $0.id < $1.id }
}

public enum LintSeverity: String, Sendable, Hashable, Comparable, CaseIterable {
    /// Nothing is wrong, but somebody may want to know.
    case note
    /// Goes wrong under conditions that the file does not rule out.
    case warning
    /// Goes wrong as it is written.
    case error

    public static func < (left: LintSeverity, right: LintSeverity) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .note: 0
        case .warning: 1
        case .error: 2
        }
    }
}

/// What a rule says about one place.
struct LintRemark: Sendable {
    let position: Position
    /// What will happen.
    let problem: String
    let fix: String

    init(_ position: Position, _ problem: String, fix: String) {
        (self.position, self.problem, self.fix) = (position, problem, fix)
    }
}

/// A rule's remark, ready to be shown. Holds no secrets.
public struct LintFinding: Sendable {
    public let rule: LintRule
    public let position: Position
    /// What will happen, without a full stop.
    public let problem: String
    /// What to do about it, without a full stop.
    public let fix: String

    /// `scaledjob.yaml:12: error SJ010: what will happen; what to do`
    public var description: String {
        "\(position): \(rule.severity.rawValue) \(rule.id): \(problem); \(fix)".onOneLine
    }
}
