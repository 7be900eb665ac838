import Foundation

extension AMQPConnection {
    /// A message that the broker has handed out on this connection.
    struct Delivery {
        let tag: UInt64
        let message: StoredMessage
    }

    /// Publishes the bodies, each as a message of its own, and waits until the broker has confirmed them all.
    ///
    /// A message that no queue takes is an error.
    func publish(
        _ bodies: [Data], exchange: String, routingKey: String, properties: MessageProperties
    ) throws {
        if published == nil {
            _ = try call(Method(85, 10), Method(85, 11)) { $0.integer(UInt8(0)) }
        }
        var header = AMQPWriter()
        try header.properties(properties)
        // In batches: neither side may block on writing while the other does as well.
        for start in stride(from: 0, to: bodies.count, by: 500) {
            let batch = bodies[start..<min(start + 500, bodies.count)]
            for body in batch {
                try write(publishFrames(body, header.bytes, exchange, routingKey))
            }
            let first = (published ?? 0) + 1
            let last = first + UInt64(batch.count) - 1
            try awaitConfirms(of: Set(first...last))
            published = last
        }
    }

    /// Publishes a message and waits for nothing.
    func publishUnconfirmed(_ body: Data, routingKey: String, properties: MessageProperties) throws {
        var header = AMQPWriter()
        try header.properties(properties)
        try write(publishFrames(body, header.bytes, "", routingKey))
    }

    private func publishFrames(_ body: Data, _ header: Data, _ exchange: String, _ key: String) throws -> Data {
        let mandatory: UInt8 = 1
        var frames = try frame(Method(60, 40)) { fields in
            fields.integer(UInt16(0))
            try fields.shortString(exchange)
            try fields.shortString(key)
            fields.integer(mandatory)
        }
        var content = AMQPWriter()
        content.integer(UInt16(60))
        content.integer(UInt16(0))
        content.integer(UInt64(body.count))
        content.raw(header)
        frames += frame(FrameType.header, content.bytes)
        let overhead = 8
        let room = frameLimit - overhead
        for start in stride(from: 0, to: body.count, by: room) {
            frames += frame(FrameType.body, body[start..<min(start + room, body.count)])
        }
        return frames
    }

    /// Confirms come in any order, and one may stand for all before it.
    private func awaitConfirms(of tags: Set<UInt64>) throws {
        var waiting = tags
        var returned: String?
        while !waiting.isEmpty {
            var (method, fields) = try readMethod()
            switch method {
            case Method(60, 50):
                let code = try fields.integer(UInt16.self)
                returned = "returned by the broker: \(code) \(try fields.shortString())"
                _ = try readContent()
            case Method(60, 80):
                let tag = try fields.integer(UInt64.self)
                if try fields.integer(UInt8.self) == 1 {
                    waiting = waiting.filter { $0 > tag }
                } else {
                    waiting.remove(tag)
                }
            default: throw SupportError("not confirmed by the broker: \(method)")
            }
        }
        if let returned {
            throw SupportError(returned)
        }
    }

    /// Takes one message, if there is one: for good, or to be settled on this connection.
    func get(from queue: String, settled: Bool) throws -> Delivery? {
        try send(Method(60, 70)) { fields in
            fields.integer(UInt16(0))
            try fields.shortString(queue)
            fields.integer(UInt8(settled ? 1 : 0))
        }
        var (method, fields) = try readMethod()
        if method == Method(60, 72) {
            return nil
        }
        guard method == Method(60, 71) else {
            throw SupportError("AMQP method \(method) where a message was due")
        }
        let tag = try fields.integer(UInt64.self)
        let redelivered = try fields.integer(UInt8.self) != 0
        let exchange = try fields.shortString()
        let routingKey = try fields.shortString()
        let (properties, body) = try readContent()
        return Delivery(
            tag: tag,
            message: StoredMessage(
                body: Array(body), properties: properties, redelivered: redelivered, exchange: exchange,
                routingKey: routingKey))
    }

    private func readContent() throws -> (MessageProperties, Data) {
        var header = AMQPReader(try readPayload(FrameType.header))
        _ = try header.integer(UInt32.self)
        let size = try Int(header.integer(UInt64.self))
        let properties = try header.properties()
        var body = Data(capacity: size)
        while body.count < size {
            body += try readPayload(FrameType.body)
        }
        return (properties, body)
    }

    func acknowledge(_ tag: UInt64) throws {
        try send(Method(60, 80)) { fields in
            fields.integer(tag)
            fields.integer(UInt8(0))
        }
        try settleRoundTrip()
    }

    /// Refuses a message, and with `upTo` all before it; they go back to the queue or to the dead-letter exchange.
    func refuse(_ tag: UInt64, upTo: Bool = false, requeue: Bool) throws {
        try send(Method(60, 120)) { fields in
            fields.integer(tag)
            fields.integer(UInt8(upTo ? 1 : 0) | UInt8(requeue ? 2 : 0))
        }
        try settleRoundTrip()
    }

    /// Settling has no answer; any answer that comes after it proves that it was read.
    private func settleRoundTrip() throws {
        _ = try call(Method(60, 10), Method(60, 11)) { fields in
            fields.integer(UInt32(0))
            fields.integer(UInt16(0))
            fields.integer(UInt8(0))
        }
    }

    func declareQueue(_ name: String, passive: Bool = false, arguments: [String: AMQPValue] = [:]) throws -> Int {
        try declare(name, passive: passive, arguments: arguments).ready
    }

    /// How many messages of a queue are ready, and how many consumers it has.
    func counts(of name: String) throws -> (ready: Int, consumers: Int) {
        try declare(name, passive: true, arguments: [:])
    }

    private func declare(
        _ name: String, passive: Bool, arguments: [String: AMQPValue]
    ) throws -> (ready: Int, consumers: Int) {
        let durable: UInt8 = 2
        var answer = try call(Method(50, 10), Method(50, 11)) { fields in
            fields.integer(UInt16(0))
            try fields.shortString(name)
            fields.integer(passive ? durable | 1 : durable)
            try fields.table(arguments)
        }
        _ = try answer.shortString()
        return (Int(try answer.integer(UInt32.self)), Int(try answer.integer(UInt32.self)))
    }

    func deleteQueue(_ name: String) throws {
        _ = try call(Method(50, 40), Method(50, 41)) { fields in
            fields.integer(UInt16(0))
            try fields.shortString(name)
            fields.integer(UInt8(0))
        }
    }

    func purge(_ name: String) throws {
        _ = try call(Method(50, 30), Method(50, 31)) { fields in
            fields.integer(UInt16(0))
            try fields.shortString(name)
            fields.integer(UInt8(0))
        }
    }

    func declareExchange(_ name: String, type: String) throws {
        let durable: UInt8 = 2
        _ = try call(Method(40, 10), Method(40, 11)) { fields in
            fields.integer(UInt16(0))
            try fields.shortString(name)
            try fields.shortString(type)
            fields.integer(durable)
            try fields.table([:])
        }
    }

    func bind(_ queue: String, exchange: String, key: String) throws {
        _ = try call(Method(50, 20), Method(50, 21)) { fields in
            fields.integer(UInt16(0))
            try fields.shortString(queue)
            try fields.shortString(exchange)
            try fields.shortString(key)
            fields.integer(UInt8(0))
            try fields.table([:])
        }
    }
}
