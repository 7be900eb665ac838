import Foundation
import Glibc
import Synchronization

/// Serves pages on loopback, one request after the other; ended with its last reference.
public final class PageServer: Sendable {
    /// An answer in HTML.
    public struct Page: Sendable {
        public var status: Int
        public var headers: [String: String]
        public var body: String

        public init(_ body: String, status: Int = 200, headers: [String: String] = [:]) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    private let listener: Listener
    private let log = RequestLog()

    private final class RequestLog: Sendable {
        let paths = Mutex<[String]>([])
    }

    /// - Parameter page: what is at a path; nothing is "not found".
    public init(_ page: @escaping @Sendable (_ path: String) -> Page?) throws {
        let listener = try Listener(port: 0)
        self.listener = listener
        startThread("pages \(listener.port)") { [log] in
            while case let client = accept(listener.descriptor, nil, nil), client >= 0 {
                Self.serve(client, page, log)
                close(client)
            }
            listener.close()
        }
    }

    public convenience init(_ pages: [String: String], headers: [String: String] = [:]) throws {
        try self.init { pages[$0].map { Page($0, headers: headers) } }
    }

    deinit {
        // Wakes the thread, which closes it.
        shutdown(listener.descriptor, Int32(SHUT_RDWR))
    }

    public func url(_ path: String) -> String { "http://127.0.0.1:\(listener.port)\(path)" }

    /// What was asked for and found so far: the paths with their queries.
    public var requests: [String] { log.paths.withLock { $0 } }

    private static func serve(_ client: Int32, _ page: (String) -> Page?, _ log: RequestLog) {
        guard let target = readTarget(client) else { return }
        let found = page(String(target.prefix { $0 != "?" }))
        if found != nil { log.paths.withLock { $0.append(target) } }
        let page = found ?? Page("", status: 404)
        var lines = page.headers.map { "\($0.key): \($0.value)" }
        if page.headers["Content-Type"] == nil { lines.append("Content-Type: text/html; charset=utf-8") }
        lines += ["Content-Length: \(page.body.utf8.count)", "Connection: close"]
        let answer = "HTTP/1.1 \(page.status) -\r\n\(lines.joined(separator: "\r\n"))\r\n\r\n\(page.body)"
        send(client, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
    }

    private static func readTarget(_ client: Int32) -> String? {
        // A browser opens connections in advance: one on which nothing comes must not hold the others up.
        var patience = timeval(tv_sec: 0, tv_usec: 500_000)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var request: [UInt8] = []
        while !request.contains(Array("\r\n\r\n".utf8)) {
            var bytes = [UInt8](repeating: 0, count: 1 << 14)
            let count = recv(client, &bytes, bytes.count, 0)
            guard count > 0 else { return nil }
            request += bytes.prefix(count)
        }
        let words = String(decoding: request, as: UTF8.self).split(separator: " ")
        return words.count > 1 ? String(words[1]) : nil
    }
}
