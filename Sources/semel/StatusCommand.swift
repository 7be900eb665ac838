import FoundationEssentials
import Glibc
import Semel
import SemelStatusServer

/// `semel status [URL]`: asks a running worker, for probes and for people. A blocking socket is all that it needs.
enum StatusCommand {
    private static let patience = timeval(tv_sec: 3, tv_usec: 0)

    static func run(_ arguments: [String], _ environment: [String: String]) -> Int32 {
        guard arguments.count <= 1, arguments.first?.hasPrefix("-") != true else {
            StandardError.write("semel status: write semel status [URL], as in http://127.0.0.1:8082\n")
            return Outcome.usage.exitCode
        }
        do throws(ConfigurationError) {
            let address = try address(arguments.first, environment)
            guard let state = ask(address) else {
                StandardError.write("semel status: no worker answers at \(address.host):\(address.port)\n")
                return Outcome.unreachable.exitCode
            }
            print(state.rawValue)
            return state == .failed ? 1 : 0
        } catch {
            StandardError.write("semel status: \(error.description)\n")
            return error.outcome.exitCode
        }
    }

    private static func address(_ argument: String?, _ environment: [String: String]) throws(ConfigurationError)
        -> StatusAddress
    {
        if let argument {
            let url = URLComponents(string: argument.contains("://") ? argument : "http://\(argument)")
            guard let url, url.scheme == "http", let host = url.host, !host.isEmpty,
                let address = try? StatusAddress.parse("\(host):\(url.port ?? 8082)", source: "URL")
            else {
                throw .usage("‘\(argument)’ is not an address; write http://127.0.0.1:8082")
            }
            return address
        }
        let text =
            environment[Setting.statusAddress.variable].flatMap { $0.isEmpty ? nil : $0 } ?? Setting.statusAddress
            .standard ?? ""
        guard let address = try StatusAddress.parse(text, source: Setting.statusAddress.variable) else {
            throw ConfigurationError("the status endpoint is off (\(Setting.statusAddress.variable))")
        }
        // What listens everywhere is reached here.
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][address.host] ?? address.host
        return StatusAddress(host: host, port: address.port, source: address.source)
    }

    private static func ask(_ address: StatusAddress) -> WorkerState? {
        guard let socket = connect(address) else { return nil }
        defer { close(socket) }
        let request = Array("GET /get/status HTTP/1.0\r\nhost: \(address.host)\r\n\r\n".utf8)
        guard send(socket, request, request.count, CInt(MSG_NOSIGNAL)) == request.count else { return nil }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while answer.count < 1 << 16 {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        let text = String(decoding: answer, as: UTF8.self)
        guard text.hasPrefix("HTTP/1."), let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        return WorkerState(rawValue: String(text[end.upperBound...]))
    }

    private static func connect(_ address: StatusAddress) -> CInt? {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, String(address.port), &hints, &found) == 0 else { return nil }
        defer { freeaddrinfo(found) }
        var next = found
        while let info = next?.pointee {
            let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
            var limit = patience
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            if Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 { return descriptor }
            close(descriptor)
            next = info.ai_next
        }
        return nil
    }
}
