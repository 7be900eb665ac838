import Foundation
import TestSupport

/// A list on the shared server, and a user who may touch this list and the keys in its slot, and no others.
final class RedisUnderTest: QueueUnderTest {
    let server: RedisServer
    let list: String

    var secrets: [String] { Credentials.secrets }
    var url: String { server.url(list: list, user: list, password: Credentials.password) }

    init(_ name: String) async throws {
        server = try await RedisServer.shared()
        list = name
        try await server.command(
            "ACL", "SETUSER", "\(name)", "on", ">\(Credentials.password)", "~\(name)", "~{\(name)}:*", "+@all")
    }

    func key(_ kind: String) -> RedisArgument { "{\(list)}:\(kind)" }

    func put(_ bodies: [[UInt8]]) async throws {
        let replies = try await server.pipeline(bodies.map { ["RPUSH", "\(list)", RedisArgument($0)] })
        for case .error(let message) in replies { throw SupportError("RPUSH: \(message)") }
    }

    func left() async throws -> Left {
        let counts = try await server.pipeline([
            ["LLEN", "\(list)"], ["ZCARD", key("leases")], ["SCARD", key("delayed")], ["XLEN", key("dead")],
            ["HLEN", key("payloads")], ["HLEN", key("attempts")],
        ]).map { $0.integer ?? -1 }
        // One connection, not one transaction: with workers about, look again.
        guard counts[1] == counts[4], counts[1] == counts[5] else {
            throw SupportError("\(counts[1]) leases, \(counts[4]) payloads, \(counts[5]) attempts of \(list)")
        }
        return Left(ready: counts[0], claimed: counts[1] - counts[2], delayed: counts[2], dead: counts[3])
    }

    func readyBodies() async throws -> [[UInt8]] {
        try await server.command("LRANGE", "\(list)", "0", "-1").array?.compactMap(\.bytes) ?? []
    }

    func deadLetters() async throws -> [DeadLetterSeen] {
        let entries = try await server.command("XRANGE", key("dead"), "-", "+").array ?? []
        return entries.map { entry in
            let words = entry.array?[1].array ?? []
            var fields: [String: [UInt8]] = [:]
            for index in stride(from: 0, to: words.count - 1, by: 2) {
                fields[words[index].text ?? ""] = words[index + 1].bytes
            }
            let texts = fields.mapValues { String(decoding: $0, as: UTF8.self) }
            return DeadLetterSeen(
                body: fields["body"] ?? [], reason: texts["reason"], attempts: texts["attempts"].flatMap { Int($0) },
                exit: texts["exit"].flatMap { Int($0) }, output: texts["output"])
        }
    }

    func isAwaited(by worker: Worker) async throws -> Bool {
        let clients = try await server.command("CLIENT", "LIST").text ?? ""
        return clients.split(separator: "\n").contains { line in
            line.contains(" user=\(list) ") && line.contains(" cmd=blmove ") && line.contains(" flags=b ")
        }
    }

    func result(of id: String) async throws -> [UInt8]? {
        try await server.command("GET", key("result:\(id)")).bytes
    }

    /// The keys that are there besides the list, without what makes a settlement repeatable for a while.
    func otherKeys() async throws -> [String] {
        let keys = try await server.command("KEYS", "{\(list)}:*").array?.compactMap(\.text) ?? []
        return keys.filter { !$0.hasPrefix("{\(list)}:settled:") }.sorted()
    }
}
