/// A server that all tests of a process use: started at the first call, even if that is made by many at once, and
/// ended by the watchdog.
public actor SharedInstance<Server: Sendable> {
    private let start: @Sendable () async throws -> Server
    private var starting: Task<Server, any Error>?

    public init(_ start: @escaping @Sendable () async throws -> Server) {
        self.start = start
    }

    public func get() async throws -> Server {
        let task = starting ?? Task { try await start() }
        starting = task
        return try await task.value
    }
}
