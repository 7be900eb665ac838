import CHiredis
import NIOCore
import Semel
import SemelTLS

/// A reply in the Redis serialization protocol, version 2.
enum RedisValue: Sendable {
    case null
    case integer(Int64)
    /// Bulk strings and status lines.
    case bytes([UInt8])
    case array([RedisValue])
    case error(String)

    var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .bytes(let bytes): Int64(String(decoding: bytes, as: UTF8.self))
        default: nil
        }
    }

    var text: String? {
        if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    var elements: [RedisValue]? {
        if case .array(let values) = self { values } else { nil }
    }
}

/// One argument of a command: any bytes.
struct RedisArgument: Sendable, ExpressibleByStringLiteral {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
    init(_ text: String) { bytes = Array(text.utf8) }
    init(_ number: some BinaryInteger) { bytes = Array(String(number).utf8) }
    init(stringLiteral text: String) { self.init(text) }
}

enum RESP {
    /// hiredis' formatter; `nil` when there is not enough memory.
    static func encode(_ arguments: [RedisArgument], allocator: ByteBufferAllocator) -> ByteBuffer? {
        var pointers: [UnsafePointer<CChar>?] = []
        var lengths: [Int] = []
        var command: UnsafeMutablePointer<CChar>?
        let joined = arguments.flatMap(\.bytes)
        let count = joined.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                var offset = 0
                for argument in arguments {
                    pointers.append(characters.baseAddress.map { $0 + offset } ?? emptyString)
                    lengths.append(argument.bytes.count)
                    offset += argument.bytes.count
                }
                return redisFormatCommandArgv(&command, CInt(arguments.count), &pointers, &lengths)
            }
        }
        guard count >= 0, let command else { return nil }
        defer { redisFreeCommand(command) }
        var buffer = allocator.buffer(capacity: Int(count))
        buffer.writeBytes(UnsafeRawBufferPointer(start: command, count: Int(count)))
        return buffer
    }

    private static var emptyString: UnsafePointer<CChar>? { nil }
}

/// hiredis' reader: fed with what the socket gave, it hands out whole replies. Used on one thread.
final class RESPReader {
    private let reader: UnsafeMutablePointer<redisReader>?

    init() {
        reader = redisReaderCreate()
    }

    deinit {
        redisReaderFree(reader)
    }

    func feed(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { bytes in
            _ = redisReaderFeed(reader, bytes.bindMemory(to: CChar.self).baseAddress, bytes.count)
        }
    }

    /// The next whole reply, if there is one.
    func next() throws(RedisFailure) -> RedisValue? {
        guard let reader else { throw .broken("out of memory") }
        var reply: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &reply) == REDIS_OK else {
            let text = withUnsafeBytes(of: reader.pointee.errstr) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            throw .broken("not a reply of Redis: \(text)")
        }
        guard let reply else { return nil }
        defer { freeReplyObject(reply) }
        return value(reply.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private func value(_ reply: redisReply) -> RedisValue {
        switch reply.type {
        case REDIS_REPLY_INTEGER: return .integer(reply.integer)
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: return .bytes(bytes(reply))
        case REDIS_REPLY_ERROR: return .error(String(decoding: bytes(reply), as: UTF8.self))
        case REDIS_REPLY_ARRAY:
            return .array(
                UnsafeBufferPointer(start: reply.element, count: reply.elements).map { element in
                    element.map { value($0.pointee) } ?? .null
                })
        default: return .null
        }
    }

    private func bytes(_ reply: redisReply) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: reply.str, count: reply.len))
    }
}

/// What went wrong between Redis and us.
public enum RedisFailure: Error, Sendable {
    /// No connection, or it broke.
    case broken(String)
    /// Redis' own words: `NOAUTH Authentication required.`
    case answered(String)
    /// A file that the connection needs cannot be read: a whole line, which says where it is named.
    case misconfigured(String)
    /// Who is there is not who is meant: the certificate of somebody else, no master of that name.
    case mismatch(String)
    /// The server does not accept our certificate, or wants one.
    case refused(String)

    init(_ failure: TLSFailure) {
        self =
            switch failure {
            case .broken(let reason): .broken(reason)
            case .misconfigured(let line): .misconfigured(line)
            case .untrusted(let problem): .mismatch(problem.description)
            case .refused(let reason): .refused(reason)
            }
    }

    public var reason: String {
        switch self {
        case .broken(let text), .answered(let text), .misconfigured(let text), .mismatch(let text), .refused(let text):
            text
        }
    }

    /// With the server that it is about, where that is one of several.
    func naming(_ host: QueueURL.Host) -> RedisFailure {
        guard !reason.contains(host.text) else { return self }
        let text = "\(host.text): \(reason)"
        return switch self {
        case .broken: .broken(text)
        case .mismatch: .mismatch(text)
        case .refused: .refused(text)
        // The first word is the server's code, by which it is known; and a file is nobody's in particular.
        case .answered(let answer): .answered("\(answer) (\(host.text))")
        case .misconfigured: self
        }
    }

    /// Whether asking again would most likely be answered alike. What Redis says of its own state passes.
    var isLasting: Bool {
        guard case .answered(let text) = self else { return false }
        return Self.isRefusal(text) || ["WRONGTYPE", "unknown command"].contains { text.contains($0) }
    }

    /// Whether Redis answered that this user is none, or may not do this.
    ///
    /// Of a command that a script sends, servers before 7.2 say so without a code.
    public static func isRefusal(_ answer: String) -> Bool {
        [
            "NOAUTH", "WRONGPASS", "NOPERM", "AUTH", "invalid password", "unauthenticated",
            "The user executing the script",
        ].contains { answer.contains($0) }
    }
}
