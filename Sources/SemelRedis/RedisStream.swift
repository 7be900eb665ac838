import Semel

/// A stream with a consumer group; see ``RedisStreamScripts`` for what becomes of an entry.
struct RedisStream: RedisLayout {
    static let usualGroup = "semel"
    static let usualField = "body"

    let keys: RedisStreamKeys
    let group: String
    /// The field with the body.
    let field: String
    static let type = "stream"
    var type: String { Self.type }
    var key: String { keys.stream }
    var dead: String { keys.dead }

    /// Of clients that do not say how long theirs is, for those who have none themselves.
    private static let usualLease = Duration.seconds(30)

    /// A consumer's name, so that its claims can be told from all others, and with the lease, so that nobody with a shorter
    /// one takes them.
    func owner(token: String, lease: Duration) -> String {
        "semel:\(Host.name):\(token):\(lease.milliseconds)"
    }

    func claim(_ request: ClaimRequest, by owner: String) -> RedisQuestion<RedisFound> {
        // At most once there will be nothing left on the server of what it keeps back.
        let largest = request.delivery == .atMostOnce ? Int.max : request.maxMessageBytes
        let arguments = [
            RedisArgument(group), RedisArgument(owner), RedisArgument(request.lease.milliseconds),
            RedisArgument(largest), RedisArgument(request.delivery.rawValue),
        ]
        let names = [keys.stream, keys.delayed, keys.taken]
        return RedisQuestion(command: RedisScripts.run(RedisStreamScripts.claim, keys: names, arguments)) {
            [self] reply throws(RedisFailure) in
            guard let parts = reply.elements, parts.count >= 3 else { throw .outOfTurn }
            if let delivery = try Self.delivery(parts[0], parts[2], attempt: parts[1], field) {
                return .message(delivery)
            }
            guard parts.count == 4, let first = parts[1].integer, let last = parts[2].integer else { throw .outOfTurn }
            let leases = first < 0 ? nil : RedisLeases(millisecondsTo: first, last)
            return .nothing(leases, warning: warning(missed: parts[3].integer))
        }
    }

    /// - Parameter missed: How many entries the group never gets.
    private func warning(missed: Int64?) -> String? {
        guard let missed, missed > 0 else { return nil }
        return
            "\(missed) of the entries in the stream ‘\(key)’ are claimed by nobody, though KEDA counts them: the group "
            + "‘\(group)’ began behind them, or they were acknowledged and not deleted. While nothing is claimed or "
            + "delayed, ‘XGROUP SETID \(key) \(group) 0’ gives the group all of them"
    }

    /// Wakes one of those who wait, and has the entry.
    func news(within limit: Duration, for owner: String) -> RedisQuestion<RedisDelivery?> {
        let command: [RedisArgument] = [
            "XREADGROUP", "GROUP", RedisArgument(group), RedisArgument(owner), "COUNT", "1",
            "BLOCK", RedisArgument(max(1, limit.milliseconds)), "STREAMS", RedisArgument(keys.stream), ">",
        ]
        return RedisQuestion(command: command) { [field] reply throws(RedisFailure) in
            guard let entry = reply.elements?.first?.elements?.last?.elements?.first?.elements, entry.count == 2
            else { return nil }
            return try Self.delivery(entry[0], entry[1], attempt: .integer(1), field)
        }
    }

    private static func delivery(_ entry: RedisValue, _ fields: RedisValue, attempt: RedisValue, _ field: String)
        throws(RedisFailure) -> RedisDelivery?
    {
        guard let entry = entry.text, let fields = fields.elements, let attempt = attempt.integer else { return nil }
        let found = RedisStreamEntry(fields, field: field)
        let message = Message(
            id: found.id ?? entry, body: try MessageBody(redis: found.body), size: found.size,
            contentType: found.contentType, headers: found.headers, attempt: Int(attempt))
        return RedisDelivery(message: message, entry: entry, isNamed: found.id != nil, bodyField: found.bodyField)
    }

    func handBack(from owner: String) -> RedisQuestion<Void>? {
        let arguments = [RedisArgument(group), RedisArgument(owner)]
        let names = [keys.stream, keys.delayed]
        return RedisQuestion(command: RedisScripts.run(RedisStreamScripts.handBack, keys: names, arguments)) { _ in }
    }

    // MARK: Settling

    func extend(_ delivery: RedisDelivery, by owner: String, _ lease: Duration) -> RedisQuestion<RedisAnswer> {
        run(RedisStreamScripts.extend, "extend", on: delivery, by: owner)
    }

    func end(_ delivery: RedisDelivery, by owner: String, _ settlement: Settlement) throws(RedisFailure)
        -> RedisQuestion<RedisAnswer>
    {
        switch settlement {
        case .complete(result: nil): run(RedisStreamScripts.complete, "complete", on: delivery, by: owner)
        case .complete(let result?):
            run(
                RedisStreamScripts.complete, "complete", on: delivery, by: owner,
                key: keys.result(delivery.message.id), arguments: try result.resultArguments())
        case .retry(let delay): run(RedisStreamScripts.putBack, "retry", on: delivery, by: owner, delay)
        case .release: run(RedisStreamScripts.putBack, "release", on: delivery, by: owner)
        case .deadLetter(let letter):
            run(
                RedisStreamScripts.deadLetter, "dead-letter", on: delivery, by: owner, key: keys.dead,
                arguments: [RedisArgument(delivery.message.id), RedisArgument(delivery.bodyField ?? "")]
                    + letter.redisFields)
        }
    }

