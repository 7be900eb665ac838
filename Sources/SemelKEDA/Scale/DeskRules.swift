/// What a Job made here keeps to: the template's numbers, with Kubernetes' defaults where nothing is written.
public struct DeskJobRules: Sendable {
    /// How many pods of a Job run at a time.
    public let parallelism: Int
    /// How many pods have to succeed; `nil` when one is enough and the others are waited for.
    public let completions: Int?
    public let backoffLimit: Int
    public let activeDeadline: Duration?
    /// Of the pod, from its own start.
    public let podDeadline: Duration?
    public let timeToLive: Duration?
    public let isSuspended: Bool
    /// `OnFailure`: a container that fails starts again in its pod.
    public let restartsContainers: Bool
    /// From SIGTERM to SIGKILL.
    public let gracePeriod: Duration
    public let failurePolicy: PodFailurePolicy?
    /// The container that runs here, for rules that name one.
    public let containerName: String?

    public init(_ job: JobTemplate?) {
        let template = job?.template
        parallelism = Int(job?.parallelism?.value ?? 1)
        let counts = job?.completions == nil && job?.parallelism != nil
        completions = counts ? nil : Int(job?.completions?.value ?? 1)
        backoffLimit = Int(job?.backoffLimit?.value ?? 6)
        activeDeadline = Self.seconds(job?.activeDeadlineSeconds?.value)
        podDeadline = Self.seconds(template?.activeDeadlineSeconds?.value)
        timeToLive = Self.seconds(job?.ttlSecondsAfterFinished.map { Int64($0.value) })
        isSuspended = job?.suspend?.value ?? false
        // KEDA writes OnFailure where nothing is written.
        restartsContainers = (template?.restartPolicy?.value ?? "OnFailure") == "OnFailure"
        gracePeriod = .seconds(min(template?.terminationGracePeriodSeconds?.value ?? 30, Self.tenYears))
        failurePolicy = job?.podFailurePolicy
        containerName = template?.containers.first?.name?.value
    }

    /// Fits into every sum.
    private static let tenYears: Int64 = 315_360_000

    /// More than ten years is for ever.
    private static func seconds(_ count: Int64?) -> Duration? {
        count.flatMap { $0 < tenYears ? .seconds($0) : nil }
    }

    /// How long Kubernetes waits before the next pod of a Job that has failed so often: 10 s, 20 s, … 6 minutes.
    static func pauseBeforePod(failures: Int) -> Duration {
        failures == 0 ? .zero : min(.seconds(10 << min(failures - 1, 6)), .seconds(360))
    }

    /// Before the pod that follows one that does not count: without it a command that fails at once would be started
    /// without end and without a pause.
    static let pauseAfterIgnored = Duration.seconds(1)

    /// How long the kubelet waits before it starts a container again: not at all, 10 s, 20 s, … 5 minutes.
    static func pauseBeforeRestart(restarts: Int) -> Duration {
        restarts == 0 ? .zero : min(.seconds(10 << min(restarts - 1, 5)), .seconds(300))
    }
}

/// How a container ended.
public enum DeskExit: Sendable, Hashable {
    case exited(Int32)
    case signalled(Int32)

    /// As Kubernetes reports it: 137 for SIGKILL.
    public var code: Int32 {
        switch self {
        case .exited(let code): code
        case .signalled(let number): 128 + number
        }
    }
}

extension PodFailurePolicy {
    enum Verdict {
        case failJob, ignore, count
    }

    /// What the first rule that matches says. Conditions such as `DisruptionTarget` do not come up without a cluster.
    func verdict(on exit: DeskExit, of container: String?) -> Verdict {
        let rule = rules.first { $0.onExitCodes?.matches(exit, container) ?? false }
        switch rule?.action?.value {
        case "FailJob": return .failJob
        case "Ignore": return .ignore
        // FailIndex is for Jobs with an index, which these are not.
        default: return .count
        }
    }
}

extension PodFailurePolicy.ExitCodes {
    fileprivate func matches(_ exit: DeskExit, _ container: String?) -> Bool {
        if let name = containerName?.value, name != container { return false }
        let isListed = values.contains { $0.value == exit.code }
        return self.operator?.value == "NotIn" ? !isListed : isListed
    }
}
