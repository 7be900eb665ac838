import Foundation

/// A small HTTP/1.1 client for servers on loopback; one connection per request.
public enum HTTP {
    public struct Response: Sendable {
        public let status: Int
        public let headers: [(name: String, value: String)]
        public let body: [UInt8]

        public var text: String { String(decoding: body, as: UTF8.self) }

        /// The first header of this name, in whatever case.
        public func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        /// The body as JSON: dictionaries, arrays, strings and numbers.
        public func json() throws -> Any {
            try JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)
        }
    }

    public static func get(
        port: Int, path: String, headers: [String: String] = [:], timeout: Duration = .seconds(10)
    ) async throws -> Response {
        try await request("GET", port: port, path: path, headers: headers, timeout: timeout)
    }

    public static func request(
        _ method: String, port: Int, path: String, headers: [String: String] = [:], body: [UInt8] = [],
        timeout: Duration = .seconds(10)
    ) async throws -> Response {
        try await onThread("http \(path)") {
            let socket = try Socket(port: port, timeout: timeout)
            let host = headers["Host"] == nil ? "Host: 127.0.0.1:\(port)\r\n" : ""
            var head = "\(method) \(path) HTTP/1.1\r\n\(host)Connection: close\r\n"
            for (name, value) in headers {
                head += "\(name): \(value)\r\n"
            }
            if !body.isEmpty || method != "GET" {
                head += "Content-Length: \(body.count)\r\n"
            }
            try socket.write(Data((head + "\r\n").utf8) + Data(body))
            return try readResponse(socket, to: method)
        }
    }

    private static func readResponse(_ socket: Socket, to method: String) throws -> Response {
        let statusLine = try socket.readLine()
        let words = statusLine.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw SupportError("not an HTTP response: \(statusLine)")
        }
        var headers: [(name: String, value: String)] = []
        while case let line = try socket.readLine(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else {
                throw SupportError("not an HTTP header: \(line)")
            }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers.append((String(line[..<colon]), value))
        }
        func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
        let body: Data
        if method == "HEAD" || status == 204 || status == 304 {
            body = Data()
        } else if header("transfer-encoding")?.lowercased() == "chunked" {
            body = try readChunks(socket)
        } else if let length = header("content-length").flatMap({ Int($0) }) {
            body = try socket.read(length)
        } else {
            body = try socket.readToEnd()
        }
        return Response(status: status, headers: headers, body: Array(body))
    }

    private static func readChunks(_ socket: Socket) throws -> Data {
        var body = Data()
        while true {
            let line = try socket.readLine()
            guard let count = Int(line.prefix { $0 != ";" }, radix: 16) else {
                throw SupportError("not a chunk size: \(line)")
            }
            if count > 0 {
                body += try socket.read(count)
            } else if try socket.readLine().isEmpty {
                return body
            }
            if count > 0, try !socket.readLine().isEmpty {
                throw SupportError("a chunk is longer than it says")
            }
        }
    }
}

/// Escapes everything that is not plain in any part of a URL.
func percentEncoded(_ text: String) -> String {
    let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
}

/// `name=value` pairs in a fixed order, each with its separator.
func query(_ first: (String, String), _ options: [String: String]) -> String {
    let pairs = [first] + options.sorted { $0.key < $1.key }
    return "?" + pairs.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
}
