import FoundationEssentials
import Logging
import NIOCore
import Semel
import Synchronization

/// Asks SQS: signed requests of the AWS JSON protocol 1.0.
final class SQSClient: Sendable {
    let address: SQSAddress
    private let http: AWSHTTP
    private let chain: AWSCredentialChain
    private let signer: AWSSigner
    private let urls = Mutex<[String: String]>([:])

    /// How long an answer may take that is not waited for.
    static let patience = Duration.seconds(10)

    init(_ address: SQSAddress, on group: any EventLoopGroup, log: Logger) {
        self.address = address
        http = AWSHTTP(on: group, authorities: address.authorities)
        chain = AWSCredentialChain(
            address.environment, profile: address.profile, region: address.region, http: http, log: log)
        signer = AWSSigner(region: address.region, service: "sqs")
    }

    func close() async {
        await http.close()
    }

    // MARK: Queues

    /// The address's own queue.
    func queueURL(within limit: Duration = patience) async throws(SQSFailure) -> String {
        if let written = address.writtenURL { return written }
        if let account = address.account { return "\(address.endpoint.base)/\(account)/\(address.queueName)" }
        return try await url(of: address.queueName, within: limit)
    }

    /// SQS is asked once for each.
    func url(of queue: String, account: String? = nil, within limit: Duration = patience) async throws(SQSFailure)
        -> String
    {
        let key = "\(account ?? "")/\(queue)"
        if let known = urls.withLock({ $0[key] }) { return known }
        let answer: SQSWire.QueueUrl = try await call(
            "GetQueueUrl", SQSWire.GetQueueUrl(queueName: queue, queueOwnerAWSAccountId: account), within: limit)
        urls.withLock { $0[key] = answer.queueUrl }
        return answer.queueUrl
    }

    // MARK: Asking

    /// Asks once. Credentials that have just expired, or were changed where they come from, are replaced.
    func call<Answer: Decodable & Sendable>(
        _ action: String, _ input: some Encodable & Sendable, within limit: Duration = patience
    ) async throws(SQSFailure) -> Answer {
        let body: [UInt8]
        do { body = try SQSCoding.encode(input) } catch { throw .rejected(code: "\(error)", message: "") }
        let end = ContinuousClock.now + limit
        let credentials: AWSCredentials
        do throws(AWSCredentialFailure) { credentials = try await chain.credentials() } catch {
            throw SQSFailure(error)
        }
        let response: AWSHTTP.Response
        do throws(SQSFailure) {
            response = try await send(action, body, credentials, until: end)
        } catch {
            guard error.blamesCredentials, let others = await chain.credentials(insteadOf: credentials) else {
                throw error
            }
            response = try await send(action, body, others, until: end)
        }
        do {
            return try SQSCoding.decode(Answer.self, from: response.body.isEmpty ? Array("{}".utf8) : response.body)
        } catch {
            throw .busy("the answer to \(action) is not SQS'")
        }
    }

    /// Asks until there is an answer that is not about passing trouble.
    func insist<Answer: Decodable & Sendable>(
        _ action: String, _ input: some Encodable & Sendable, patience: Duration = patience,
        until end: ContinuousClock.Instant
    ) async throws(SQSFailure) -> Answer {
        var backoff = Backoff()
        while true {
            do throws(SQSFailure) {
                return try await call(action, input, within: min(patience, max(.milliseconds(100), end - .now)))
            } catch {
                guard error.isPassing, ContinuousClock.now < end, !Task.isCancelled else { throw error }
                try? await Life.sleep(for: min(backoff.next(), max(.zero, end - .now)))
            }
        }
    }

    private func send(
        _ action: String, _ body: [UInt8], _ credentials: AWSCredentials, until end: ContinuousClock.Instant
    ) async throws(SQSFailure) -> AWSHTTP.Response {
        let (now, endpoint) = (Timestamp.now, address.endpoint)
        let named = [
            (name: "host", value: endpoint.host), (name: "content-type", value: "application/x-amz-json-1.0"),
            (name: "x-amz-target", value: "AmazonSQS.\(action)"),
        ]
        let signature = signer.headers(
            for: AWSSigner.Request(method: "POST", path: endpoint.path, headers: named, body: body), credentials,
            at: now)
        let response: AWSHTTP.Response
        do throws(AWSHTTP.Failure) {
            response = try await http.send(
                AWSHTTP.Request(method: "POST", url: endpoint.text, headers: named + signature, body: body),
                within: max(.milliseconds(1), end - .now))
        } catch {
            throw SQSFailure(error)
        }
        guard response.status == 200 else { throw Self.failure(response, credentials, now) }
        return response
    }

    private static func failure(_ response: AWSHTTP.Response, _ credentials: AWSCredentials, _ now: Timestamp)
        -> SQSFailure
    {
        let told = try? SQSCoding.decode(SQSWire.Failure.self, from: response.body)
        // Whoever turns away strangers before SQS hears of them may do so in XML.
        let xml = told == nil ? String(decoding: response.body, as: UTF8.self) : ""
        let type = told?.type ?? response.header("x-amzn-errortype") ?? xml.element("Code") ?? ""
        // `com.amazonaws.sqs#QueueDoesNotExist:http://…`
        let code = type.split(separator: "#").last.map { String($0.prefix { $0 != ":" }) }
        let message = told?.message ?? xml.element("Message") ?? ""
        return SQSFailure(
            code: code ?? "HTTP status \(response.status)", message: message.onOneLine, response, credentials, now: now)
    }
}

/// Longer and longer waits between two attempts at the same request, each with a random part, so that many workers that
/// were turned away together do not come back together.
struct Backoff: Sendable {
    private var ceiling: Duration
    private let highest: Duration

    /// - Parameter highest: What no wait is longer than.
    init(to highest: Duration = .seconds(2)) {
        self.highest = highest
        ceiling = min(.milliseconds(100), highest)
    }

    /// While a lease lasts: there is time for several attempts.
    init(within lease: Duration) {
        self.init(to: min(lease / 10, .seconds(2)))
    }

    mutating func next() -> Duration {
        defer { ceiling = min(ceiling * 2, highest) }
        return ceiling * Double.random(in: 0.5...1)
    }
}

/// Between the names of ``SQSWire`` and those of SQS, which begin with a capital letter.
enum SQSCoding {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { return nil }
    }

    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        encoder.keyEncodingStrategy = .custom { path in
            let name = path.last?.stringValue ?? ""
            return Key(name.prefix(1).uppercased() + name.dropFirst())
        }
        return Array(try encoder.encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { path in
            let name = path.last?.stringValue ?? ""
            return Key(name.prefix(1).lowercased() + name.dropFirst())
        }
        return try decoder.decode(type, from: Data(bytes))
    }
}
