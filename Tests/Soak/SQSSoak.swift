import Glibc
import TestSupport

/// Moto, which has everything in memory: it is not killed, but made to stand still; and it refuses as AWS does when it is
/// busy or has trouble. Receipt handles are good for as long as SQS says.
struct SQSSoak: SoakQueue {
    let kind: QueueKind
    let flags = ["--lease", "3s"]
    let proxy: TCPProxy?
    let serverFault = FaultKind.serverPaused
    let ownFaults = [(FaultKind.throttled, 12)]
    /// A message has 1 MiB at the most.
    let largestBody = 1 << 20
    let serverLog = ""
    var url: String { queue.url(through: proxy) }
    private let queue: SQSUnderTest

    /// Of a FIFO queue; a message is in the one that its number leaves as a remainder.
    static let groups = 100

    init(_ kind: QueueKind) async throws {
        self.kind = kind
        queue = try await SQSUnderTest(kind == .fifo ? .fifo : .sqs)
        try await queue.fence()
        proxy = try queue.proxy()
    }

    func enqueue(_ messages: [SoakMessage]) async throws {
        try await queue.put(
            messages.map { message in
                let group = kind == .fifo ? "g\(message.number % Self.groups)" : nil
                return SQSUnderTest.Outgoing(message.body, group: group)
            })
    }

    func inflict(_ fault: FaultKind, for span: Duration) async throws {
        switch fault {
        case .serverPaused:
            kill(queue.server.pid, SIGSTOP)
            defer { kill(queue.server.pid, SIGCONT) }
            try await Task.sleep(for: span)
        default:
            let refusals = [AWSRefusal.throttled, .unavailable, .broken]
            try await queue.refuse(refusals[Int(span.components.attoseconds % 3)])
            try await Task.sleep(for: span)
            try await queue.accept()
        }
    }

    func remaining() async throws -> Int {
        let left = try await queue.left()
        return left.ready + left.claimed + left.delayed
    }

    func content() async throws -> SoakContent {
        let queued = try await queue.readyAndHeldBodies()
        let dead = try await queue.deadLetters()
        return SoakContent(
            queued: queued.compactMap(SoakMessage.number), dead: dead.map(\.body).compactMap(SoakMessage.number))
    }
}
