import Foundation
import TestSupport

/// A server that takes what is posted to it, one line each on its standard output, behind the line with its port.
final class WebhookReceiver: Sendable {
    private let process: RunningProcess
    let url: String

    /// - Parameters:
    ///   - refusing: How many posts are not taken, to begin with.
    ///   - status: How they are answered.
    init(refusing: Int = 0, with status: Int = 503) async throws {
        let script = """
            import http.server, sys
            left, status = int(sys.argv[1]), int(sys.argv[2])
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_POST(self):
                    global left
                    body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                    if left > 0:
                        left -= 1
                        self.send_response(status)
                        self.send_header("Location", "/services/s3cret/moved")
                        self.send_header("Retry-After", "1")
                    else:
                        print(self.headers["Content-Type"], body, flush=True)
                        self.send_response(200)
                    self.end_headers()
                def log_message(self, *words):
                    pass
            server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
            print(server.server_port, flush=True)
            server.serve_forever()
            """
        let process = try RunningProcess(.installed("python3"), ["-c", script, "\(refusing)", "\(status)"])
        self.process = process
        try await eventually("the receiver listens: \(process.report)") { process.stdout.text.contains("\n") }
        let port = process.stdout.text.split(separator: "\n").first ?? ""
        url = "http://127.0.0.1:\(port)/services/s3cret"
    }

    deinit {
        process.killGroup()
    }

    /// The texts of the messages that it took.
    func texts() throws -> [String] {
        try process.stdout.text.split(separator: "\n").dropFirst().map { line in
            let prefix = "application/json "
            guard line.hasPrefix(prefix) else { throw SupportError("\(line)") }
            let object = try JSONSerialization.jsonObject(with: Data(line.dropFirst(prefix.count).utf8))
            guard let fields = object as? [String: String], fields.count == 1, let text = fields["text"] else {
                throw SupportError("\(line)")
            }
            return text
        }
    }
}
