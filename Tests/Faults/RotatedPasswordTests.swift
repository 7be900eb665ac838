import TestSupport
import Testing

/// A password that changes while a worker runs. What is in a file is read for every connection; a Secret that is mounted
/// changes under a running pod.
@Suite(.throttled)
struct RotatedPasswordTests {
    enum File: CaseIterable { case password, url }

    private static let next = "n3xt/p@ssword"

    /// Changes the password while the worker holds a message whose task then fails: its retry is published on a connection
    /// of its own.
    private func end(_ file: File, isRewritten: Bool, _ queue: RabbitMQUnderTest) async throws -> WorkerEnd {
        let directory = try TemporaryDirectory("secret")
        let path = directory.path("secret")
        let (scheme, rest) = ("amqp://", "127.0.0.1:\(queue.server.port)/%2F?queue=\(queue.queue)")
        func write(_ password: String) throws {
            switch file {
            case .password: try directory.write("\(password)\n", to: "secret", mode: 0o600)
            case .url:
                let escaped = password.utf8.map { "%" + String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
                    .joined()
                try directory.write("\(scheme)\(queue.user):\(escaped)@\(rest)\n", to: "secret", mode: 0o600)
            }
        }
        try write(Credentials.password)
        let notes = try Notes()
        try await queue.put("m")
        let flags =
            switch file {
            case .password: ["--queue", "\(scheme)\(queue.user)@\(rest)&passwordFile=\(path)"]
            case .url: ["--queue-file", path]
            }
        let worker = try Worker(
            url: nil, flags + ["--wait", "30s", "--status-address", "off", "--retry-delay", "1h"], environment: [:],
            secrets: queue.secrets + [Self.next], task: notes.held(exit: 3), queue: queue, defaults: [])
        try await worker.waitForTask()
        try await queue.server.createUser(queue.user, password: Self.next)
        if isRewritten { try write(Self.next) }
        try notes.allow()
        return try await worker.end()
    }

    @Test(arguments: File.allCases)
    func theFileIsReadAgain(_ file: File) async throws {
        let queue = try await RabbitMQUnderTest(.quorum)
        try await end(file, isRewritten: true, queue).expect(75, "retry", attempt: 1)
        try await queue.waitUntilLeft(Left(delayed: 1))
    }

    /// So that the test above means something.
    @Test(arguments: File.allCases)
    func theOldPasswordOpensNoOtherConnection(_ file: File) async throws {
        let queue = try await RabbitMQUnderTest(.quorum)
        try await end(file, isRewritten: false, queue).expect(75, "retry", attempt: 1, saying: "ACCESS_REFUSED")
        try await queue.waitUntilLeft(.oneReady)
    }
}
