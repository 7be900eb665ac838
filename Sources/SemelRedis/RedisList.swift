import Semel

/// A plain list of raw bodies; its head is next. A claim is a lease, kept in a sorted set beside it.
struct RedisList: RedisLayout {
    let keys: RedisKeys
    let type = "list"
    var key: String { keys.list }
    var dead: String { keys.dead }

    func owner(token: String, lease: Duration) -> String { token }

    func claim(_ request: ClaimRequest, by owner: String) -> RedisQuestion<RedisFound> {
        switch request.delivery {
        case .atLeastOnce: take(request, by: owner)
        case .atMostOnce: pop()
        }
    }

    private func take(_ request: ClaimRequest, by owner: String) -> RedisQuestion<RedisFound> {
        let ownID = MessageID.random()
        let arguments = [
            RedisArgument(ownID), RedisArgument(request.lease.milliseconds), RedisArgument(request.maxMessageBytes),
            RedisArgument(owner),
        ]
        return RedisQuestion(command: RedisScripts.run(RedisScripts.claim, keys: keys.forClaims, arguments)) {
            reply throws(RedisFailure) in
            guard let fields = reply.elements, fields.count >= 3 else { throw .outOfTurn }
            guard let id = fields[0].text else {
                guard fields.count == 4, let now = fields[1].integer, let first = fields[2].integer, first >= 0,
                    let last = fields[3].integer
                else { return .nothing(nil) }
                return .nothing(RedisLeases(millisecondsTo: first - now, last - now))
            }
            guard fields.count == 4, let attempt = fields[1].integer, let size = fields[2].integer else {
                throw .outOfTurn
            }
            var body: [UInt8] = []
            if case .bytes(let bytes) = fields[3] { body = bytes }
            let message = Message(id: id, body: try MessageBody(redis: body), size: Int(size), attempt: Int(attempt))
            return .message(RedisDelivery(message: message, entry: id, isNamed: id != ownID))
        }
    }

    /// At most once: off the list before the task runs, as plain LPOP workers do.
    private func pop() -> RedisQuestion<RedisFound> {
        let ownID = MessageID.random()
        let command = RedisScripts.run(RedisScripts.pop, keys: keys.forClaims, [RedisArgument(ownID)])
        return RedisQuestion(command: command) { reply throws(RedisFailure) in
            guard let fields = reply.elements, fields.count == 3, let id = fields[0].text,
                case .bytes(let body) = fields[1], let attempt = fields[2].integer
            else { return .nothing(nil) }
            let message = Message(id: id, body: try MessageBody(redis: body), attempt: Int(attempt))
            return .message(RedisDelivery(message: message, entry: id, isNamed: id != ownID))
        }
    }

    /// Moving the head of the list onto itself changes nothing, blocks while the list is empty, and wakes everyone who
    /// does so when it no longer is.
    func news(within limit: Duration, for owner: String) -> RedisQuestion<RedisDelivery?> {
        let list = RedisArgument(keys.list)
        return RedisQuestion(command: ["BLMOVE", list, list, "LEFT", "LEFT", RedisArgument(String(limit.seconds))]) {
            _ in nil
        }
    }

    func handBack(from owner: String) -> RedisQuestion<Void>? { nil }

    // MARK: Settling

    func extend(_ delivery: RedisDelivery, by owner: String, _ lease: Duration) -> RedisQuestion<RedisAnswer> {
        run(RedisScripts.extend, "extend", on: delivery, by: owner, lease)
    }

    func end(_ delivery: RedisDelivery, by owner: String, _ settlement: Settlement) throws(RedisFailure)
        -> RedisQuestion<RedisAnswer>
    {
        switch settlement {
        case .complete(result: nil): run(RedisScripts.complete, "complete", on: delivery, by: owner)
        case .complete(let result?):
            run(
                RedisScripts.complete, "complete", on: delivery, by: owner, key: keys.result(delivery.message.id),
                arguments: try result.resultArguments())
        case .retry(let delay): run(RedisScripts.retry, "retry", on: delivery, by: owner, delay)
        case .release:
            run(
                RedisScripts.release, "release", on: delivery, by: owner, arguments: delivery.isNamed ? ["named"] : [])
        case .deadLetter(let letter):
            run(
                RedisScripts.deadLetter, "dead-letter", on: delivery, by: owner, key: keys.dead,
                arguments: letter.redisFields)
        }
    }

