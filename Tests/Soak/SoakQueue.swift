import TestSupport

/// A queue that is soaked: a real server, or a directory. What the soak itself asks of it goes past the proxy.
protocol SoakQueue: Sendable {
    var kind: QueueKind { get }
    /// For the workers.
    var url: String { get }
    var flags: [String] { get }
    /// Between the workers and the server; none where there is no server.
    var proxy: TCPProxy? { get }
    /// How the server itself fails, a few times in a soak.
    var serverFault: FaultKind { get }
    /// Faults that only this queue has, as often as the network's: of those each has a weight of about ten.
    var ownFaults: [(FaultKind, Int)] { get }
    /// The largest body that it takes, in bytes.
    var largestBody: Int { get }

    func enqueue(_ messages: [SoakMessage]) async throws

    /// Breaks the server in one of these ways, and mends it again after so long.
    func inflict(_ fault: FaultKind, for span: Duration) async throws

    /// How many messages are not yet completed or dead: ready, claimed and delayed.
    func remaining() async throws -> Int

    /// What the server has logged since its last start.
    var serverLog: String { get }

    /// What is in the queue when all workers have gone.
    func content() async throws -> SoakContent
}

extension SoakQueue {
    var serverFault: FaultKind { .serverKilled }
    var ownFaults: [(FaultKind, Int)] { [] }
    var largestBody: Int { 2 << 20 }
}

struct SoakContent: Sendable {
    /// Still to be run.
    var queued: [Int] = []
    var dead: [Int] = []
    /// Only a spool keeps those.
    var done: [Int]?
    /// What should have been cleared away with the last message.
    var leftovers: [String] = []
}
