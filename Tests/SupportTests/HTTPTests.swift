import Foundation
import Glibc
import Testing

@testable import TestSupport

struct HTTPTests {
    /// Answers one connection with fixed bytes and gives back the request's head.
    private func exchange(
        _ answer: String, _ request: (Int) async throws -> HTTP.Response
    ) async throws -> (HTTP.Response, head: String) {
        let listener = try Listener(port: 0)
        defer { listener.close() }
        async let head = onThread("server") {
            let client = accept(listener.descriptor, nil, nil)
            defer { close(client) }
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(client, &bytes, bytes.count, 0)
            send(client, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
            return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        }
        let response = try await request(listener.port)
        return (response, try await head)
    }

    @Test func readsABodyOfKnownLength() async throws {
        let (response, head) = try await exchange("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 3\r\n\r\nabcdef") {
            try await HTTP.get(port: $0, path: "/get/status", headers: ["Accept": "text/plain"])
        }
        #expect(response.status == 200)
        #expect(response.text == "abc")
        #expect(response.header("x-a") == "b")
        #expect(head.hasPrefix("GET /get/status HTTP/1.1\r\n"))
        #expect(head.contains("Accept: text/plain\r\n"))
    }

    @Test func readsChunksAndOpenEnds() async throws {
        let chunked = "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        let (first, _) = try await exchange(chunked) { try await HTTP.get(port: $0, path: "/") }
        #expect(first.status == 503)
        #expect(first.text == "abcde")
        let (second, _) = try await exchange("HTTP/1.0 200 OK\r\n\r\n{\"a\":1}") {
            try await HTTP.get(port: $0, path: "/")
        }
        #expect((try second.json() as? [String: Int]) == ["a": 1])
    }

    @Test func givesUpOnSilence() async throws {
        let listener = try Listener(port: 0)
        defer { listener.close() }
        await #expect(throws: SupportError.self) {
            try await HTTP.get(port: listener.port, path: "/", timeout: .milliseconds(50))
        }
    }

    @Test func portsAreFreeAndDifferent() async throws {
        let ports = try (0..<20).map { _ in try FreePort.next() }
        #expect(Set(ports).count == ports.count)
        for port in ports {
            await #expect(throws: SupportError.self) { try await HTTP.get(port: port, path: "/") }
        }
    }
}
