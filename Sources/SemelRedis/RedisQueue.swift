public import Logging
public import NIOCore
public import Semel

/// A list or a stream in Redis as a queue: hiredis as the codec of a SwiftNIO channel.
///
/// A claim is a lease that is extended at a third of its length. A short outage is ridden out: the claim is lost only
/// when the lease is over by this machine's monotonic clock, or when another worker has taken the message.
public actor RedisQueue: MessageQueue {
    public nonisolated let name: String
    private let address: RedisAddress
    private let group: any EventLoopGroup
    private let status: WorkerStatus?
    private let log: Logger
    private var layout: any RedisLayout { address.layout }
    private var connection: RedisConnection?
    private var keeping: Task<Void, Never>?
    private let token = MessageID.random()
    /// Tells this worker's claim from all others.
    private var owner = ""
    private var lease = Duration.zero
    /// By this machine's monotonic clock; counted from before the request was sent, so never later than Redis' own.
    private var leaseEnds = ContinuousClock.now
    /// What was said last about trouble with Redis.
    private var trouble: String?
    /// Of messages that nobody finds, it is said once.
    private var hasWarned = false

    private static let taken = ClaimLoss("the lease ended and another worker took the message, or it was deleted")
    /// For how long a settlement that Redis refuses is tried again before the message is handed back (rights may be
    /// withdrawn for a moment), and for how long it then rests.
    private static let insistence = Duration.seconds(10)

    public init(_ address: RedisAddress, on group: any EventLoopGroup, status: WorkerStatus?, log: Logger) {
        self.address = address
        self.group = group
        self.status = status
        self.log = log
        name = address.name
    }

    public func close() async {
        keeping?.cancel()
        await keeping?.value
        connection?.close()
        connection = nil
    }

    // MARK: Claiming

    public func claim(_ request: ClaimRequest) async throws(QueueFailure) -> (any Claim)? {
        do throws(RedisFailure) {
            return try await waitForClaim(request)
        } catch {
            if case .broken = error { await handBack() }
            throw error.asQueueFailure(address)
        }
    }

    private func waitForClaim(_ request: ClaimRequest) async throws(RedisFailure) -> RedisClaim? {
        let end: ContinuousClock.Instant? = if case .upTo(let limit) = request.wait { .now + limit } else { nil }
        var horizon: ContinuousClock.Instant?
        lease = request.lease
        owner = layout.owner(token: token, lease: lease)
        while !Task.isCancelled {
            let asked = ContinuousClock.now
            let found = try await connected().ask(layout.claim(request, by: owner))
            request.onConnected?()
            let leases: RedisLeases?
            switch found {
            case .message(let delivery): return claim(delivery, request.delivery, since: asked)
            case .nothing(let held, let warning):
                leases = held
                if let warning, !hasWarned {
                    log.warning("\(warning)")
                    hasWarned = true
                }
            }
            if request.wait == .upTo(.zero) { return nil }
            var until = end
            if let end, ContinuousClock.now >= end {
                // Perhaps this worker was started for a message that is leased or rests: KEDA counts them. So it waits,
                // once, for as long as any of these may fall to it; a lease that was extended meanwhile belongs to the
                // living, and ends later than that.
                guard let leases else { return nil }
                if horizon == nil {
                    log.info(
                        "nothing is ready; waiting for a lease to end or a retry to fall due",
                        metadata: ["for": "\(Units.text(leases.earliest))"])
                }
                let last = horizon ?? .now + leases.latest + .milliseconds(20)
                guard ContinuousClock.now < last else { return nil }
                horizon = last
                until = min(last, .now + leases.earliest + .milliseconds(20))
            }
            // What comes while it waits has been claimed no earlier than this.
            let waiting = ContinuousClock.now
            if let delivery = try await waitForNews(until: until, leased: leases != nil),
                request.delivery == .atLeastOnce
            {
                return claim(delivery, request.delivery, since: waiting)
            }
        }
        await handBack()
        return nil
    }

    private func claim(
        _ delivery: RedisDelivery, _ kind: ClaimRequest.Delivery, since asked: ContinuousClock.Instant
    ) -> RedisClaim {
        let claim = RedisClaim(queue: self, delivery: delivery, lease: kind == .atMostOnce ? nil : lease)
        if kind == .atLeastOnce { keep(claim, since: asked) }
        return claim
    }

    /// Waits until something is queued.
    private func waitForNews(until: ContinuousClock.Instant?, leased: Bool) async throws(RedisFailure)
        -> RedisDelivery?
    {
        // A retry or a release falls due without news: with leases about, look once a second. What comes with the news
        // has its lease from an unknown moment of the wait on.
        let slice = min(.seconds(leased ? 1 : 5), lease / 3)
        let rest = until.map { max(.milliseconds(1), min(slice, $0 - .now)) } ?? slice
        let connection = try await connected()
        let question = layout.news(within: rest, for: owner)
        let waiting = Life.task { () async -> Result<RedisDelivery?, RedisFailure> in
            do throws(RedisFailure) { return .success(try await connection.ask(question)) } catch {
                return .failure(error)
            }
        }
        // Only this wait may be cut off: a claim that is under way has to be heard of.
        let result = await withTaskCancellationHandler {
            await waiting.value
        } onCancel: {
            connection.close()
        }
        do throws(RedisFailure) {
            return try result.get()
        } catch {
            if Task.isCancelled { return nil }
            // Redis before 6.2, or out of memory: then a move is refused, though it needs none. A claim is not. And it
            // makes a stream that has just been deleted anew.
            guard case .answered(let text) = error,
                ["unknown command", "OOM", "NOGROUP", "UNBLOCKED"].contains(where: { text.contains($0) })
            else { throw error }
            try? await Life.sleep(for: min(rest, .milliseconds(250)))
            return nil
        }
    }

    /// A connection that ends may have had a claim in its last answer: that was no attempt, and is nobody's to wait for.
    private func handBack() async {
        guard connection != nil, let question = layout.handBack(from: owner) else { return }
        reconnect()
        let limit = Duration.seconds(3)
        do throws(RedisFailure) {
            try await connected(within: limit).ask(question, within: limit)
        } catch {
            log.debug("could not look for an unheard claim", metadata: ["reason": "\(error.reason)"])
        }
    }

    private func connected(within limit: Duration = .seconds(10)) async throws(RedisFailure) -> RedisConnection {
        if let connection, connection.isOpen { return connection }
        let opened = try await RedisConnection.open(address, on: group, within: limit)
        connection = opened
        return opened
    }

    // MARK: Holding

    private func keep(_ claim: RedisClaim, since asked: ContinuousClock.Instant) {
        leaseEnds = asked + lease
        keeping = Life.task { await self.extend(claim) }
    }

    private func extend(_ claim: RedisClaim) async {
        // Counted from when the claim was asked for: its answer may have been long in coming.
        var pause = max(.zero, leaseEnds - lease * 2 / 3 - .now)
        while true {
            do { try await Life.sleep(for: pause) } catch { return }
            let asked = ContinuousClock.now
            do throws(RedisFailure) {
                guard try await ask(layout.extend(claim.delivery, by: owner, lease)) == .done else {
                    claim.loss.fulfil(Self.taken)
                    return
                }
                leaseEnds = asked + lease
                pause = lease / 3
                trouble = nil
                status?.leaseExtended()
            } catch {
                guard ContinuousClock.now < leaseEnds else {
                    claim.loss.fulfil(
                        ClaimLoss("the lease ended while Redis could not be asked to extend it: \(error.reason)"))
                    return
                }
                tell("could not extend the lease, trying again", error)
                reconnect()
                pause = min(lease / 20, .seconds(1))
            }
        }
    }

    /// Once for each kind of trouble, however often something is tried again.
    private func tell(_ words: Logger.Message, _ failure: RedisFailure) {
        if trouble != "\(words) \(failure.reason)" { log.warning(words, metadata: ["reason": "\(failure.reason)"]) }
        trouble = "\(words) \(failure.reason)"
    }

    /// The next command opens a new connection.
    private func reconnect() {
        connection?.close()
        connection = nil
    }

    /// No longer than the lease has left: what comes after would be about somebody else's claim.
    private func ask(_ question: RedisQuestion<RedisAnswer>) async throws(RedisFailure) -> RedisAnswer {
        let limit = max(.milliseconds(100), min(lease / 3, leaseEnds - .now))
        return try await connected(within: limit).ask(question, within: limit)
    }

    // MARK: Settling

    fileprivate func settle(_ claim: RedisClaim, _ settlement: Settlement) async throws(SettlementFailure) {
        keeping?.cancel()
        await keeping?.value
        if let loss = claim.loss.value { throw .lost(loss) }
        // Nobody else can have what is off the list; so long an outage is ridden out for its result or its dead letter.
        if claim.atMostOnce { leaseEnds = .now + lease }
        // The lease may not have been extended for a while, for the same reason.
        let insistUntil = ContinuousClock.now + min((leaseEnds - .now) / 2, Self.insistence)
        // What is refused is handed back: as an attempt that was used, or else as if there had been none.
        var wishes = [settlement] + (claim.atMostOnce ? [] : [.retry(after: Self.insistence), .release])
        var refusal: RedisFailure?
        while true {
            switch await attempt(wishes[0], on: claim) {
            case .success(.notOurs): throw .lost(Self.taken)
            case .success(.endedBefore): return
            case .success(.done):
                if let refusal { throw .handedBack("Redis refused the settlement: \(refusal.reason)") }
                return
            case .failure(let failure):
                guard !Task.isCancelled else { throw .unconfirmed(failure.reason) }
                guard ContinuousClock.now < leaseEnds else { throw .lost(tooLate(claim, refusal ?? failure)) }
                if failure.isLasting, wishes.count > 1, refusal != nil || .now >= insistUntil {
                    refusal = refusal ?? failure
                    wishes.removeFirst()
                }
                tell("could not settle, trying again", failure)
                reconnect()
                try? await Life.sleep(for: min(lease / 20, .seconds(1)))
            }
        }
    }

    private func tooLate(_ claim: RedisClaim, _ failure: RedisFailure) -> ClaimLoss {
        let what = claim.atMostOnce ? "at most once: the message is off the queue and" : "the lease ended and"
        return ClaimLoss("\(what) Redis could not be told of the end: \(failure.reason)")
    }

    private func attempt(_ settlement: Settlement, on claim: RedisClaim) async -> Result<RedisAnswer, RedisFailure> {
        do throws(RedisFailure) {
            let question =
                claim.atMostOnce
                ? try layout.endTaken(claim.delivery, by: owner, settlement, span: lease)
                : try layout.end(claim.delivery, by: owner, settlement)
            guard let question else { return .success(.done) }
            return .success(try await ask(question))
        } catch {
            return .failure(error)
        }
    }
}

