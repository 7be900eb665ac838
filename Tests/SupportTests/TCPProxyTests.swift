import Foundation
import Glibc
import Testing

@testable import TestSupport

struct TCPProxyTests {
    /// A server that sends back what it gets, on every connection, until its listener is closed.
    private func echo() throws -> Listener {
        let listener = try Listener(port: 0)
        startThread("echo") {
            while case let client = accept(listener.descriptor, nil, nil), client >= 0 {
                startThread("echo client") {
                    var bytes = [UInt8](repeating: 0, count: 1 << 16)
                    while case let count = recv(client, &bytes, bytes.count, 0), count > 0 {
                        send(client, bytes, count, Int32(MSG_NOSIGNAL))
                    }
                    close(client)
                }
            }
        }
        return listener
    }

    private func end(_ listener: Listener) {
        shutdown(listener.descriptor, Int32(SHUT_RDWR))
        listener.close()
    }

    private func say(_ text: String, on client: Held, timeout: Duration = .seconds(10)) async throws -> String {
        try await client.use { socket in
            socket.extend(by: timeout)
            try socket.write(Data(text.utf8))
            return String(decoding: try socket.read(text.utf8.count), as: UTF8.self)
        }
    }

    @Test func forwardsFreezesAndThaws() async throws {
        let server = try echo()
        defer { end(server) }
        let proxy = try TCPProxy(to: server.port)
        let client = try Held(Socket(port: proxy.port))
        #expect(try await say("hello", on: client) == "hello")
        #expect(await proxy.connectionCount == 1)

        await proxy.freeze()
        await #expect(throws: SupportError.self) {
            _ = try await say("still", on: client, timeout: .milliseconds(100))
        }
        let newcomer = try Held(Socket(port: proxy.port))
        #expect(await proxy.acceptedCount == 1)

        await proxy.thaw()
        let late = try await client.use { socket in
            socket.extend(by: .seconds(10))
            return String(decoding: try socket.read(5), as: UTF8.self)
        }
        #expect(late == "still")
        #expect(try await say("me too", on: newcomer) == "me too")
    }

    @Test func cutsWithAReset() async throws {
        let server = try echo()
        defer { end(server) }
        let proxy = try TCPProxy(to: server.port)
        let client = try Held(Socket(port: proxy.port))
        #expect(try await say("a", on: client) == "a")
        await proxy.cut()
        let error = await #expect(throws: SupportError.self) { _ = try await client.use { try $0.read(1) } }
        #expect(error?.description.contains(systemMessage(ECONNRESET)) == true)
        let next = try Held(Socket(port: proxy.port))
        #expect(try await say("b", on: next) == "b")
    }

    @Test func closesHalf() async throws {
        let server = try echo()
        defer { end(server) }
        let proxy = try TCPProxy(to: server.port)
        let client = try Held(Socket(port: proxy.port))
        #expect(try await say("a", on: client) == "a")
        await proxy.halfClose(towards: .client)
        #expect(try await client.use { try $0.readToEnd() }.isEmpty)
        #expect(await proxy.connectionCount == 1)
    }

    @Test func delays() async throws {
        let server = try echo()
        defer { end(server) }
        let proxy = try TCPProxy(to: server.port)
        let client = try Held(Socket(port: proxy.port))
        await proxy.delay(.milliseconds(100))
        let start = ContinuousClock.now
        #expect(try await say("slow", on: client) == "slow")
        #expect(ContinuousClock.now - start >= .milliseconds(200))
    }

    @Test func refusesNewConnections() async throws {
        let server = try echo()
        defer { end(server) }
        let proxy = try TCPProxy(to: server.port)
        let client = try Held(Socket(port: proxy.port))
        #expect(try await say("a", on: client) == "a")
        try await proxy.refuse(true)
        #expect(throws: SupportError.self) { _ = try Socket(port: proxy.port) }
        #expect(try await say("b", on: client) == "b")
        try await proxy.refuse(false)
        let next = try Held(Socket(port: proxy.port))
        #expect(try await say("c", on: next) == "c")
    }

    @Test func carriesBigStreams() async throws {
        let server = try await RedisServer.shared()
        let proxy = try TCPProxy(to: server.port)
        let big = [UInt8](repeating: 97, count: 32 << 20)
        let reply = try await onThread("big") {
            let client = try RedisClient(port: proxy.port, timeout: .seconds(60))
            return try client.send([["SET", "big", RedisArgument(big)], ["GET", "big"]])
        }
        #expect(reply == [.status("OK"), .bulk(big)])
        try await server.command("DEL", "big")
    }

    @Test func endsWithItsLastReference() async throws {
        let server = try echo()
        defer { end(server) }
        var proxy: TCPProxy? = try TCPProxy(to: server.port)
        let port = try #require(proxy?.port)
        proxy = nil
        try await eventually("nobody listens") { (try? Socket(port: port)) == nil }
    }
}

/// A socket that is used from one thread after another.
private final class Held: @unchecked Sendable {
    private let socket: Socket

    init(_ socket: Socket) {
        self.socket = socket
    }

    func use<Result: Sendable>(_ body: @escaping @Sendable (Socket) throws -> Result) async throws -> Result {
        try await onThread("client") { [self] in try body(socket) }
    }
}
