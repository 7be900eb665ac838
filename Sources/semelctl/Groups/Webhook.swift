import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Semel
import SemelGroups
import SemelKEDA

/// Where alarms are posted. Its URL is a secret and is in no message.
struct Webhook {
    private static let variable = "SEMEL_GROUPS_WEBHOOK"
    private static let patience = TimeAmount.seconds(10)
    /// Slack cuts a message off that is longer than 40,000 characters.
    private static let mostAlarms = 50

    private let url: String
    /// Which setting it is from.
    private let source: String

    /// `nil` when nobody names one.
    static func named(file: String?, _ environment: [String: String]) throws(CommandFailure) -> Webhook? {
        if let file {
            let source = "--webhook-file"
            let text = try CommandFailure.wrapping { () throws(ConfigurationError) in
                try SecretFile.read(file, source: source)
            }
            return try Webhook(text, source: source)
        }
        guard let text = environment[variable], !text.isEmpty else { return nil }
        return try Webhook(text, source: variable)
    }

    private init(_ text: String, source: String) throws(CommandFailure) {
        url = text.trimmingCharacters(in: .whitespacesAndNewlines)
        self.source = source
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), parts.host?.isEmpty == false
        else { throw .misconfigured("\(source): is no URL that begins with https:// or http://") }
    }

    func post(_ alarms: [Alarm], _ groups: String) async throws(CommandFailure) {
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))
        let answer: Result<HTTPResponseStatus, any Error>
        do { answer = .success(try await post(alarms, groups, client)) } catch { answer = .failure(error) }
        // Fails only when it is ended twice.
        try? await client.shutdown()
        switch answer {
        case .success(let status):
            guard (200..<300).contains(status.code) else {
                throw failure("answered \(status.code) \(status.reasonPhrase)")
            }
        case .failure(let error): throw failure("cannot be reached: \(HTTPFailure.words(of: error))")
        }
    }

    /// The first status that is not that of success, or the last one.
    private func post(_ alarms: [Alarm], _ groups: String, _ client: HTTPClient) async throws -> HTTPResponseStatus {
        var status = HTTPResponseStatus.ok
        for start in stride(from: 0, to: alarms.count, by: Self.mostAlarms) {
            let part = Array(alarms[start..<min(start + Self.mostAlarms, alarms.count)])
            var request = HTTPClientRequest(url: url)
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: GroupText.webhook(part, groups: groups)))
            let response = try await client.execute(request, timeout: Self.patience)
            _ = try? await response.body.collect(upTo: 1 << 16)
            status = response.status
            guard (200..<300).contains(status.code) else { break }
        }
        return status
    }

    private func failure(_ reason: String) -> CommandFailure {
        CommandFailure("the webhook of \(source) \(reason); it is tried again at the next look", .unreachable)
    }
}