    func endTaken(_ delivery: RedisDelivery, by owner: String, _ settlement: Settlement, span: Duration)
        throws(RedisFailure) -> RedisQuestion<RedisAnswer>?
    {
        switch settlement {
        case .complete(let result?):
            return run(
                RedisScripts.completeTaken, "complete", on: delivery, by: owner, span,
                key: keys.result(delivery.message.id), arguments: try result.resultArguments())
        case .deadLetter(let letter):
            return run(
                RedisScripts.deadLetterTaken, "dead-letter", on: delivery, by: owner, span, key: keys.dead,
                arguments: ["body", try delivery.message.body.redisArgument()] + letter.redisFields)
        case .complete(result: nil), .retry, .release:
            guard delivery.isNamed else { return nil }
            return run(RedisScripts.completeTaken, "complete", on: delivery, by: owner, span)
        }
    }

    /// `span` is what the script calls a delay or a lease.
    private func run(
        _ script: String, _ action: RedisArgument, on delivery: RedisDelivery, by owner: String,
        _ span: Duration = .zero, key: String? = nil, arguments: [RedisArgument] = []
    ) -> RedisQuestion<RedisAnswer> {
        let names = [
            keys.list, keys.leases, keys.payloads, keys.attempts, keys.delayed, keys.settled(delivery.entry),
            keys.owners, keys.named,
        ]
        let common = [
            RedisArgument(delivery.entry), RedisArgument(owner), action, RedisArgument(span.milliseconds),
        ]
        return RedisAnswer.question(
            RedisScripts.run(script, keys: names + (key.map { [$0] } ?? []), common + arguments))
    }
}

// MARK: Operations

extension RedisList {
    func check(_ message: OutgoingMessage, source: String) throws(QueueFailure) {
        if message.contentType != nil || !message.headers.isEmpty {
            let extra = message.contentType == nil ? "headers" : "a content type"
            throw .misconfigured(
                "\(source): a Redis list holds plain bodies: a message in ‘\(keys.list)’ cannot have \(extra)")
        }
    }

    func put(_ first: OutgoingMessage, _ rest: inout ArraySlice<OutgoingMessage>)
        -> (command: [RedisArgument], bytes: Int)
    {
        if let id = first.id { return (RedisScripts.put(first.body, id: id, in: keys), first.body.count) }
        let batch = rest.takeBatch(with: first)
        return (["RPUSH", RedisArgument(keys.list)] + batch.messages.map { RedisArgument($0.body) }, batch.bytes)
    }

    func request(_ message: OutgoingMessage, id: String) -> RedisQuestion<RedisTicket> {
        RedisTicket.question(id, RedisScripts.put(message.body, id: id, in: keys))
    }

    func end(of ticket: RedisTicket) -> RedisQuestion<RequestEnd?> {
        let names = [keys.payloads, keys.named, keys.result(ticket.id), keys.settled(ticket.id), keys.dead]
        let arguments = [ticket.id, ticket.place, ticket.since].map { RedisArgument($0) }
        return RequestEnd.question(RedisScripts.run(RedisScripts.end, keys: names, arguments))
    }

    /// A plain list does not tell how old a message is.
    func counts() -> RedisQuestion<QueueCounts> {
        let names = [keys.list, keys.leases, keys.delayed, keys.dead]
        return RedisQuestion(command: RedisScripts.run(RedisScripts.counts, keys: names, [])) {
            reply throws(RedisFailure) in
            let counts = (reply.elements ?? []).compactMap { $0.integer.map { Int($0) } }
            guard counts.count == 4 else { throw .outOfTurn }
            return QueueCounts(ready: counts[0], claimed: counts[1], delayed: counts[2], dead: counts[3])
        }
    }

    func retry(deadLetter entry: String) -> [RedisArgument] {
        RedisScripts.run(
            RedisScripts.retryDeadLetter, keys: [keys.list, keys.dead, keys.named], [RedisArgument(entry)])
    }
}

extension RedisTicket {
    /// For a script that returns what stands for the message, and the server's time.
    static func question(_ id: String, _ command: [RedisArgument]) -> RedisQuestion<RedisTicket> {
        RedisQuestion(command: command) { reply throws(RedisFailure) in
            guard let fields = reply.elements, fields.count == 2, let place = fields[0].text,
                let since = fields[1].text
            else { throw .outOfTurn }
            return RedisTicket(id: id, place: place, since: since)
        }
    }
}
