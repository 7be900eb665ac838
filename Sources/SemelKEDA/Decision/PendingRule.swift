/// A pod as KEDA sees it when it counts pending Jobs.
public struct PodState: Sendable, Hashable {
    public enum Phase: String, Sendable, Hashable, CaseIterable {
        case pending = "Pending"
        case running = "Running"
        case succeeded = "Succeeded"
        case failed = "Failed"
        case unknown = "Unknown"
    }

    public var phase: Phase
    /// The conditions that are `True`.
    public var conditions: Set<String>

    public init(_ phase: Phase, conditions: Set<String> = []) {
        self.phase = phase
        self.conditions = conditions
    }
}

/// Which of the unfinished Jobs are pending.
public enum PendingRule: Sendable, Hashable {
    /// No `pendingPodConditions`: a Job is pending until one of its pods runs, or has succeeded.
    case phase
    /// A Job is pending until one of its pods has all of these conditions.
    case conditions([String])

    /// - Parameter conditions: `spec.scalingStrategy.pendingPodConditions`; an empty list is none.
    public init(_ conditions: [String]) {
        self = conditions.isEmpty ? .phase : .conditions(conditions)
    }

    public func isPending(_ pods: [PodState], _ version: KEDAVersion) -> Bool {
        switch self {
        case .phase: return !pods.contains { $0.phase == .running || $0.phase == .succeeded }
        case .conditions(let wanted):
            if version.looksForConditionsInOnePod {
                return !pods.contains { $0.conditions.isSuperset(of: wanted) }
            }
            // Two pods that are ready were two conditions where one was wanted.
            return pods.reduce(0) { sum, pod in sum + wanted.count { pod.conditions.contains($0) } } != wanted.count
        }
    }
}
