public import NIOCore
public import Semel

/// The stream of dead letters beside a list or a stream.
public actor RedisDeadLetters: DeadLetterStore {
    private let address: RedisAddress
    private let group: any EventLoopGroup

    /// Bodies may be large: few at a time.
    private static let page = 20

    public init(_ address: RedisAddress, on group: any EventLoopGroup) {
        self.address = address
        self.group = group
    }

    public func visit(_ decide: @escaping @Sendable (StoredDeadLetter) -> DeadLetterAction) async throws(QueueFailure) {
        do throws(RedisFailure) {
            let connection = try await RedisConnection.open(address, on: group)
            defer { connection.close() }
            try await visit(on: connection, decide)
        } catch {
            throw error.asQueueFailure(address)
        }
    }

    public func close() async {}

    private func visit(
        on connection: RedisConnection, _ decide: @Sendable (StoredDeadLetter) -> DeadLetterAction
    ) async throws(RedisFailure) {
        let stream = RedisArgument(address.layout.dead)
        var from = "-"
        // A letter that is retried may be back before the others are through, as an entry behind those that were here.
        let newest = try await connection.command(["XREVRANGE", stream, "+", "-", "COUNT", "1"])
        guard let last = newest.elements?.first?.elements?.first?.text else { return }
        while true {
            let page = try await connection.command([
                "XRANGE", stream, RedisArgument(from), RedisArgument(last), "COUNT", RedisArgument(Self.page),
            ])
            guard let entries = page.elements, !entries.isEmpty else { return }
            for entry in entries {
                guard let parts = entry.elements, parts.count == 2, let id = parts[0].text else { continue }
                // The next page begins behind this one, which may be gone by then.
                from = Self.next(id)
                let action = decide(Self.letter(id, parts[1].elements ?? []))
                if action == .stop { return }
                try await carryOut(action, id, connection)
            }
        }
    }

    private func carryOut(_ action: DeadLetterAction, _ id: String, _ connection: RedisConnection)
        async throws(RedisFailure)
    {
        switch action {
        case .keep, .stop: break
        case .retry:
            _ = try await connection.command(address.layout.retry(deadLetter: id))
        case .drop:
            _ = try await connection.command(["XDEL", RedisArgument(address.layout.dead), RedisArgument(id)])
        }
    }

    /// The smallest id behind this one. (Redis before 6.2 knows no open intervals.)
    private static func next(_ id: String) -> String {
        let parts = id.split(separator: "-")
        guard parts.count == 2, let number = UInt64(parts[1]), number < .max else { return "(\(id)" }
        return "\(parts[0])-\(number + 1)"
    }

    /// One that has no id of its own is known by its entry's.
    private static func letter(_ place: String, _ flat: [RedisValue]) -> StoredDeadLetter {
        var fields: [String: [UInt8]] = [:]
        // The message as it was; of a stream's, the body may have been all of its fields.
        var own: [RedisValue] = []
        for index in stride(from: 0, to: flat.count - 1, by: 2) {
            guard let name = flat[index].text, case .bytes(let value) = flat[index + 1] else { continue }
            fields[name] = value
            if name == "body" { own += [.bytes([]), flat[index + 1]] }
            if name.hasPrefix("header:") { own += [.bytes(Array(name.utf8.dropFirst(7))), flat[index + 1]] }
        }
        let entry = RedisStreamEntry(own, field: "")
        func text(_ name: String) -> String { String(decoding: fields[name] ?? [], as: UTF8.self) }
        let letter = DeadLetter(
            reason: text("reason"), attempts: Int(text("attempts")) ?? 0, exit: Int32(text("exit")),
            output: DeadLetter.lines(of: text("output")), worker: text("worker"), time: text("time"))
        return StoredDeadLetter(
            messageID: fields["id"] == nil ? place : text("id"), letter: letter.reason.isEmpty ? .unknown() : letter,
            body: entry.body, contentType: entry.contentType, headers: entry.headers)
    }
}
