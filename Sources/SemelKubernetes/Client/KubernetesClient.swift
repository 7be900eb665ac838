import Semel

/// Talks to an API server as one user.
///
/// What has no effect of its own, or the same effect twice, is asked again when the connection breaks or the server fails;
/// anything is when the server says that it did not listen (429). A token that has expired is replaced once.
public final class KubernetesClient: Sendable {
    public let configuration: KubernetesConfiguration
    /// The namespace of whoever names none.
    public var namespace: String { configuration.namespace }

    /// For all tries of a request together.
    private let patience: Duration
    private let credentials: KubernetesCredentials
    private let http: KubernetesHTTP
    /// For answers that have no end: they are cut off when they have been silent for longer than a server keeps silent.
    private let streams: KubernetesHTTP
    private let warn: @Sendable (String) -> Void

    private static let mostTries = 10

    /// - Parameters:
    ///   - patience: For a request with all its repetitions.
    ///   - silence: After so much of it a watch is begun anew. API servers say something every minute.
    ///   - warn: Is told what the server says about a request that it carried out: deprecations, unknown fields.
    public init(
        _ configuration: KubernetesConfiguration, patience: Duration = .seconds(30), silence: Duration = .seconds(150),
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.patience = patience
        self.warn = warn
        credentials = KubernetesCredentials(configuration.login)
        http = KubernetesHTTP(configuration)
        streams = KubernetesHTTP(configuration, silence: silence)
    }

    public func close() async {
        await http.close()
        await streams.close()
    }

    /// A request and what is known about it.
    struct Call: Sendable {
        var action: KubernetesAction
        var method = "GET"
        var path: String
        var query: [(String, String)] = []
        var body: JSONValue?
        var contentType = "application/json"
        var accept = "application/json"
        /// Whether it does no harm to have it carried out twice.
        var isRepeatable = false

        var request: KubernetesHTTP.Request {
            var request = KubernetesHTTP.Request(
                method: method, path: path + URLText.query(query), headers: [("Accept", accept)])
            if let body {
                request.headers.append(("Content-Type", contentType))
                request.body = body.bytes
            }
            return request
        }
    }

    func json(_ call: Call) async throws(KubernetesError) -> JSONValue {
        let body = try await send(call)
        do throws(JSONError) {
            return try JSONValue(parsing: body)
        } catch {
            throw .unintelligible(call.action, error.description)
        }
    }

    /// The answer's body.
    func send(_ call: Call) async throws(KubernetesError) -> [UInt8] {
        let request = call.request
        return try await insist(call) { (identity, rest) async throws(KubernetesError) in
            let response = try await self.http.send(request, as: identity, within: rest)
            for warning in response.values("warning") { self.warn(Self.text(ofWarning: warning)) }
            try Self.check(response, call.action)
            return response.body
        }
    }

    /// An answer that is read as it comes.
    func open(_ call: Call) async throws(KubernetesError) -> KubernetesLines {
        let request = call.request
        return try await insist(call) { (identity, rest) async throws(KubernetesError) in
            var (response, body) = try await self.streams.open(request, as: identity, within: rest)
            guard (200..<300).contains(response.status) else {
                response.body = await Self.start(of: body)
                try Self.check(response, call.action)
                return KubernetesLines(body, self.streams)
            }
            return KubernetesLines(body, self.streams)
        }
    }

    private func insist<Answer>(
        _ call: Call, _ attempt: (KubernetesIdentity, Duration) async throws(KubernetesError) -> Answer
    ) async throws(KubernetesError) -> Answer {
        let end = ContinuousClock.now + patience
        var identity = try await credentials.current()
        var wasReplaced = false
        var tries = 0
        while true {
            do throws(KubernetesError) {
                return try await attempt(identity, max(end - .now, .milliseconds(1)))
            } catch {
                tries += 1
                if case .unauthorized = error, !wasReplaced,
                    let other = try await credentials.replacement(for: identity)
                {
                    wasReplaced = true
                    identity = other
                    continue
                }
                guard let pause = Self.pause(after: error, tries, call), ContinuousClock.now + pause < end else {
                    throw error
                }
                try await Self.sleep(pause)
            }
        }
    }

    /// How long to wait before the same is asked again; `nil` when it is not.
    private static func pause(after error: KubernetesError, _ tries: Int, _ call: Call) -> Duration? {
        guard tries < mostTries else { return nil }
        switch error {
        // The server has not even looked at it.
        case .tooManyRequests(_, let status): return status.retryAfter ?? .seconds(1)
        case .failing(_, let status):
            if let wished = status.retryAfter { return wished }
            return call.isRepeatable && tries < 4 ? backoff(tries) : nil
        case .unreachable: return call.isRepeatable && tries < 4 ? backoff(tries) : nil
        default: return nil
        }
    }

    /// 100 ms, then twice as long each time up to 10 s.
    static func backoff(_ tries: Int) -> Duration {
        min(.milliseconds(100 << min(tries - 1, 10)), .seconds(10))
    }

    static func sleep(_ pause: Duration) async throws(KubernetesError) {
        do {
            try await Task.sleep(for: pause)
        } catch {
            throw .cancelled
        }
    }

    private static func check(
        _ response: KubernetesHTTP.Response, _ action: KubernetesAction
    ) throws(KubernetesError) {
        guard !(200..<300).contains(response.status) else { return }
        let status = KubernetesStatus(
            code: response.status, body: response.body, retryAfter: response.retryAfter)
        throw KubernetesError(status, action)
    }

    /// `299 - "unknown field \"spec.x\""`
    private static func text(ofWarning header: String) -> String {
        guard let first = header.firstIndex(of: "\""), let last = header.lastIndex(of: "\""), first < last else {
            return header
        }
        let quoted = String(header[header.index(after: first)..<last])
        return quoted.replacing("\\\"", with: "\"").replacing("\\\\", with: "\\")
    }
}
