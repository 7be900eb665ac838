public import Logging
public import NIOCore
public import Semel

/// A plain Redis list as a queue: hiredis as the codec of a SwiftNIO channel.
///
/// A claim is a lease, kept in a sorted set beside the list and extended at a third of its length. A short outage is
/// ridden out: the claim is lost only when the lease is over by this machine's monotonic clock, or when another worker
/// has taken the message.
public actor RedisQueue: MessageQueue {
    public nonisolated let name: String
    private let address: RedisAddress
    private let group: any EventLoopGroup
    private let status: WorkerStatus?
    private let log: Logger
    private var connection: RedisConnection?
    private var keeping: Task<Void, Never>?
    /// Tells this worker's claim from all others.
    private let token = MessageID.random()
    private var lease = Duration.zero
    /// By this machine's monotonic clock; counted from before the request was sent, so never later than Redis' own.
    private var leaseEnds = ContinuousClock.now
    /// What was said last about trouble with Redis.
    private var trouble: String?

    private static let taken = ClaimLoss("the lease ended and another worker took the message, or it was deleted")
    /// For how long a result may be fetched.
    private static let resultLifetime = Duration.seconds(86_400)
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
            throw error.asQueueFailure(address)
        }
    }

    private func waitForClaim(_ request: ClaimRequest) async throws(RedisFailure) -> RedisClaim? {
        let end: ContinuousClock.Instant? = if case .upTo(let limit) = request.wait { .now + limit } else { nil }
        var horizon: ContinuousClock.Instant?
        while !Task.isCancelled {
            let asked = ContinuousClock.now
            lease = request.lease
            let found = try await request.delivery == .atMostOnce ? pop() : take(request)
            let leases: Leases?
            switch found {
            case .message(let claim):
                if request.delivery == .atLeastOnce { keep(claim, since: asked) }
                return claim
            case .nothing(let held): leases = held
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
            try await waitForNews(until: until, leased: leases != nil)
        }
        return nil
    }

    private enum Found {
        case message(RedisClaim)
        case nothing(Leases?)
    }

    /// What is leased, or rests before its next attempt: the times until the earliest and the latest end.
    private struct Leases {
        let earliest: Duration
        let latest: Duration
    }

    private func take(_ request: ClaimRequest) async throws(RedisFailure) -> Found {
        let ownID = MessageID.random()
        let reply = try await connected().command(
            RedisScripts.run(
                RedisScripts.claim, keys: address.keys.forClaims,
                [
                    RedisArgument(ownID), RedisArgument(request.lease.milliseconds),
                    RedisArgument(request.maxMessageBytes), RedisArgument(token),
                ]))
        guard let fields = reply.elements, fields.count >= 3 else { throw .broken("Redis answered out of turn") }
        guard let id = fields[0].text else {
            guard fields.count == 4, let now = fields[1].integer, let first = fields[2].integer, first >= 0,
                let last = fields[3].integer
            else { return .nothing(nil) }
            return .nothing(
                Leases(earliest: .milliseconds(max(0, first - now)), latest: .milliseconds(max(0, last - now))))
        }
        guard fields.count == 4, let attempt = fields[1].integer, let size = fields[2].integer else {
            throw .broken("Redis answered out of turn")
        }
        var body: [UInt8] = []
        if case .bytes(let bytes) = fields[3] { body = bytes }
        return .message(
            try claim(id, body, size: Int(size), attempt: Int(attempt), lease: request.lease, isNamed: id != ownID))
    }

    /// At most once: off the list before the task runs, as plain LPOP workers do.
    private func pop() async throws(RedisFailure) -> Found {
        let ownID = MessageID.random()
        let reply = try await connected().command(
            RedisScripts.run(RedisScripts.pop, keys: address.keys.forClaims, [RedisArgument(ownID)]))
        guard let fields = reply.elements, fields.count == 3, let id = fields[0].text,
            case .bytes(let body) = fields[1],
            let attempt = fields[2].integer
        else { return .nothing(nil) }
        return .message(
            try claim(id, body, size: body.count, attempt: Int(attempt), lease: nil, isNamed: id != ownID))
    }

    private func claim(_ id: String, _ body: [UInt8], size: Int, attempt: Int, lease: Duration?, isNamed: Bool)
        throws(RedisFailure) -> RedisClaim
    {
        let stored: MessageBody
        do throws(SystemError) { stored = try MessageBody(body) } catch { throw .broken(error.description) }
        return RedisClaim(
            queue: self, message: Message(id: id, body: stored, size: size, attempt: attempt), lease: lease,
            isNamed: isNamed)
    }

    /// Waits until something is pushed. Moving the head of the list onto itself changes nothing, blocks while the list is
    /// empty, and wakes everyone who does so when it no longer is.
    private func waitForNews(until: ContinuousClock.Instant?, leased: Bool) async throws(RedisFailure) {
        // A retry or a release falls due without a push: with leases about, look once a second.
        let slice = Duration.seconds(leased ? 1 : 5)
        let rest = until.map { max(.milliseconds(1), min(slice, $0 - .now)) } ?? slice
        let connection = try await connected()
        let list = RedisArgument(address.keys.list)
        do throws(RedisFailure) {
            let waiting = Life.task { () async -> Result<RedisValue, RedisFailure> in
                do throws(RedisFailure) {
                    return .success(
                        try await connection.command(
                            ["BLMOVE", list, list, "LEFT", "LEFT", RedisArgument(String(rest.seconds))]))
                } catch { return .failure(error) }
            }
            // Only this wait may be cut off: a claim that is under way has to be heard of.
            let result = await withTaskCancellationHandler {
                await waiting.value
            } onCancel: {
                connection.close()
            }
            if !Task.isCancelled { _ = try result.get() }
        } catch {
            // Redis before 6.2, or out of memory: then a move is refused, though it needs none. A claim is not.
            guard case .answered(let text) = error, text.contains("unknown command") || text.hasPrefix("OOM") else {
                throw error
            }
            try? await Life.sleep(for: min(rest, .milliseconds(250)))
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
                guard try await run(RedisScripts.extend, "extend", for: claim, lease) == .done else {
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

    /// What a script of a claim's came to.
    private enum Answer: Int64 {
        case notOurs = 0
        case done = 1
        /// The claim was ended in another way before, which this worker has not heard of.
        case endedBefore = 2
    }

    /// Runs a script of a claim's. `span` is what the script calls a delay or a lease.
    private func run(
        _ script: String, _ action: RedisArgument, for claim: RedisClaim, _ span: Duration = .zero, key: String? = nil,
        arguments: [RedisArgument] = []
    ) async throws(RedisFailure) -> Answer {
        let names = address.keys
        let keys = [
            names.list, names.leases, names.payloads, names.attempts, names.delayed, names.settled(claim.message.id),
            names.owners, names.named,
        ]
        let common = [
            RedisArgument(claim.message.id), RedisArgument(token), action, RedisArgument(span.milliseconds),
        ]
        // No longer than the lease has left: what comes after would be about somebody else's claim.
        let limit = max(.milliseconds(100), min(lease / 3, leaseEnds - .now))
        let reply = try await connected(within: limit).command(
            RedisScripts.run(script, keys: keys + (key.map { [$0] } ?? []), common + arguments), within: limit)
        guard let answer = reply.integer.flatMap({ Answer(rawValue: $0) }) else {
            throw .broken("Redis answered out of turn")
        }
        return answer
    }

    // MARK: Settling

    fileprivate func settle(_ claim: RedisClaim, _ settlement: Settlement) async throws(SettlementFailure) {
        keeping?.cancel()
        await keeping?.value
        if let loss = claim.loss.value { throw .lost(loss) }
        // Nobody else can have what is off the list; so long an outage is ridden out for its result or its dead letter.
        if claim.atMostOnce { leaseEnds = .now + lease }
        let insistUntil = ContinuousClock.now + min(lease / 2, Self.insistence)
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

    private func attempt(_ settlement: Settlement, on claim: RedisClaim) async -> Result<Answer, RedisFailure> {
        do throws(RedisFailure) {
            return .success(try await claim.atMostOnce ? endTaken(claim, settlement) : end(claim, settlement))
        } catch {
            return .failure(error)
        }
    }

    private func end(_ claim: RedisClaim, _ settlement: Settlement) async throws(RedisFailure) -> Answer {
        switch settlement {
        case .complete(result: nil): try await run(RedisScripts.complete, "complete", for: claim)
        case .complete(let result?):
            try await run(
                RedisScripts.complete, "complete", for: claim, key: address.keys.result(claim.message.id),
                arguments: arguments(for: result))
        case .retry(let delay): try await run(RedisScripts.retry, "retry", for: claim, delay)
        case .release:
            try await run(RedisScripts.release, "release", for: claim, arguments: claim.isNamed ? ["named"] : [])
        case .deadLetter(let letter):
            try await run(
                RedisScripts.deadLetter, "dead-letter", for: claim, key: address.keys.dead,
                arguments: Self.fields(of: letter))
        }
    }

    /// The message itself is off the list since it was claimed.
    private func endTaken(_ claim: RedisClaim, _ settlement: Settlement) async throws(RedisFailure) -> Answer {
        switch settlement {
        case .complete(let result?):
            return try await run(
                RedisScripts.completeTaken, "complete", for: claim, lease, key: address.keys.result(claim.message.id),
                arguments: arguments(for: result))
        case .deadLetter(let letter):
            let body: [RedisArgument] = ["body", RedisArgument(try bytes(of: claim.message.body))]
            return try await run(
                RedisScripts.deadLetterTaken, "dead-letter", for: claim, lease, key: address.keys.dead,
                arguments: body + Self.fields(of: letter))
        case .complete(result: nil), .retry, .release:
            guard claim.isNamed else { return .done }
            return try await run(RedisScripts.completeTaken, "complete", for: claim, lease)
        }
    }

    private func arguments(for result: MessageBody) throws(RedisFailure) -> [RedisArgument] {
        [RedisArgument(Self.resultLifetime.milliseconds), RedisArgument(try bytes(of: result))]
    }

    private static func fields(of letter: DeadLetter) -> [RedisArgument] {
        var fields: [RedisArgument] = [
            "reason", RedisArgument(letter.reason), "attempts", RedisArgument(letter.attempts),
            "output", RedisArgument(letter.output.joined(separator: "\n")), "worker", RedisArgument(letter.worker),
            "time", RedisArgument(letter.time),
        ]
        if let exit = letter.exit { fields += ["exit", RedisArgument(exit)] }
        return fields
    }

    private func bytes(of body: MessageBody) throws(RedisFailure) -> [UInt8] {
        do throws(SystemError) { return try body.bytes() } catch { throw .broken(error.description) }
    }
}

extension RedisFailure {
    func asQueueFailure(_ address: RedisAddress) -> QueueFailure {
        let place = "\(address.source): \(address.servers.place)"
        let text: String
        switch self {
        case .broken: return .unreachable("\(place): \(reason)")
        case .misconfigured: return .misconfigured(reason)
        case .mismatch: return .misconfigured("\(place): \(reason)")
        case .refused: return .refused("\(place) refused: \(reason)")
        case .answered(let answer): text = answer
        }
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if says("NOAUTH", "WRONGPASS", "NOPERM", "invalid password", "AUTH", "unauthenticated") {
            return .refused("\(place) refused: \(text)")
        }
        if says("WRONGTYPE") {
            return .misconfigured("\(place): ‘\(address.keys.list)’ is not a list")
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
    let message: Message
    /// `nil` at most once: the message is off the list.
    let lease: Duration?
    /// Whether the id was there before this claim was made.
    let isNamed: Bool
    let loss = OneShot<ClaimLoss>()
    var atMostOnce: Bool { lease == nil }

    func settle(_ settlement: Settlement) async throws(SettlementFailure) {
        try await queue.settle(self, settlement)
    }
}
