import Foundation

/// The broker closed the channel or the connection.
public struct AMQPError: Error, CustomStringConvertible, Sendable {
    public let code: Int
    public let text: String

    public var description: String { "\(code) \(text)" }
}

/// One AMQP 0-9-1 connection with one channel, written from the specification, so that tests look at the broker
/// with other eyes than the program under test. Blocking; for one thread at a time; without heartbeats.
final class AMQPConnection {
    /// Class and method numbers of the specification.
    struct Method: Hashable {
        let group: UInt16
        let number: UInt16

        init(_ group: UInt16, _ number: UInt16) {
            self.group = group
            self.number = number
        }
    }

    enum FrameType {
        static let method: UInt8 = 1
        static let header: UInt8 = 2
        static let body: UInt8 = 3
        static let end: UInt8 = 0xce
    }

    private let socket: Socket
    private(set) var frameLimit = 4096
    /// How many messages were published with confirms; nothing before confirms are asked for.
    var published: UInt64?

    init(
        port: Int, user: String = "guest", password: String = "guest", virtualHost: String = "/",
        timeout: Duration = .seconds(30)
    ) throws {
        socket = try Socket(port: port, timeout: timeout)
        try socket.write(Data("AMQP".utf8) + Data([0, 0, 9, 1]))
        _ = try expect(Method(10, 10), channel: 0)
        try send(Method(10, 11), channel: 0) { fields in
            try fields.table([:])
            try fields.shortString("PLAIN")
            fields.longString(Data("\0\(user)\0\(password)".utf8))
            try fields.shortString("en_US")
        }
        var tune = try expect(Method(10, 30), channel: 0)
        let channels = try tune.integer(UInt16.self)
        let limit = try tune.integer(UInt32.self)
        frameLimit = limit == 0 ? 131_072 : Int(limit)
        try send(Method(10, 31), channel: 0) { fields in
            fields.integer(channels)
            fields.integer(UInt32(frameLimit))
            fields.integer(UInt16(0))
        }
        try send(Method(10, 40), channel: 0) { fields in
            try fields.shortString(virtualHost)
            try fields.shortString("")
            fields.integer(UInt8(0))
        }
        _ = try expect(Method(10, 41), channel: 0)
        _ = try call(Method(20, 10), Method(20, 11)) { try $0.shortString("") }
    }

    /// Starts the clock anew for what follows.
    func extend(by timeout: Duration) {
        socket.extend(by: timeout)
    }

    /// Sends a method and waits for its answer.
    func call(_ method: Method, _ answer: Method, _ fields: (inout AMQPWriter) throws -> Void) throws -> AMQPReader {
        try send(method, fields)
        return try expect(answer)
    }

    func send(_ method: Method, channel: UInt16 = 1, _ fields: (inout AMQPWriter) throws -> Void) throws {
        try socket.write(frame(method, channel: channel, fields))
    }

    func frame(
        _ method: Method, channel: UInt16 = 1, _ fields: (inout AMQPWriter) throws -> Void
    ) throws -> Data {
        var payload = AMQPWriter()
        payload.integer(method.group)
        payload.integer(method.number)
        try fields(&payload)
        return frame(FrameType.method, channel: channel, payload.bytes)
    }

    func write(_ frames: Data) throws {
        try socket.write(frames)
    }

    func frame(_ type: UInt8, channel: UInt16 = 1, _ payload: Data) -> Data {
        var frame = AMQPWriter()
        frame.integer(type)
        frame.integer(channel)
        frame.integer(UInt32(payload.count))
        frame.raw(payload)
        frame.integer(FrameType.end)
        return frame.bytes
    }

    func readPayload(_ wanted: UInt8) throws -> Data {
        var head = AMQPReader(try socket.read(7))
        let type = try head.integer(UInt8.self)
        _ = try head.integer(UInt16.self)
        let payload = try socket.read(Int(head.integer(UInt32.self)))
        guard try socket.read(1).first == FrameType.end, type == wanted else {
            throw SupportError("an AMQP frame of type \(type) where \(wanted) was due")
        }
        return payload
    }

    func readMethod() throws -> (Method, AMQPReader) {
        var fields = AMQPReader(try readPayload(FrameType.method))
        let method = Method(try fields.integer(), try fields.integer())
        if method == Method(10, 50) || method == Method(20, 40) {
            throw AMQPError(code: Int(try fields.integer(UInt16.self)), text: try fields.shortString())
        }
        return (method, fields)
    }

    private func expect(_ wanted: Method, channel: UInt16 = 1) throws -> AMQPReader {
        let (method, fields) = try readMethod()
        guard method == wanted else {
            throw SupportError("AMQP method \(method) where \(wanted) was due")
        }
        return fields
    }
}
