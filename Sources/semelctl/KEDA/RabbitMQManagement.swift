import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL
import Semel
import SemelKEDA

/// A queue's statistics from RabbitMQ's management API, asked for as KEDA does.
struct RabbitMQManagement {
    private static let patience = TimeAmount.seconds(10)
    private static let mostBytes = 16 << 20

    private let rabbitMQ: RabbitMQTrigger
    private let trigger: ResolvedTrigger
    private let url: String
    /// For messages: without credentials.
    private let place: String
    private let authorization: String?
    private let tls: TLSConfiguration

    init(_ rabbitMQ: RabbitMQTrigger, host: String, _ trigger: ResolvedTrigger) throws(CommandFailure) {
        self.rabbitMQ = rabbitMQ
        self.trigger = trigger
        tls = try TriggerTLS(rabbitMQ, trigger).configuration()
        guard let parts = URLComponents(string: host), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let name = parts.percentEncodedHost, !name.isEmpty
        else {
            throw TriggerReader.unreadable(trigger, "the host is no URL that begins with http:// or https://")
        }
        // A raw password with a ‘/’ or ‘?’ in it makes the rest of it a path, or the user a host.
        guard (try? QueueURL(host, source: "host")) != nil else {
            throw TriggerReader.unreadable(
                trigger,
                "the host is no URL like http://user:password@host:15672/vhost with a port from 1 to 65535; "
                    + "special characters have to be percent-encoded")
        }
        place = "\(scheme)://\(name)\(parts.port.map { ":\($0)" } ?? "")"
        url = place + Self.path(rabbitMQ, parts.percentEncodedPath)
        let user = try rabbitMQ.username.map { text throws(CommandFailure) in
            try TriggerReader.known(text, "username", trigger)
        }
        let password = try rabbitMQ.password.map { text throws(CommandFailure) in
            try TriggerReader.known(text, "password", trigger)
        }
        let credentials = (user ?? parts.user).map { "\($0):\(password ?? parts.password ?? "")" }
        authorization = credentials.map { "Basic \(Data($0.utf8).base64EncodedString())" }
    }

    /// The last part of the URL's path is the vhost, what is before it belongs to the API's own path.
    private static func path(_ rabbitMQ: RabbitMQTrigger, _ path: String) -> String {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let last = parts.popLast() ?? ""
        let vhost = rabbitMQ.vhostName.map { escaped($0) } ?? (last.isEmpty ? "%2F" : String(last))
        let above = parts.filter { !$0.isEmpty }.map { "/\($0)" }.joined()
        let name = escaped(rabbitMQ.queueName)
        guard rabbitMQ.useRegex else { return "\(above)/api/queues/\(vhost)/\(name)" }
        let query = "page=1&use_regex=true&pagination=false&name=\(name)&page_size=\(rabbitMQ.pageSize)"
        return "\(above)/api/queues/\(vhost)?\(query)"
    }

    /// As in a query, a space included, which KEDA uses in paths as well.
    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                String(Unicode.Scalar(byte))
            case UInt8(ascii: " "): "+"
            default: (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }

    func statistics() async throws(CommandFailure) -> RabbitMQStatistics {
        let body = try await get()
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            guard rabbitMQ.useRegex else { return try decoder.decode(QueueJSON.self, from: body).statistics }
            let page = try decoder.decode(PageJSON.self, from: body)
            guard (page.pageCount ?? 0) <= 1 else {
                throw failure("more queues match than fit into a page of \(rabbitMQ.pageSize)", .misconfigured)
            }
            let queues = (page.items ?? []).map(\.statistics)
            guard let all = RabbitMQStatistics(queues, operation: rabbitMQ.operation) else {
                throw failure("operation ‘\(rabbitMQ.operation)’ is not sum, max or avg", .misconfigured)
            }
            return all
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw failure("the answer is not that of RabbitMQ's management API", .misconfigured)
        }
    }

    private func get() async throws(CommandFailure) -> Data {
        let configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let answer: Result<Data, any Error>
        do { answer = .success(try await get(client)) } catch { answer = .failure(error) }
        // Fails only when it is ended twice.
        try? await client.shutdown()
        switch answer {
        case .success(let body): return body
        case .failure(let failure as CommandFailure): throw failure
        case .failure(let error): throw failure("cannot be reached: \(HTTPFailure.words(of: error))", .unreachable)
        }
    }

    private func get(_ client: HTTPClient) async throws -> Data {
        var request = HTTPClientRequest(url: url)
        if let authorization { request.headers.add(name: "Authorization", value: authorization) }
        let response = try await client.execute(request, timeout: Self.patience)
        switch response.status.code {
        case 200: return Data(buffer: try await response.body.collect(upTo: Self.mostBytes))
        case 401, 403: throw failure("refused: \(response.status.code) \(response.status.reasonPhrase)", .refused)
        case 404:
            throw failure(
                "no queue ‘\(rabbitMQ.queueName.onOneLine)’ (404); KEDA fails at it in every poll", .misconfigured)
        default: throw failure("answered \(response.status.code) \(response.status.reasonPhrase)", .unreachable)
        }
    }

    private func failure(_ reason: String, _ outcome: Outcome) -> CommandFailure {
        TriggerReader.unreachable(trigger, "RabbitMQ at \(place): \(reason)", outcome)
    }
}

private struct QueueJSON: Decodable {
    var messages: Int64?
    var messagesReady: Int64?
    var messageStats: Stats?

    struct Stats: Decodable {
        var publishDetails: Rate?
        var deliverGetDetails: Rate?
    }

    struct Rate: Decodable {
        var rate: Double?
    }

    var statistics: RabbitMQStatistics {
        RabbitMQStatistics(
            messages: messages ?? 0, messagesReady: messagesReady ?? 0,
            publishRate: messageStats?.publishDetails?.rate ?? 0,
            deliverGetRate: messageStats?.deliverGetDetails?.rate ?? 0)
    }
}

private struct PageJSON: Decodable {
    var items: [QueueJSON]?
    var pageCount: Int?
}
