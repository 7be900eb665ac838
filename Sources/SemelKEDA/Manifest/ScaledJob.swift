/// A KEDA ScaledJob as it is written. What is not written is `nil`; the properties beside say what KEDA makes of it.
public struct ScaledJob: Sendable {
    public let position: Position
    public let metadata: ObjectMetadata
    /// The Job that is created again and again; `nil` when it is missing, which is a finding.
    public let job: JobTemplate?
    public let pollingInterval: Located<Int32>?
    public let minReplicaCount: Located<Int32>?
    public let maxReplicaCount: Located<Int32>?
    public let successfulJobsHistoryLimit: Located<Int32>?
    public let failedJobsHistoryLimit: Located<Int32>?
    /// Deprecated since KEDA 2.8. When it is there, ``rollout`` has no effect.
    public let rolloutStrategy: Located<String>?
    public let rollout: Rollout?
    /// The container whose environment triggers read; the first one when it is not written.
    public let envSourceContainerName: Located<String>?
    public let scalingStrategy: ScalingStrategyFields
    public let triggers: [Trigger]
    /// The object as it is written, for whatever is not modelled here.
    public let source: YAMLValue

    public struct Rollout: Sendable {
        public let position: Position
        public let strategy: Located<String>?
        public let propagationPolicy: Located<String>?
    }

    public struct ScalingStrategyFields: Sendable {
        public var position: Position?
        public var strategy: Located<String>?
        public var customScalingQueueLengthDeduction: Located<Int32>?
        public var customScalingRunningJobPercentage: Located<String>?
        public var pendingPodConditions: [Located<String>] = []
        public var multipleScalersCalculation: Located<String>?
    }

    public struct Trigger: Sendable {
        public let position: Position
        /// Its place in the list, from 0.
        public let index: Int
        public let type: Located<String>?
        public let name: Located<String>?
        public let metadata: TextMap
        public let authenticationRef: AuthenticationReference?
        public let metricType: Located<String>?
        public let useCachedMetrics: Located<Bool>?
    }

    public struct AuthenticationReference: Sendable {
        public let name: Located<String>?
        /// `TriggerAuthentication` when it is not written, or `ClusterTriggerAuthentication`.
        public let kind: Located<String>?
    }
}

extension ScaledJob {
    public var name: String { metadata.name?.value ?? "" }

    /// Seconds from one poll to the next: 30 when nothing is written.
    public var pollingSeconds: Int { Int(pollingInterval?.value ?? 30) }

    public var limits: ReplicaLimits {
        ReplicaLimits(minimum: minReplicaCount?.value, maximum: maxReplicaCount?.value)
    }

    public var strategy: ScalingStrategy {
        ScalingStrategy(
            name: scalingStrategy.strategy?.value,
            deduction: scalingStrategy.customScalingQueueLengthDeduction?.value,
            percentage: scalingStrategy.customScalingRunningJobPercentage?.value)
    }

    public var pendingRule: PendingRule {
        PendingRule(scalingStrategy.pendingPodConditions.map(\.value))
    }

    /// Whether a change of the ScaledJob leaves running Jobs alone. KEDA deletes them otherwise.
    public var rollsOutGradually: Bool {
        // The deprecated field wins.
        let strategy = [rolloutStrategy?.value, rollout?.strategy?.value].compactMap { $0 }.first { !$0.isEmpty }
        return strategy == "gradual"
    }

    /// Whether KEDA leaves this ScaledJob alone: what is no boolean pauses, too.
    public var isPaused: Bool {
        metadata.annotations["autoscaling.keda.sh/paused"].map { GoNumbers.parseBool($0.value) ?? true } ?? false
    }

    /// How finished Jobs are kept, oldest ones removed first: 100 when nothing is written.
    public var historyLimits: (successful: Int, failed: Int) {
        (Int(successfulJobsHistoryLimit?.value ?? 100), Int(failedJobsHistoryLimit?.value ?? 100))
    }

    /// Everything that decides, for a version of KEDA.
    public func rules(_ version: KEDAVersion = .newest) -> ScalingRules {
        ScalingRules(
            limits: limits, strategy: strategy,
            combination: CombinationRule(scalingStrategy.multipleScalersCalculation?.value), version: version)
    }
}

