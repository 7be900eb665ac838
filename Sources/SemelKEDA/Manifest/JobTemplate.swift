/// `spec.jobTargetRef`: what a Job made by KEDA is, as far as something here depends on it.
public struct JobTemplate: Sendable {
    public let position: Position
    public let parallelism: Located<Int32>?
    public let completions: Located<Int32>?
    /// Kubernetes takes 6 when it is not written.
    public let backoffLimit: Located<Int32>?
    /// From the Job's start, time in which its pod is pending included.
    public let activeDeadlineSeconds: Located<Int64>?
    public let ttlSecondsAfterFinished: Located<Int32>?
    public let suspend: Located<Bool>?
    public let podFailurePolicy: PodFailurePolicy?
    /// `nil` when it is missing, which is a finding.
    public let template: PodTemplate?

    package init(_ reader: inout FieldReader) {
        position = reader.value.position
        parallelism = reader.integer("parallelism", least: 0)
        completions = reader.integer("completions", least: 0)
        backoffLimit = reader.integer("backoffLimit", least: 0)
        activeDeadlineSeconds = reader.longInteger("activeDeadlineSeconds", least: 0)
        ttlSecondsAfterFinished = reader.integer("ttlSecondsAfterFinished", least: 0)
        suspend = reader.flag("suspend")
        podFailurePolicy = reader.object("podFailurePolicy") { PodFailurePolicy(&$0) }
        template = reader.object("template") { PodTemplate(&$0) }
        if template == nil { reader.list.add(.missing, reader.value, reader.path(of: "template"), "is missing") }
        reader.skip(
            "selector", "manualSelector", "completionMode", "backoffLimitPerIndex", "maxFailedIndexes", "managedBy",
            "podReplacementPolicy", "successPolicy")
    }
}

/// `podFailurePolicy`: the first rule that matches a failed pod decides.
public struct PodFailurePolicy: Sendable {
    public let position: Position
    public let rules: [Rule]

    public struct Rule: Sendable {
        public let position: Position
        /// `FailJob`, `Ignore`, `Count` or `FailIndex`.
        public let action: Located<String>?
        public let onExitCodes: ExitCodes?
        public let onPodConditions: [Condition]
    }

    public struct ExitCodes: Sendable {
        public let containerName: Located<String>?
        /// `In` or `NotIn`.
        public let `operator`: Located<String>?
        public let values: [Located<Int32>]
    }

    public struct Condition: Sendable {
        public let type: Located<String>?
        /// `True` when it is not written.
        public let status: Located<String>?
    }

    init(_ reader: inout FieldReader) {
        position = reader.value.position
        rules = reader.objects("rules") { rule in
            Rule(
                position: rule.value.position, action: rule.requiredText("action"),
                onExitCodes: rule.object("onExitCodes") {
                    ExitCodes(
                        containerName: $0.text("containerName"), operator: $0.requiredText("operator"),
                        values: $0.integers("values"))
                },
                onPodConditions: rule.objects("onPodConditions") {
                    Condition(type: $0.requiredText("type"), status: $0.text("status"))
                })
        }
    }
}
