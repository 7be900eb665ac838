import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOFoundationEssentialsCompat
import Semel

/// The same as the pages, for programs. `Assets/openapi.json` describes it.
struct APIRoutes: Sendable {
    let board: Board
    let dead: DeadRoutes
    let enqueuing: EnqueueRoutes

    func add(to router: Router<ConsoleContext>) {
        router.get("/api/openapi.json") { _, _ -> Response in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.openapi_json)))
        }
        router.get("/api/queues") { _, _ -> Response in .json(["queues": await queues()]) }
        router.get("/api/history") { request, _ -> Response in
            let queue = try board.queue(request.query.text("queue"))
            return .json(["samples": await queue.history])
        }
        router.get("/api/workers") { request, _ -> Response in .json(await workers(request.query)) }
        router.get("/api/decisions") { _, _ -> Response in
            let decisions = await board.decisions?.decisions(jobs: board.unfinishedJobs()) ?? []
            return .json(["decisions": decisions])
        }
        addDead(to: router)
        router.post("/api/messages") { request, context -> Response in
            try Self.checkThatItIsOurs(request, context)
            let query = request.query
            let queue = try board.queue(query.text("queue"))
            let body = try await request.body.collect(upTo: EnqueueRoutes.mostBytes)
            try await enqueuing.enqueue(
                Array(buffer: body), id: query.text("id"), type: request.headers[.contentType],
                headers: query.text("headers"), queue, context)
            return .json(["messages": 1], status: .created)
        }
    }

    private func addDead(to router: Router<ConsoleContext>) {
        router.get("/api/dead") { request, _ -> Response in
            let query = request.query
            let queue = try board.queue(query.text("queue"))
            guard let shelf = await queue.letters.shelf.latest() else {
                throw HTTPError(.serviceUnavailable, message: "the dead letters are being read; ask again")
            }
            return .json(DeadPage(shelf, reason: query.text("reason"), page: query.text("page")))
        }
        router.get("/api/dead/letter") { request, _ -> Response in
            .json(DeadLetterDocument(try await letter(request), withBody: true))
        }
        router.get("/api/dead/body") { request, _ -> Response in
            let letter = try await letter(request)
            // Never as what it says it is: it could be a page.
            return Response(
                status: .ok,
                headers: [
                    .contentType: "application/octet-stream", .contentDisposition: "attachment; filename=\"body\"",
                ],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: letter.body)))
        }
        router.post("/api/dead/retry") { request, context -> Response in try await change(.retry, request, context) }
        router.post("/api/dead/drop") { request, context -> Response in try await change(.drop, request, context) }
    }

    private func letter(_ request: Request) async throws -> StoredDeadLetter {
        let query = request.query
        let queue = try board.queue(query.text("queue"))
        let id = query.text("id") ?? ""
        guard let letter = try await queue.letters.letter(id) else {
            throw HTTPError(.notFound, message: "there is no dead letter ‘\(id)’ in \(queue.queue.slug)")
        }
        return letter
    }

    private struct Wish: Decodable {
        var queue: String?
        var ids: [String]?
        var reason: String?
        var all: Bool?
    }

    private func change(
        _ action: DeadLetterAction, _ request: Request, _ context: ConsoleContext
    ) async throws -> Response {
        try Self.checkThatItIsOurs(request, context)
        let body = try await request.body.collect(upTo: 1 << 20)
        guard let wish = try? JSONDecoder().decode(Wish.self, from: body) else {
            throw HTTPError(
                .badRequest,
                message: #"the body has to be like {"queue": "a", "ids": ["x"]}, or with "reason" or "all""#)
        }
        let ways = [wish.ids != nil, wish.reason != nil, wish.all != nil].count { $0 }
        guard ways == 1, wish.all != false else {
            throw HTTPError(.badRequest, message: #"one of "ids", "reason" and "all": true has to be there"#)
        }
        // What a script has left empty by mistake must not mean everything.
        guard wish.reason != "" else {
            throw HTTPError(.badRequest, message: #"reason: is empty; for all of them, say "all": true"#)
        }
        let queue = try board.queue(wish.queue)
        let selection = DeadLetterSelection(ids: wish.ids.map(Set.init), reason: wish.reason)
        let count = try await dead.carryOut(DeadChange(action: action, selection: selection), on: queue, context)
        return .json(["changed": count])
    }

    private static func checkThatItIsOurs(_ request: Request, _ context: ConsoleContext) throws {
        guard let visitor = context.visitor,
            visitor.isProgram || Sessions.isFormToken(request.header("X-Form-Token") ?? "", of: visitor)
        else {
            throw HTTPError(
                .forbidden, message: "a browser has to send the X-Form-Token of one of this console's pages")
        }
    }

    private func queues() async -> [QueueDocument] {
        await board.readings().map { QueueDocument($0.queue, $0.reading) }
    }

    private func workers(_ query: FlatDictionary<Substring, Substring>) async -> WorkersPage {
        WorkersPage(
            await board.knownWorkers() ?? WorkersReading(), state: query.text("state"), page: query.text("page"))
    }
}

private struct QueueDocument: Encodable {
    var slug: String
    var name: String
    var ready: Int?
    var claimed: Int?
    var delayed: Int?
    var dead: Int?
    var oldestSeconds: Double?
    var warning: String?
    var time: String?
    var problem: String?

    init(_ queue: ConsoleQueue, _ reading: QueueReading?) {
        (slug, name) = (queue.slug, queue.name)
        let counts = reading?.counts
        (ready, claimed, delayed, dead) = (counts?.ready, counts?.claimed, counts?.delayed, counts?.dead)
        (oldestSeconds, warning) = (counts?.oldestSeconds, counts?.warning)
        (time, problem) = (reading?.time?.rfc3339, reading?.presentProblem)
    }
}

private struct WorkersPage: Encodable {
    var workers: [WorkerDocument]
    var total: Int
    var page: Int
    var pages: Int
    var ended: [EndedWorkerDocument]
    var jobs: [String: JobCounts]?
    var time: String?
    var problem: String?

    init(_ reading: WorkersReading, state: String?, page: String?) {
        let all = reading.workers.filter { state == nil || $0.state == state }
        let paging = Paging(page, of: all.count)
        (workers, total) = (Array(all[paging.range]), all.count)
        (self.page, pages) = (paging.number, paging.count)
        (ended, jobs, time, problem) = (reading.ended, reading.jobs, reading.time?.rfc3339, reading.problem)
    }
}

private struct DeadPage: Encodable {
    var letters: [DeadLetterDocument]
    var total: Int
    var page: Int
    var pages: Int
    /// Not all have been read yet, or there are more than are shown.
    var isPartial: Bool
    var time: String
    var problem: String?

    init(_ shelf: DeadLetterShelf, reason: String?, page: String?) {
        let selection = DeadLetterSelection(reason: reason)
        let found = shelf.letters.filter { selection.contains($0.stored) }
        let paging = Paging(page, of: found.count)
        letters = found[paging.range].map { DeadLetterDocument($0.stored, withBody: false, bytes: $0.bytes) }
        (total, self.page, pages) = (found.count, paging.number, paging.count)
        isPartial = shelf.isGrowing || shelf.hasMore
        (time, problem) = (shelf.time.rfc3339, shelf.problem)
    }
}
