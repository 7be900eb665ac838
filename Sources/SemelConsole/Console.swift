import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import Semel
import ServiceLifecycle

/// A web page for operators: queues, workers, dead letters.
public struct Console: Sendable {
    public struct Settings: Sendable {
        public var host: String
        /// 0 for any that is free.
        public var port: Int
        public var access: ConsoleAccess
        public var isReadOnly: Bool

        public init(host: String, port: Int, access: ConsoleAccess, isReadOnly: Bool) {
            (self.host, self.port, self.access, self.isReadOnly) = (host, port, access, isReadOnly)
        }
    }

    /// For a connection on which nothing is asked.
    private static let idle = TimeAmount.seconds(60)

    /// For answers that were begun when the console is to stop, and then for letters that are in its hands: together well
    /// below the 30 s after which Kubernetes kills.
    private static let grace = Duration.seconds(10)
    private static let graceForLetters = Duration.seconds(8)

    private let settings: Settings
    private let board: Board
    private let audit: Audit
    private let log: Logger

    /// - Parameter audit: Takes a line, with its line feed, for every change.
    public init(
        _ settings: Settings, queues: [ConsoleQueue], workers: WorkerSource, decisions: (any DecisionSource)?,
        log: Logger, audit: @escaping @Sendable (String) -> Void
    ) {
        (self.settings, self.log) = (settings, log)
        board = Board(queues, workers, decisions, log: log)
        self.audit = Audit(write: audit)
    }

    /// Serves until `stop` returns; answers that were begun are finished then.
    ///
    /// - Parameter started: Is told the port.
    /// - Throws: What Hummingbird throws when the address cannot be used.
    public func run(
        started: @escaping @Sendable (_ port: Int) -> Void, stop: @escaping @Sendable () async -> Void
    ) async throws {
        let application = Application(
            router: try router(), server: .http1(configuration: .init(idleTimeout: Self.idle)),
            configuration: .init(address: .hostname(settings.host, port: settings.port), serverName: nil),
            onServerRunning: { started($0.localAddress?.port ?? 0) }, logger: log)
        var configuration = ServiceGroupConfiguration(services: [application], logger: log)
        configuration.maximumGracefulShutdownDuration = Self.grace
        let group = ServiceGroup(configuration: configuration)
        let isStopping = OneShot<Bool>()
        let ended = OneShot<Bool>()
        let reading = Task {
            await board.run()
            ended.fulfil(true)
        }
        defer { reading.cancel() }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                await stop()
                isStopping.fulfil(true)
                await group.triggerGracefulShutdown()
            }
            defer { tasks.cancelAll() }
            do {
                try await group.run()
            } catch  where isStopping.value == true {
                // Somebody sends or reads too slowly to be waited for.
            }
        }
        reading.cancel()
        // A broker that does not answer keeps nobody from stopping.
        _ = await ended.wait(atMost: Self.graceForLetters)
    }

    /// `GET /api/queues`, for the test that holds the description of the API against them.
    package var routes: [String] {
        get throws { try router().routes.map { "\($0.method) \($0.path)" } }
    }

    private func router() throws -> Router<ConsoleContext> {
        let pages = try Pages(isReadOnly: settings.isReadOnly)
        let sessions = Sessions(settings.access)
        let router = Router(context: ConsoleContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: AnswerMiddleware(pages: pages))
        router.add(
            middleware: AccessMiddleware(
                access: settings.access, sessions: sessions, audit: audit, isReadOnly: settings.isReadOnly))
        router.get("/healthz") { _, _ in "ok\n" }
        for file in Assets.files {
            router.get(RouterPath("/assets/\(file.name)")) { _, _ -> Response in
                Response(
                    status: .ok, headers: [.contentType: file.type, .cacheControl: "max-age=300"],
                    body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes)))
            }
        }
        if case .token = settings.access {
            SignInRoutes(pages: pages, sessions: sessions, audit: audit).add(to: router)
        }
        PageRoutes(board: board, pages: pages, isReadOnly: settings.isReadOnly).add(to: router)
        let dead = DeadRoutes(board: board, pages: pages, audit: audit)
        let enqueuing = EnqueueRoutes(board: board, pages: pages, audit: audit)
        dead.add(to: router)
        enqueuing.add(to: router)
        APIRoutes(board: board, dead: dead, enqueuing: enqueuing).add(to: router)
        return router
    }
}
