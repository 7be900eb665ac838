import HTTPTypes
import Hummingbird
import HummingbirdCore
import Semel
import SemelKubernetes

/// What is to become of which dead letters.
struct DeadChange: Sendable {
    var action: DeadLetterAction
    var selection: DeadLetterSelection

    var name: String { action == .drop ? "drop" : "retry" }
}

/// Retries and drops dead letters.
struct DeadRoutes: Sendable {
    let board: Board
    let pages: Pages
    let audit: Audit

    func add(to router: Router<ConsoleContext>) {
        for (path, action) in [("/dead/retry", DeadLetterAction.retry), ("/dead/drop", .drop)] {
            router.post(RouterPath(path)) { request, context -> Response in
                try await answer(action, request, context)
            }
        }
    }

    /// What is gone for good, or is all of them, is asked for once more.
    private func answer(
        _ action: DeadLetterAction, _ request: Request, _ context: ConsoleContext
    ) async throws -> Response {
        let form = try await Form(request, context)
        let queue = try board.queue(form["queue"])
        let ids = form.all("id")
        let isAll = form["all"] != nil
        let reason = form["reason"]
        let list = "/queues/\(queue.queue.slug)/dead"
        guard isAll || !ids.isEmpty else {
            throw HTTPError(.badRequest, message: "no message was chosen: go back and choose some, or all")
        }
        let change = DeadChange(
            action: action,
            selection: isAll ? DeadLetterSelection(reason: reason) : DeadLetterSelection(ids: Set(ids)))
        if (isAll || action == .drop) && form["confirmed"] == nil {
            let seen = await queue.letters.shelf.latest()?.letters.count { change.selection.contains($0.stored) }
            let view = ConfirmView(change, queue.queue, seen: seen, formToken: context.visitor?.formToken ?? "")
            return pages.page("confirm", view, title: "Are you sure?", at: "/dead", context.visitor)
        }
        let count = try await carryOut(change, on: queue, context)
        let query = (isAll ? [] : reason.map { [("reason", $0)] } ?? []) + Notice.query(action, count)
        return .redirect(to: list + URLText.query(query), type: .found)
    }

    func carryOut(
        _ change: DeadChange, on queue: WatchedQueue, _ context: ConsoleContext
    ) async throws -> Int {
        var entry = Audit.Entry(
            audit: change.name, user: context.visitor?.name ?? "", queue: queue.queue.name,
            ids: change.selection.ids?.sorted(), reason: change.selection.reason)
        let changed = ChangeCount()
        do throws(QueueFailure) {
            let count = try await queue.letters.change(change.selection, change.action, counting: changed)
            entry.messages = count
            await audit(entry)
            await queue.counts.refresh()
            return count
        } catch {
            (entry.messages, entry.problem) = (changed.value, error.reason)
            await audit(entry)
            throw error
        }
    }
}