extension RedisFailure {
    func asQueueFailure(_ address: RedisAddress) -> QueueFailure {
        asQueueFailure(
            of: address.servers, source: address.source, key: address.layout.key, type: address.layout.type)
    }

    /// - Parameters:
    ///   - source: What names the servers: a flag or a variable.
    ///   - type: What the key has to be.
    func asQueueFailure(of servers: RedisServers, source: String, key: String, type: String) -> QueueFailure {
        let place = "\(source): \(servers.place)"
        let text: String
        switch self {
        case .broken: return .unreachable("\(place): \(reason)")
        case .misconfigured: return .misconfigured(reason)
        case .mismatch: return .misconfigured("\(place): \(reason)")
        case .refused: return .refused("\(place) refused: \(reason)")
        case .answered(let answer): text = answer
        }
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("WRONGTYPE") {
            // It may be one of the keys beside it.
            return .misconfigured(
                says(", at ")
                    ? "\(place): \(text)" : "\(place): ‘\(key)’ is not a \(type)")
        }
        if RedisFailure.isRefusal(text) {
            let hint = says("The user executing") && !says(", at ") ? "; ‘ACL LOG’ says which" : ""
            return .refused("\(place) refused: \(text)\(hint)")
        }
        if says("SELECT is not allowed") {
            return .misconfigured("\(place): a cluster has database 0 and no other; write /0")
        }
        if says("DB index", "unknown command") { return .misconfigured("\(place): \(text)") }
        return .unreachable("\(place): \(text)")
    }
}

struct RedisClaim: Claim {
    let queue: RedisQueue
    let delivery: RedisDelivery
    /// `nil` at most once: the message is off the queue.
    let lease: Duration?
    let loss = OneShot<ClaimLoss>()
    var message: Message { delivery.message }
    var atMostOnce: Bool { lease == nil }

    func settle(_ settlement: Settlement) async throws(SettlementFailure) {
        try await queue.settle(self, settlement)
    }
}
