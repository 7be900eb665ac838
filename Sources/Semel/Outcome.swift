/// What a worker's life came to. The exit code, the message's fate, the word that pollers see and the level of the log
/// line are four views of this one value; the table in `docs/exit-codes.md` is made from it.
///
/// The codes follow sysexits.h and timeout(1).
public enum Outcome: String, Sendable, CaseIterable, Codable {
    case completed
    case idle
    case usage
    case deadLettered = "dead-lettered"
    case unreachable
    case internalError = "internal-error"
    case retry
    case lost
    case refused
    case misconfigured
    case timedOut = "timed-out"
    case interrupted
    case terminated

    public var exitCode: Int32 {
        switch self {
        case .completed, .idle: 0
        case .usage: 64
        case .deadLettered: 65
        case .unreachable: 69
        case .internalError: 70
        case .retry: 75
        case .lost: 76
        case .refused: 77
        case .misconfigured: 78
        case .timedOut: 124
        case .interrupted: 130
        case .terminated: 143
        }
    }

    public var meaning: String {
        switch self {
        case .completed: "the task succeeded"
        case .idle: "no message came within --wait"
        case .usage: "wrong usage (flags)"
        case .deadLettered:
            "the message was dead-lettered: rejected by the task, attempts used up, or over the size limit"
        case .unreachable: "the queue cannot be reached"
        case .internalError: "internal error"
        case .retry: "the task failed, another attempt is due"
        case .lost: "the claim was lost while the task ran; the task was stopped"
        case .refused: "the queue refused the credentials"
        case .misconfigured: "wrong configuration: unknown queue, bad value"
        case .timedOut: "the task ran past --timeout"
        case .interrupted: "stopped by SIGINT"
        case .terminated: "stopped by SIGTERM"
        }
    }

    public var fate: String {
        switch self {
        case .completed: "completed"
        case .idle, .usage, .unreachable, .refused: "none was claimed"
        case .misconfigured: "none was claimed, or released when the command could not be started"
        case .deadLettered: "dead-lettered"
        case .internalError: "released where possible"
        case .retry: "retry"
        case .lost: "somebody else's now, or the queue could not be asked"
        case .timedOut: "retry, or dead-lettered on the last attempt"
        case .interrupted, .terminated: "released"
        }
    }

    public var state: WorkerState {
        switch self {
        case .completed: .completed
        case .idle: .idle
        default: .failed
        }
    }
}

/// What `/get/status` answers. The words are those that existing poll loops compare with.
public enum WorkerState: String, Sendable, CaseIterable, Codable {
    case idle = "IDLE"
    case running = "ING"
    case completed = "COMPLETED"
    case failed = "FAILED"
}
