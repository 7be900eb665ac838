import HTTPTypes
import Hummingbird
import HummingbirdCore
import Semel
import SemelKubernetes

/// The pages that only show.
struct PageRoutes: Sendable {
    let board: Board
    let pages: Pages
    let isReadOnly: Bool

    func add(to router: Router<ConsoleContext>) {
        router.get("/") { _, context -> Response in
            let live = await overview()
            return pages.page("overview", ["live": live], title: "Overview", at: "/", context.visitor)
        }
        router.get("/workers") { request, context -> Response in
            let query = request.query
            let (state, page) = (query.text("state"), query.text("page"))
            let address = "/events/workers" + URLText.query(Self.query(state, page))
            let view = WorkersView(
                state: state, liveAddress: address, live: await workers(state: state, page: page))
            return pages.page("workers", view, title: "Workers", at: "/workers", context.visitor)
        }
        router.get("/dead") { _, _ -> Response in
            guard let first = board.queues.first else { throw HTTPError(.notFound) }
            return .redirect(to: "/queues/\(first.queue.slug)/dead", type: .normal)
        }
        router.get("/queues/:queue/dead") { request, context -> Response in
            let queue = try board.queue(context.parameters.get("queue"))
            let query = request.query
            let view = DeadView(
                queue.queue, among: board.queues.map(\.queue), await queue.letters.shelf.latest(),
                reason: query.text("reason"), page: query.text("page"), mayChange: !isReadOnly,
                formToken: context.visitor?.formToken ?? "")
            var response = pages.page(
                "dead", view, title: "Dead letters of \(queue.queue.slug)", at: "/dead", context.visitor,
                notice: Notice(query)?.text)
            // In seconds; nothing is chosen on an empty page that could be lost.
            if view.isLoading, let refresh = HTTPField.Name("Refresh") { response.headers[refresh] = "2" }
            return response
        }
        router.get("/queues/:queue/message") { request, context -> Response in
            let queue = try board.queue(context.parameters.get("queue"))
            let query = request.query
            let id = query.text("id") ?? ""
            guard let letter = try await queue.letters.letter(id) else {
                throw HTTPError(.notFound, message: "there is no dead letter ‘\(id)’ in \(queue.queue.slug) any more")
            }
            let view = MessageView(
                queue.queue, letter, view: query.text("view").flatMap { MessageView.BodyView(rawValue: $0) },
                mayChange: !isReadOnly, formToken: context.visitor?.formToken ?? "")
            return pages.page(
                "message", view, title: "Message \(id)", at: "/dead", context.visitor)
        }
        router.get("/decision") { _, context -> Response in
            let decisions = await board.decisions?.decisions(jobs: board.unfinishedJobs())
            let view = DecisionView(
                isUnconfigured: decisions == nil, decisions: (decisions ?? []).map { DecisionView.Decision($0) })
            return pages.page("decision", view, title: "Decision", at: "/decision", context.visitor)
        }
        router.get("/events/overview") { _, _ -> Response in
            .events { await overview() }
        }
        router.get("/events/workers") { request, _ -> Response in
            let query = request.query
            let (state, page) = (query.text("state"), query.text("page"))
            return .events { await workers(state: state, page: page) }
        }
    }

    private func overview() async -> String {
        async let workers = board.knownWorkers()
        let queues = await board.readings()
        return await pages.fragment("overview_live", OverviewView(queues, board.source, workers))
    }

    private func workers(state: String?, page: String?) async -> String {
        let reading = await board.knownWorkers()
        return pages.fragment("workers_live", WorkersLiveView(board.source, reading, state: state, page: page))
    }

    private static func query(_ state: String?, _ page: String?) -> [(String, String)] {
        [("state", state), ("page", page)].compactMap { name, value in value.map { (name, $0) } }
    }
}

extension FlatDictionary<Substring, Substring> {
    /// `nil` when it is not there, or empty.
    func text(_ name: String) -> String? {
        self[Substring(name)].flatMap { $0.isEmpty ? nil : String($0) }
    }
}

/// What has been done, told on the page to which it leads.
struct Notice {
    let text: String

    static func query(_ action: DeadLetterAction, _ count: Int) -> [(String, String)] {
        [(action == .drop ? "dropped" : "retried", "\(count)")]
    }

    /// Only a number is taken from the address, so that nobody's link says anything else here.
    init?(_ query: FlatDictionary<Substring, Substring>) {
        for (name, word) in [("retried", "back in the queue"), ("dropped", "dropped"), ("queued", "in the queue")] {
            guard let count = query.text(name).flatMap({ Int($0) }), count >= 0 else { continue }
            text =
                count == 0
                ? "Nothing was changed: the messages were gone already." : "\(HumanText.messages(count)) \(word)."
            return
        }
        return nil
    }
}