extension ScaledJob {
    init(_ reader: inout FieldReader) {
        source = reader.value
        position = reader.value.position
        metadata = ObjectMetadata(&reader)
        reader.skip("apiVersion", "kind", "status")
        if metadata.name == nil {
            reader.list.add(.missing, reader.value, "metadata.name", "is missing")
        }
        let spec = reader.object("spec") { Spec(&$0) }
        if spec == nil { reader.list.add(.missing, reader.value, "spec", "is missing") }
        job = spec?.job
        pollingInterval = spec?.pollingInterval
        (minReplicaCount, maxReplicaCount) = (spec?.minimum, spec?.maximum)
        (successfulJobsHistoryLimit, failedJobsHistoryLimit) = (spec?.successful, spec?.failed)
        (rolloutStrategy, rollout) = (spec?.rolloutStrategy, spec?.rollout)
        envSourceContainerName = spec?.container
        scalingStrategy = spec?.strategy ?? ScalingStrategyFields()
        triggers = spec?.triggers ?? []
    }
}

/// `spec`, on its way into a ``ScaledJob``.
private struct Spec {
    let job: JobTemplate?
    let pollingInterval: Located<Int32>?
    let minimum: Located<Int32>?
    let maximum: Located<Int32>?
    let successful: Located<Int32>?
    let failed: Located<Int32>?
    let rolloutStrategy: Located<String>?
    let rollout: ScaledJob.Rollout?
    let container: Located<String>?
    let strategy: ScaledJob.ScalingStrategyFields?
    let triggers: [ScaledJob.Trigger]

    init(_ reader: inout FieldReader) {
        job = reader.object("jobTargetRef") { JobTemplate(&$0) }
        if job == nil { reader.list.add(.missing, reader.value, reader.path(of: "jobTargetRef"), "is missing") }
        pollingInterval = reader.integer("pollingInterval", least: 1)
        minimum = reader.integer("minReplicaCount")
        maximum = reader.integer("maxReplicaCount")
        successful = reader.integer("successfulJobsHistoryLimit", least: 0)
        failed = reader.integer("failedJobsHistoryLimit", least: 0)
        rolloutStrategy = reader.text("rolloutStrategy")
        rollout = reader.object("rollout") {
            ScaledJob.Rollout(
                position: $0.value.position, strategy: $0.text("strategy"),
                propagationPolicy: $0.text("propagationPolicy"))
        }
        container = reader.text("envSourceContainerName")
        strategy = reader.object("scalingStrategy") { ScaledJob.ScalingStrategyFields(&$0) }
        triggers = reader.objects("triggers") { index, trigger in ScaledJob.Trigger(&trigger, index: index) }
        if triggers.isEmpty {
            reader.list.add(.missing, reader.value, reader.path(of: "triggers"), "no trigger; KEDA wants at least one")
        }
    }
}

extension ScaledJob.ScalingStrategyFields {
    fileprivate init(_ reader: inout FieldReader) {
        position = reader.value.position
        strategy = reader.text("strategy")
        customScalingQueueLengthDeduction = reader.integer("customScalingQueueLengthDeduction")
        customScalingRunningJobPercentage = reader.text("customScalingRunningJobPercentage")
        pendingPodConditions = reader.texts("pendingPodConditions")
        multipleScalersCalculation = reader.text("multipleScalersCalculation")
        if let word = multipleScalersCalculation, !word.value.isEmpty, CombinationRule(rawValue: word.value) == nil {
            reader.list.add(
                Finding(.invalid, at: word.position, path: word.path, "‘\(word.value)’ is not min, max, avg or sum"))
        }
    }
}

extension ScaledJob.Trigger {
    fileprivate init(_ reader: inout FieldReader, index: Int) {
        position = reader.value.position
        self.index = index
        type = reader.requiredText("type")
        name = reader.text("name")
        metadata = reader.textMap("metadata")
        authenticationRef = reader.object("authenticationRef") {
            ScaledJob.AuthenticationReference(name: $0.requiredText("name"), kind: $0.text("kind"))
        }
        metricType = reader.text("metricType")
        useCachedMetrics = reader.flag("useCachedMetrics")
        for finding in TriggerKeys.unknown(metadata, of: type?.value ?? "") { reader.list.add(finding) }
        if let metricType, !metricType.value.isEmpty {
            reader.list.add(
                Finding(
                    .invalid, at: metricType.position, path: metricType.path,
                    "KEDA refuses a metricType in a ScaledJob; remove it"))
        }
    }
}
