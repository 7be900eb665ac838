import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Semel
import SemelKubernetes

/// Puts messages into queues.
struct EnqueueRoutes: Sendable {
    let board: Board
    let pages: Pages
    let audit: Audit

    static let mostBytes = 16 << 20

    func add(to router: Router<ConsoleContext>) {
        router.get("/enqueue") { request, context -> Response in
            let query = request.query
            return page(query.text("queue"), nil, nil, context, notice: Notice(query)?.text)
        }
        router.post("/enqueue") { request, context -> Response in
            let form = try await Form(request, context, upTo: Self.mostBytes)
            let queue = try board.queue(form["queue"])
            // Browsers end a line with both of the characters that have ever ended one.
            let body = Array((form["body"] ?? "").replacing("\r\n", with: "\n").utf8)
            do {
                try await enqueue(body, id: form["id"], type: form["type"], headers: form["headers"], queue, context)
            } catch let error as HTTPError {
                return page(queue.queue.slug, form, error.body, context, status: error.status)
            } catch let failure as QueueFailure {
                return page(queue.queue.slug, form, failure.reason, context, status: failure.status)
            }
            return .redirect(
                to: "/enqueue" + URLText.query([("queue", queue.queue.slug), ("queued", "1")]), type: .found)
        }
    }

    private func page(
        _ slug: String?, _ form: Form?, _ problem: String?, _ context: ConsoleContext, notice: String? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let view = EnqueueView(
            board.queues.map(\.queue), chosen: slug, form, problem: problem,
            formToken: context.visitor?.formToken ?? "")
        return pages.page(
            "enqueue", view, title: "Enqueue", at: "/enqueue", context.visitor, notice: notice, status: status)
    }

    /// - Parameter headers: `name: value`, one a line.
    func enqueue(
        _ body: [UInt8], id: String?, type: String?, headers: String?, _ queue: WatchedQueue,
        _ context: ConsoleContext
    ) async throws {
        var named: [String: String] = [:]
        for line in (headers ?? "").split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                throw HTTPError(.badRequest, message: "headers: ‘\(line)’ is not of the form ‘name: value’")
            }
            let value = String(line[line.index(after: colon)...].drop { $0 == " " })
            guard named.updateValue(value, forKey: String(line[..<colon])) == nil else {
                throw HTTPError(.badRequest, message: "headers: ‘\(line[..<colon])’ is given twice")
            }
        }
        var entry = Audit.Entry(
            audit: "enqueue", user: context.visitor?.name ?? "", queue: queue.queue.name, ids: id.map { [$0] })
        do throws(QueueFailure) {
            try await queue.enqueue(OutgoingMessage(body: body, id: id, contentType: type, headers: named))
            entry.messages = 1
            await audit(entry)
        } catch {
            entry.problem = error.reason
            await audit(entry)
            throw error
        }
    }
}
