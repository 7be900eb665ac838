import FoundationEssentials
import Semel

/// What is answered to which path: made when it is asked for, from one snapshot.
struct StatusPages: Sendable {
    struct Page: Sendable {
        var code = 200
        var type = "text/plain; charset=utf-8"
        var headers: [(String, String)] = []
        var body: String
    }

    let board: StatusBoard

    func answer(method: String, uri: String) -> Page {
        guard ["GET", "HEAD"].contains(method) else {
            return Page(code: 405, headers: [("allow", "GET, HEAD")], body: "only GET and HEAD\n")
        }
        let path = uri.prefix { $0 != "?" && $0 != "#" }
        return switch path {
        case "/get/status": Page(body: board.snapshot.worker.state.rawValue)
        case "/status": Page(type: "application/json", body: json())
        case "/healthz": health()
        case "/readyz": readiness()
        case "/metrics":
            Page(
                type: "text/plain; version=0.0.4; charset=utf-8",
                body: Metrics.text(board.snapshot))
        case "/":
            Page(
                type: "text/html; charset=utf-8",
                headers: [("content-security-policy", StatusPageHTML.securityPolicy)], body: StatusPageHTML.text)
        default:
            Page(code: 404, body: "no such page; there are /get/status /status /healthz /readyz /metrics and /\n")
        }
    }

    /// Dead is what cannot do its job any more: the claim is gone, while the task may still run; or the queue, for long.
    private func health() -> Page {
        if let ailment = board.snapshot.ailment { return Page(code: 503, body: "\(ailment)\n") }
        return Page(body: "ok\n")
    }

    private func readiness() -> Page {
        let snapshot = board.snapshot
        let isConnecting = snapshot.readiness == .connected
        return switch (snapshot.isReady, isConnecting) {
        case (true, false): Page(body: "claimed\n")
        case (false, false): Page(code: 503, body: "no message claimed yet\n")
        case (true, true): Page(body: "connected\n")
        case (false, true): Page(code: 503, body: "not connected to the queue\n")
        }
    }

    private func json() -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let document = StatusDocument(board.snapshot, output: board.lastOutput)
        guard let data = try? encoder.encode(document) else { return "{}" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}

/// `GET /status`. Times are RFC 3339, spans seconds; what is not known yet is left out.
private struct StatusDocument: Encodable {
    struct Lease: Encodable {
        var seconds: Double
        var extensions: Int
    }

    var state: WorkerState
    var queue: String
    var messageId: String?
    var attempt: Int?
    var maxAttempts: Int?
    var progress: Double?
    var note: String?
    var started: String
    var claimed: String?
    var deadline: String?
    var waitSeconds: Double
    var seconds: Double
    var lease: Lease?
    var claimLost: String?
    var outcome: Outcome?
    var reason: String?
    var outputBytes: Int
    var output: [String]
    var messages: [String: Int]?
    var version: String

    init(_ board: StatusBoard.Snapshot, output: [String]) {
        let status = board.worker
        func rounded(_ span: Duration) -> Double { Double(span.milliseconds) / 1_000 }
        state = status.state
        queue = status.queue
        messageId = status.messageID
        attempt = status.attempt
        maxAttempts = status.maxAttempts
        progress = status.progress
        note = status.note
        started = status.started.rfc3339
        claimed = status.claimed?.rfc3339
        deadline = status.deadline?.rfc3339
        waitSeconds = rounded(status.waited)
        seconds = rounded(status.ran)
        lease = status.lease.map { Lease(seconds: rounded($0), extensions: status.leaseExtensions) }
        claimLost = status.claimLost
        outcome = status.outcome
        reason = status.reason
        outputBytes = status.outputBytes
        self.output = output
        messages = board.messages.map { Dictionary(uniqueKeysWithValues: $0.map { ($0.rawValue, $1) }) }
        version = Version.current
    }
}
