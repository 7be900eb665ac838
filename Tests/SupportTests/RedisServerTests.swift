import Foundation
import Glibc
import TestSupport
import Testing

struct RedisServerTests {
    @Test func answersOnTheSharedServer() async throws {
        let server = try await RedisServer.shared()
        let body: [UInt8] = [0, 13, 10, 255]
        #expect(try await server.command("RPUSH", "bytes", RedisArgument(body)) == .integer(1))
        #expect(try await server.command("LRANGE", "bytes", "0", "-1") == .array([.bulk(body)]))
        #expect(try await server.command("GET", "nothing") == .null)
        await #expect(throws: RedisError.self) { try await server.command("INCR", "bytes") }
        #expect(server.url(list: "a b") == "redis://127.0.0.1:\(server.port)/0?list=a%20b")
        let other = try await RedisServer.shared()
        #expect(other === server)
    }

    @Test func manyCommandsOnOneConnection() async throws {
        let server = try await RedisServer.shared()
        let replies = try await server.pipeline((0..<2000).map { ["RPUSH", "many", "\($0)"] })
        #expect(replies.last == .integer(2000))
    }

    @Test func demandsPasswords() async throws {
        let server = try await RedisServer.start(
            password: "p@ss word", configuration: ["user ann on >secret ~* +@all"])
        #expect(try await server.command("PING").text == "PONG")
        #expect(server.url(list: "q") == "redis://:p%40ss%20word@127.0.0.1:\(server.port)/0?list=q")
        let ann = server.url(list: "q", user: "ann", password: "secret")
        #expect(ann == "redis://ann:secret@127.0.0.1:\(server.port)/0?list=q")
        let wrong = try await run(
            .installed("redis-cli"), ["-p", "\(server.port)", "-a", "wrong", "--no-auth-warning", "PING"])
        #expect(wrong.stdoutText.contains("NOAUTH"))
    }

    @Test func killAndRestartKeepsData() async throws {
        let server = try await RedisServer.start(keepsData: true)
        try await server.command("SET", "a", "1")
        let pid = server.pid
        try await server.kill()
        await #expect(throws: SupportError.self) { try await server.command("PING") }
        try await server.restart()
        #expect(server.pid != pid)
        #expect(try await server.command("GET", "a").text == "1")
        try await server.stop()
        #expect(kill(pid, 0) == -1)
    }

    @Test func nothingIsLeftBehind() async throws {
        var server: RedisServer? = try await RedisServer.start()
        let pid = try #require(server?.pid)
        let directory = try #require(try await server?.command("CONFIG", "GET", "dir").array?.last?.text)
        #expect(FileManager.default.fileExists(atPath: directory))
        server = nil
        try await eventually("the server is gone") { kill(pid, 0) == -1 }
        #expect(!FileManager.default.fileExists(atPath: directory))
    }
}
