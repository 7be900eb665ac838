/// When a message is tried again, and when it is not.
public struct RetryPolicy: Sendable {
    /// A message is dead-lettered when its task fails for the how-manieth time; crashes of the worker count.
    public var maxAttempts: Int
    /// The delay doubles from the lower bound with every attempt and never exceeds the upper one.
    public var delay: ClosedRange<Duration>

    public init(maxAttempts: Int = 5, delay: ClosedRange<Duration> = .seconds(10)...(.seconds(600))) {
        self.maxAttempts = maxAttempts
        self.delay = delay
    }

    /// The delay after attempt `attempt` (from 1) failed: with the default range 10 s, 20 s, 40 s, … 10 min, of which a
    /// random part of up to a half is taken off, so that messages that failed together do not come back together; never
    /// less than the lower bound.
    public func delay(afterAttempt attempt: Int, random: Double = .random(in: 0..<1)) -> Duration {
        let lower = Double(delay.lowerBound.milliseconds)
        // Nothing, doubled, would be nothing for ever.
        let doubled = max(1, lower) * Double(sign: .plus, exponent: min(max(attempt, 1) - 1, 60), significand: 1)
        let capped = min(doubled, Double(delay.upperBound.milliseconds))
        return .milliseconds(Int64(max(lower, capped * (1 - random / 2))))
    }
}

/// Why a running task was stopped.
public enum Interruption: Sendable, Hashable {
    case stop(StopSignal)
    case lost(ClaimLoss)
    case timedOut(after: Duration)
}

public enum StopSignal: String, Sendable {
    case terminate = "SIGTERM"
    case interrupt = "SIGINT"

    public var outcome: Outcome {
        switch self {
        case .terminate: .terminated
        case .interrupt: .interrupted
        }
    }
}

/// What is to happen to a message, and what the worker will call it.
public struct Verdict: Sendable {
    public enum Fate: Sendable, Hashable {
        case complete
        case retry
        case deadLetter
        case release
        /// The claim is gone; there is nothing to settle.
        case none
    }

    public var outcome: Outcome
    public var fate: Fate
    /// One line for people; `nil` when all went well.
    public var reason: String?
    public var exit: Int32?
    /// Where the present attempt is not one of them.
    public var attemptsUsed: Int?

    /// A stranger has to see that work was done for nothing.
    static func doesNotCount(_ loss: ClaimLoss) -> String { "the settlement did not count: \(loss.reason)" }

    /// The one place where an ended task becomes a fate.
    ///
    /// Under at-most-once a message never goes back, so whatever is not completed is dead-lettered.
    public init(
        _ result: TaskResult, interruption: Interruption?, attempt: Int, policy: RetryPolicy,
        delivery: ClaimRequest.Delivery
    ) {
        let mayRunAgain = delivery == .atLeastOnce
        let again: Fate = mayRunAgain && attempt < policy.maxAttempts ? .retry : .deadLetter
        let failure: TaskFailure? =
            switch result {
            case .failed(let failure), .rejected(let failure): failure
            case .succeeded, .unstartable: nil
            }
        exit = failure?.exit
        if case .succeeded = result { exit = 0 }

        switch (interruption, result) {
        case (.lost(let loss), .succeeded):
            (outcome, fate, reason) = (.lost, .none, Verdict.doesNotCount(loss))
        case (.lost(let loss), _):
            (outcome, fate, reason) = (.lost, .none, loss.reason)
        case (.stop(let signal), _):
            (outcome, fate) = (signal.outcome, mayRunAgain ? .release : .deadLetter)
            reason = "stopped by \(signal.rawValue)"
        case (.timedOut(let limit), _):
            (outcome, fate, reason) = (.timedOut, again, "ran past the timeout of \(Units.text(limit))")
        case (nil, .succeeded):
            (outcome, fate, reason) = (.completed, .complete, nil)
        case (nil, .rejected(let failure)):
            (outcome, fate, reason) = (.deadLettered, .deadLetter, failure.reason)
        case (nil, .unstartable(let why)):
            (outcome, fate, reason) = (.misconfigured, mayRunAgain ? .release : .deadLetter, why)
        case (nil, .failed(let failure)):
            outcome = again == .retry ? .retry : .deadLettered
            fate = again
            let usedUp = again == .deadLetter && mayRunAgain
            reason = usedUp ? "\(failure.reason); attempt \(attempt) of \(policy.maxAttempts)" : failure.reason
        }
    }
}
