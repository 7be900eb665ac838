/// A place to claim messages from. One adapter a broker; each keeps the promises written here.
///
/// An adapter serves one worker: it connects when it is first asked for a claim and gives out at most one.
public protocol MessageQueue: Sendable {
    /// The queue's URL without credentials: for logs, the status endpoint and the task's environment.
    var name: String { get }

    /// Connects, then claims exactly one message; `nil` when none came within `request.wait` or the calling task was
    /// cancelled. Never touches a second message, not even for a moment. Calls `request.onConnected` when the
    /// broker has answered and has no message yet.
    func claim(_ request: ClaimRequest) async throws(QueueFailure) -> (any Claim)?

    /// Lets go of the connection. A claim that was not settled is handed back by the broker's own rules.
    func close() async
}

/// One worker's hold on one message. It is kept alive by its queue, whatever the task does to the processor, until it
/// is settled or lost.
public protocol Claim: Sendable {
    var message: Message { get }

    /// For how long the claim lasts unless extended; `nil` where it lasts as long as a connection or a process.
    var lease: Duration? { get }

    /// Set when somebody else may have the message now.
    var loss: OneShot<ClaimLoss> { get }

    /// Ends the claim. Returning means that the broker is known to have taken the settlement. At-most-once claims were
    /// completed when they were made: only results and dead letters still have an effect.
    func settle(_ settlement: Settlement) async throws(SettlementFailure)
}

public struct ClaimRequest: Sendable {
    public enum Wait: Sendable, Hashable {
        /// Zero takes what is there.
        case upTo(Duration)
        case forever
    }

    public enum Delivery: String, Sendable, CaseIterable {
        /// The message leaves the queue when it is settled; a crash runs it again.
        case atLeastOnce = "at-least-once"
        /// The message leaves the queue before the task runs; a crash loses it.
        case atMostOnce = "at-most-once"
    }

    public var wait: Wait
    public var delivery: Delivery
    /// For how long a claim lasts unless extended, where the queue counts in leases.
    public var lease: Duration
    /// A larger message is claimed without its body where the queue can do that, so that it can be dead-lettered.
    public var maxMessageBytes: Int
    /// Where somebody wants to know that the queue is there while it has nothing to claim. Called from any thread.
    public var onConnected: (@Sendable () -> Void)?

    public init(
        wait: Wait = .upTo(.seconds(10)), delivery: Delivery = .atLeastOnce, lease: Duration = .seconds(30),
        maxMessageBytes: Int = 128 << 20
    ) {
        self.wait = wait
        self.delivery = delivery
        self.lease = lease
        self.maxMessageBytes = maxMessageBytes
    }
}

/// How a claim ends by the worker's own will.
public enum Settlement: Sendable {
    /// Done: the result, if there is one, is delivered first.
    case complete(result: MessageBody?)
    /// Back to the queue, to be claimed again no sooner than this.
    case retry(after: Duration)
    case deadLetter(DeadLetter)
    /// Handed back untouched, without using up an attempt where the queue can do that.
    case release
}

/// What is kept with the body of a message that will not be tried again.
public struct DeadLetter: Sendable, Codable, Hashable {
    /// One line for people.
    public var reason: String
    /// The number of attempts used.
    public var attempts: Int
    /// The task's exit status, or 128 + the signal that ended it; `nil` when no task ran.
    public var exit: Int32?
    /// The task's last lines, both streams, oldest first.
    public var output: [String]
    /// Host name (in Kubernetes: the pod's) of the worker.
    public var worker: String
    /// RFC 3339.
    public var time: String

    public init(reason: String, attempts: Int, exit: Int32?, output: [String], worker: String, time: String) {
        self.reason = reason
        self.attempts = attempts
        self.exit = exit
        self.output = output
        self.worker = worker
        self.time = time
    }
}

/// Why no claim could be made. Each case has an exit code of its own.
public enum QueueFailure: Error, Sendable, Hashable {
    /// No connection, or it broke (69).
    case unreachable(String)
    /// The broker does not accept these credentials (77).
    case refused(String)
    /// The broker is there but has no such queue, or cannot do what was asked (78).
    case misconfigured(String)

    public var reason: String {
        switch self {
        case .unreachable(let reason), .refused(let reason), .misconfigured(let reason): reason
        }
    }
}

/// Why a claim ended against the worker's will.
public struct ClaimLoss: Error, Sendable, Hashable {
    public var reason: String

    public init(_ reason: String) {
        self.reason = reason
    }
}

/// Why a settlement is not what was asked for.
public enum SettlementFailure: Error, Sendable, Hashable {
    /// It did not count: somebody else may have the message now.
    case lost(ClaimLoss)
    /// Nothing is known of it: it may have been made.
    case unconfirmed(String)
    /// It could not be made, and the message was handed back as it was: another attempt is due.
    case handedBack(String)
}
