import TestSupport

/// A queue that is soaked: a real server, or a directory. What the soak itself asks of it goes past the proxy.
protocol SoakQueue: Sendable {
    var kind: QueueKind { get }
    /// For the workers.
    var url: String { get }
    var flags: [String] { get }
    /// Between the workers and the server; none where there is no server.
    var proxy: TCPProxy? { get }

    func enqueue(_ messages: [SoakMessage]) async throws

    /// Kills the server as a power cut would, and starts it again after a while.
    func restartServer(after pause: Duration) async throws

    /// How many messages are not yet completed or dead: ready, claimed and delayed.
    func remaining() async throws -> Int

    /// What the server has logged since its last start.
    var serverLog: String { get }

    /// What is in the queue when all workers have gone.
    func content() async throws -> SoakContent
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
