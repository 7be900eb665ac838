/// A pod on this machine: a process, as its Job sees it.
public struct DeskPod: Sendable, Hashable, Identifiable {
    public struct ID: Sendable, Hashable, Comparable {
        /// From 1, over all Jobs.
        public let number: Int

        public static func < (left: ID, right: ID) -> Bool { left.number < right.number }
    }

    public enum State: Sendable, Hashable {
        /// Asked for, and no process yet.
        case starting
        case running(since: Duration, isReady: Bool)
        /// Its container has failed and starts again then.
        case waiting(until: Duration)
        case succeeded
        case failed
    }

    public let id: ID
    public let name: String
    public internal(set) var state = State.starting
    /// It has been asked to end.
    public internal(set) var isStopping = false
    /// When its Job made it.
    public let created: Duration
    public internal(set) var restarts = 0

    public var hasEnded: Bool { state == .succeeded || state == .failed }

    public var isReady: Bool {
        if case .running(_, let isReady) = state { isReady } else { false }
    }

    /// As KEDA sees it.
    public var seen: PodState {
        let made: Set = ["PodScheduled", "Initialized", "PodReadyToStartContainers"]
        switch state {
        case .starting: return PodState(.pending, conditions: ["PodScheduled"])
        case .running(_, let isReady):
            return PodState(.running, conditions: isReady ? made.union(["Ready", "ContainersReady"]) : made)
        case .waiting: return PodState(.running, conditions: made)
        case .succeeded: return PodState(.succeeded, conditions: ["PodScheduled", "Initialized"])
        case .failed: return PodState(.failed, conditions: ["PodScheduled", "Initialized"])
        }
    }
}

/// What is to be done with processes, and what is to be told.
public enum DeskCommand: Sendable {
    /// Start the pod's process; the first time, or again.
    case start(DeskPod.ID)
    /// SIGTERM, and SIGKILL when it is still there after the grace period.
    case stop(DeskPod.ID, grace: Duration)
    case tell(DeskEvent)
}

/// Something that happened, worth a line.
public enum DeskEvent: Sendable {
    case polled(ScalingDecision)
    case jobCreated(String)
    case jobFinished(String, DeskJob.Verdict)
    /// Removed, with its pods when it was not finished; why.
    case jobDeleted(String, String)
    case podStarted(DeskPod)
    case podReady(DeskPod)
    case podEnded(DeskPod, DeskExit)
    /// - isGradual: Running Jobs go on.
    case changed(generation: Int, isGradual: Bool)
}