    func endTaken(_ delivery: RedisDelivery, by owner: String, _ settlement: Settlement, span: Duration)
        throws(RedisFailure) -> RedisQuestion<RedisAnswer>?
    {
        switch settlement {
        case .complete(let result?):
            return run(
                RedisStreamScripts.completeTaken, "complete", on: delivery, by: owner, span,
                key: keys.result(delivery.message.id), arguments: try result.resultArguments())
        case .deadLetter(let letter):
            return run(
                RedisStreamScripts.deadLetterTaken, "dead-letter", on: delivery, by: owner, span, key: keys.dead,
                arguments: try Self.fields(of: delivery.message) + letter.redisFields)
        case .complete(result: nil), .retry, .release:
            guard delivery.isNamed else { return nil }
            return run(RedisStreamScripts.completeTaken, "complete", on: delivery, by: owner, span)
        }
    }

    /// As the server writes them itself where it still has the entry.
    private static func fields(of message: Message) throws(RedisFailure) -> [RedisArgument] {
        var fields: [RedisArgument] = ["id", RedisArgument(message.id), "body", try message.body.redisArgument()]
        if let type = message.contentType { fields += ["header:content-type", RedisArgument(type)] }
        for case (let name, .string(let text)) in message.headers {
            fields += [RedisArgument("header:\(name)"), RedisArgument(text)]
        }
        return fields
    }

    private func run(
        _ script: String, _ action: RedisArgument, on delivery: RedisDelivery, by owner: String,
        _ span: Duration = .zero, key: String? = nil, arguments: [RedisArgument] = []
    ) -> RedisQuestion<RedisAnswer> {
        let names = [keys.stream, keys.delayed, keys.settled(delivery.entry), keys.taken]
        let common = [
            RedisArgument(delivery.entry), RedisArgument(owner), action, RedisArgument(span.milliseconds),
            RedisArgument(group),
        ]
        return RedisAnswer.question(
            RedisScripts.run(script, keys: names + (key.map { [$0] } ?? []), common + arguments))
    }
}

// MARK: Operations

extension RedisStream {
    func check(_ message: OutgoingMessage, source: String) throws(QueueFailure) {
        for name in [field, "id", "content-type"] where message.headers[name] != nil {
            throw .misconfigured(
                "\(source): a message in the stream ‘\(keys.stream)’ cannot have a header ‘\(name)’: "
                    + "the field of that name is not a header's")
        }
    }

    func put(_ first: OutgoingMessage, _ rest: inout ArraySlice<OutgoingMessage>)
        -> (command: [RedisArgument], bytes: Int)
    {
        if let id = first.id { return (request(first, id: id).command, first.body.count) }
        let batch = rest.takeBatch(with: first)
        let arguments = batch.messages.flatMap { message in
            let words = fields(of: message)
            return [RedisArgument(words.count)] + words
        }
        return (RedisScripts.run(RedisStreamScripts.putAll, keys: [keys.stream], arguments), batch.bytes)
    }

    func request(_ message: OutgoingMessage, id: String) -> RedisQuestion<RedisTicket> {
        let arguments = ["id", RedisArgument(id)] + fields(of: message)
        return RedisTicket.question(
            id, RedisScripts.run(RedisStreamScripts.put, keys: [keys.stream, keys.result(id)], arguments))
    }

    private func fields(of message: OutgoingMessage) -> [RedisArgument] {
        var fields = [RedisArgument(field), RedisArgument(message.body)]
        if let type = message.contentType { fields += ["content-type", RedisArgument(type)] }
        for (name, value) in message.headers.sorted(by: { $0.key < $1.key }) {
            fields += [RedisArgument(name), RedisArgument(value)]
        }
        return fields
    }

    func end(of ticket: RedisTicket) -> RedisQuestion<RequestEnd?> {
        let names = [keys.stream, keys.taken, keys.result(ticket.id), keys.settled(ticket.place), keys.dead]
        let arguments = [ticket.id, ticket.place, ticket.since].map { RedisArgument($0) }
        return RequestEnd.question(RedisScripts.run(RedisStreamScripts.end, keys: names, arguments))
    }

    func counts() -> RedisQuestion<QueueCounts> {
        let arguments = [RedisArgument(group), RedisArgument(Self.usualLease.milliseconds)]
        let names = [keys.stream, keys.delayed, keys.dead]
        return RedisQuestion(command: RedisScripts.run(RedisStreamScripts.counts, keys: names, arguments)) {
            reply throws(RedisFailure) in
            let counts = (reply.elements ?? []).compactMap { $0.integer.map { Int($0) } }
            guard counts.count == 6 else { throw .outOfTurn }
            return QueueCounts(
                ready: counts[0], claimed: counts[1], delayed: counts[2], dead: counts[3],
                oldestSeconds: counts[4] < 0 ? nil : Double(counts[4]) / 1_000,
                warning: warning(missed: Int64(counts[5])))
        }
    }

    func retry(deadLetter entry: String) -> [RedisArgument] {
        RedisScripts.run(
            RedisStreamScripts.retryDeadLetter, keys: [keys.stream, keys.dead],
            [RedisArgument(entry), RedisArgument(field)])
    }
}
