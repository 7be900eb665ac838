import Foundation

/// One word of a Redis command: text or bytes.
public struct RedisArgument: Sendable, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral {
    let bytes: Data

    public init(_ bytes: [UInt8]) {
        self.bytes = Data(bytes)
    }

    public init(_ text: String) {
        bytes = Data(text.utf8)
    }

    public init(stringLiteral text: String) {
        self.init(text)
    }

    public init(arrayLiteral bytes: UInt8...) {
        self.init(bytes)
    }
}

/// A reply of Redis.
public indirect enum RedisValue: Hashable, Sendable {
    case status(String)
    case error(String)
    case integer(Int)
    case bulk([UInt8])
    case array([RedisValue])
    case null

    /// A status or bulk reply as text.
    public var text: String? {
        switch self {
        case .status(let text): text
        case .bulk(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    /// An integer reply, or text that is one.
    public var integer: Int? {
        if case .integer(let value) = self { value } else { text.flatMap { Int($0) } }
    }

    public var bytes: [UInt8]? {
        if case .bulk(let bytes) = self { bytes } else { nil }
    }

    public var array: [RedisValue]? {
        if case .array(let values) = self { values } else { nil }
    }
}

/// Redis refused a command.
public struct RedisError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

/// Speaks RESP2 over one connection. For one thread.
struct RedisClient {
    private let socket: Socket

    init(port: Int, user: String? = nil, password: String? = nil, timeout: Duration) throws {
        socket = try Socket(port: port, timeout: timeout)
        if let password {
            let words = ["AUTH"] + (user.map { [$0] } ?? []) + [password]
            if case .error(let message) = try send([words.map { RedisArgument($0) }])[0] {
                throw RedisError(description: message)
            }
        }
    }

    /// Sends all commands, then reads all replies. Not for so many that both sides' buffers fill up.
    func send(_ commands: [[RedisArgument]]) throws -> [RedisValue] {
        var request = Data()
        for words in commands {
            request += Data("*\(words.count)\r\n".utf8)
            for word in words {
                request += Data("$\(word.bytes.count)\r\n".utf8)
                request += word.bytes
                request += Data("\r\n".utf8)
            }
        }
        try socket.write(request)
        return try commands.map { _ in try readReply() }
    }

    private func readReply() throws -> RedisValue {
        let line = try socket.readLine()
        let rest = String(line.dropFirst())
        switch (line.first, Int(rest)) {
        case ("+", _): return .status(rest)
        case ("-", _): return .error(rest)
        case (":", let value?): return .integer(value)
        case ("$", let count?) where count >= 0:
            let bytes = try socket.read(count + 2)
            return .bulk(Array(bytes.dropLast(2)))
        case ("*", let count?) where count >= 0: return .array(try (0..<count).map { _ in try readReply() })
        case ("$", -1), ("*", -1): return .null
        default: throw SupportError("not a Redis reply: \(line)")
        }
    }
}
