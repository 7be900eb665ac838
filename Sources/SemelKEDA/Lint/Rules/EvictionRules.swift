/// Nodes that are drained, and pods that have to go.
enum EvictionRules {
    static let all = [evictable, disruptionCounts]

    private static let wanted = [
        ("cluster-autoscaler.kubernetes.io/safe-to-evict", "false"), ("karpenter.sh/do-not-disrupt", "true"),
    ]

    static let evictable = LintRule(
        "SJ070", "evictable-pod", .warning,
        "A pod template without the annotations that keep autoscalers from ending its work to save a node."
    ) { subject in
        guard let pod = subject.pod else { return [] }
        let missing = wanted.filter { pod.metadata.annotations[$0.0]?.value != $0.1 }
        guard !missing.isEmpty else { return [] }
        let isElsewhere = missing.allSatisfy { subject.job.metadata.annotations[$0.0] != nil }
        let names = missing.map { "\($0.0): \"\($0.1)\"" }.joined(separator: " and ")
        let seconds = pod.terminationGracePeriodSeconds?.value ?? 30
        return [
            LintRemark(
                subject.place("jobTargetRef", "template", "metadata", "annotations"),
                "an autoscaler that empties a node ends the task \(seconds) s later, however long it has run"
                    + (isElsewhere ? "; the ScaledJob's own annotations do not reach the pod" : ""),
                fix: "write in the pod template's annotations \(names)")
        ]
    }

    static let disruptionCounts = LintRule(
        "SJ071", "disruption-counts", .note,
        "No `podFailurePolicy` that ignores DisruptionTarget: a pod that is evicted is a failed Job."
    ) { subject in
        guard let job = subject.job.job else { return [] }
        let ignores = job.podFailurePolicy?.rules.contains { rule in
            rule.action?.value == "Ignore"
                && rule.onPodConditions.contains {
                    $0.type?.value == "DisruptionTarget" && ($0.status?.value ?? "True") == "True"
                }
        }
        guard ignores != true else { return [] }
        return [
            LintRemark(
                job.podFailurePolicy?.position ?? subject.place("jobTargetRef", "podFailurePolicy"),
                "a drained node is a failed Job instead of another pod of the same one",
                fix: "write podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget, "
                    + "status: \"True\"}]}]}")
        ]
    }
}
