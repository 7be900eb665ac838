/// What is wrong before there is a ScaledJob to look at.
enum ReadingRules {
    static let notYAML = LintRule(
        id: "SJ001", name: "not-yaml", severity: .error, summary: "A file that is not YAML.", check: .reading)
    static let refusedField = LintRule(
        id: "SJ002", name: "refused-field", severity: .error,
        summary: "A field that is missing, or has a value of the wrong type: Kubernetes or KEDA refuses the object.",
        check: .reading)
    static let unknownField = LintRule(
        id: "SJ003", name: "unknown-field", severity: .warning,
        summary: "A field that the API does not know: Kubernetes drops it.", check: .reading)

    static let unknownRule = LintRule(
        id: "SJ008", name: "unknown-rule", severity: .warning,
        summary: "A comment that is to leave out a rule that there is not, or names none: it leaves out nothing.",
        check: .reading)

    static let all = [notYAML, refusedField, unknownField, unknownRule]

    static func finding(_ rule: LintRule, _ position: Position, _ problem: String) -> LintFinding {
        let fix =
            switch rule.id {
            case notYAML.id: "kubectl will not read it either"
            case unknownRule.id: "write ids such as SJ040 behind ignore, or nothing for all rules"
            case refusedField.id: "the object is refused, or KEDA makes no Job of it"
            default: "remove it, or look for a slip of the pen in its name or its place"
            }
        return LintFinding(rule: rule, position: position, problem: problem, fix: fix)
    }

    static func finding(_ finding: Finding) -> LintFinding {
        let path = finding.path.isEmpty ? "" : "\(finding.path): "
        return self.finding(
            finding.isError ? refusedField : unknownField, finding.position, "\(path)\(finding.message)")
    }
}
