/// A server that all tests of a process use: started at the first call, even if that is made by many at once, and
/// ended by the watchdog.
actor SharedInstance<Server: Sendable> {
    private let start: @Sendable () async throws -> Server
    private var starting: Task<Server, any Error>?

    init(_ start: @escaping @Sendable () async throws -> Server) {
        self.start = start
    }

    func get() async throws -> Server {
        let task = starting ?? Task { try await start() }
        starting = task
        return try await task.value
    }
}
