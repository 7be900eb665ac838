import TestSupport

extension Worker {
    /// Unless a test says otherwise: no port, and no waiting longer than needed.
    private static let defaults: Defaults = [
        ("--status-address", "off"), ("--wait", "30s"), ("--retry-delay", "100ms"),
    ]

    convenience init(
        url: String? = nil, _ flags: [String] = [], environment: [String: String] = [:], secrets: [String] = [],
        task: [String]? = nil
    ) throws {
        try self.init(
            url: url, flags, environment: environment, secrets: secrets, task: task, queue: nil,
            defaults: Self.defaults)
    }

    /// Starts a worker on a queue.
    convenience init(
        _ queue: any QueueUnderTest, _ flags: [String] = [], environment: [String: String] = [:], task: [String]
    ) throws {
        try self.init(
            url: queue.url, flags, environment: environment, secrets: queue.secrets, task: task, queue: queue,
            defaults: Self.defaults)
    }

    /// Runs a worker from start to end.
    static func run(
        _ queue: any QueueUnderTest, _ flags: [String] = [], environment: [String: String] = [:], task: [String],
        timeout: Duration = .seconds(90)
    ) async throws -> WorkerEnd {
        try await Worker(queue, flags, environment: environment, task: task).end(timeout: timeout)
    }
}
