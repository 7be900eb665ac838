import Semel
import Synchronization

/// A queue in memory: the second implementation of the protocol, as simple as it can be. It remembers how its claims
/// were settled, and does as it is told where a broker would misbehave.
final class MemoryQueue: MessageQueue {
    let name = "memory:test"

    private struct State {
        var messages: [Message] = []
        var requests: [ClaimRequest] = []
        var settlements: [Settled] = []
        var claims: [MemoryClaim] = []
        var isClosed = false
    }

    /// How a claim was settled, in words that can be compared.
    enum Settled: Equatable {
        case completed([UInt8]?)
        case retried(Duration)
        case deadLettered(DeadLetter)
        case released
    }

    private let state = Mutex(State())
    private let arrival = OneShot<Void>()
    private let failure: QueueFailure?
    private let settlementFailure: SettlementFailure?
    private let lease: Duration?
    /// Set while somebody waits for a message that does not come.
    let isWaiting = OneShot<Void>()

    init(
        _ messages: [Message] = [], lease: Duration? = nil, failing failure: QueueFailure? = nil,
        failingToSettle settlementFailure: SettlementFailure? = nil
    ) {
        self.failure = failure
        self.settlementFailure = settlementFailure
        self.lease = lease
        state.withLock { $0.messages = messages }
    }

    var requests: [ClaimRequest] { state.withLock { $0.requests } }
    var settlements: [Settled] { state.withLock { $0.settlements } }
    var claims: [MemoryClaim] { state.withLock { $0.claims } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
    var waitingMessages: Int { state.withLock { $0.messages.count } }

    func claim(_ request: ClaimRequest) async throws(QueueFailure) -> (any Claim)? {
        state.withLock { $0.requests.append(request) }
        if let failure { throw failure }
        if let claim = take() { return claim }
        isWaiting.fulfil(())
        switch request.wait {
        case .upTo(let limit): try? await Task.sleep(for: limit)
        case .forever: _ = await arrival.wait()
        }
        return take()
    }

    /// A message that comes while a worker waits.
    func deliver(_ message: Message) {
        state.withLock { $0.messages.append(message) }
        arrival.fulfil(())
    }

    func close() async {
        state.withLock { $0.isClosed = true }
    }

    private func take() -> MemoryClaim? {
        state.withLock { state in
            guard !state.messages.isEmpty else { return nil }
            let claim = MemoryClaim(queue: self, message: state.messages.removeFirst(), lease: lease)
            state.claims.append(claim)
            return claim
        }
    }

    fileprivate func settle(_ claim: MemoryClaim, _ settlement: Settlement) throws(SettlementFailure) {
        if let settlementFailure { throw settlementFailure }
        if let loss = claim.loss.value { throw .lost(loss) }
        let settled: Settled =
            switch settlement {
            case .complete(let result): .completed(result.flatMap { try? $0.bytes() })
            case .retry(let delay): .retried(delay)
            case .deadLetter(let letter): .deadLettered(letter)
            case .release: .released
            }
        state.withLock { $0.settlements.append(settled) }
    }
}

struct MemoryClaim: Claim {
    let queue: MemoryQueue
    let message: Message
    let lease: Duration?
    let loss = OneShot<ClaimLoss>()

    func settle(_ settlement: Settlement) async throws(SettlementFailure) {
        try queue.settle(self, settlement)
    }
}
