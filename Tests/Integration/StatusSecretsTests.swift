import Foundation
import Glibc
import TestSupport
import Testing

/// What the endpoint, the log and the task must never show; and that it shows when a claim is lost.
@Suite(.oneLane)
struct StatusSecretsTests {
    private static let pages = ["/get/status", "/status", "/healthz", "/readyz", "/metrics", "/"]

    /// Ways to tell a worker its password.
    enum Way: CaseIterable { case flag, variable, separateVariables }

    @Test(arguments: Way.allCases)
    func noPasswordAndNoBody(_ way: Way) async throws {
        let password = ["pa55", "w0rd", "of", "redis"].joined(separator: "-")
        let redis = try await RedisServer.start(password: password)
        try await redis.command("RPUSH", "secrets", "a-b0dy-of-nobodys-business")
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let url = redis.url(list: "secrets")
        var flags = ["--status-address", "127.0.0.1:\(port)", "--linger", "1h", "--log-level", "trace"]
        var environment = ["SEMEL_QUEUE": ""]
        switch way {
        case .flag: flags += ["--queue", url]
        case .variable: environment["SEMEL_QUEUE"] = url
        case .separateVariables:
            environment["REDIS_HOST"] = "127.0.0.1"
            environment["REDIS_PORT"] = "\(redis.port)"
            environment["REDIS_PASSWORD"] = password
            environment["REDIS_LIST"] = "secrets"
        }
        // The worker's own command line is its starter's affair; the task's environment and its log are not.
        let task = spool.script("env >variables; cat >input; echo >started; await go; exit 1")
        let worker = try spool.start(flags, task: task, environment: environment)
        try await spool.waitForNote("started")

        func expectNoSecrets() async throws {
            for page in Self.pages {
                let text = try await HTTP.get(port: port, path: page).text
                #expect(!text.contains(password) && !text.contains("a-b0dy"), "\(page)")
            }
        }
        try await expectNoSecrets()
        let status = try #require(await HTTP.get(port: port, path: "/status").json() as? [String: Any])
        #expect(status["queue"] as? String == "redis://127.0.0.1:\(redis.port)/0?list=secrets")
        let lease = try #require(status["lease"] as? [String: Any])
        #expect(lease["seconds"] as? Double == 30)
        try spool.release("go")
        try await eventually(timeout: .seconds(60), "it is over") {
            try await HTTP.get(port: port, path: "/get/status").text == "FAILED"
        }
        try await expectNoSecrets()
        worker.send(SIGTERM)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(75))
        #expect(spool.note("input") == "a-b0dy-of-nobodys-business")
        #expect(!spool.note("variables").contains(password))
        #expect(spool.note("variables").contains("SEMEL_QUEUE=redis://127.0.0.1:\(redis.port)/0?list=secrets\n"))
        for text in [worker.stdout.text, worker.stderr.text, spool.note("termination-log")] {
            #expect(!text.contains(password) && !text.contains("a-b0dy"))
        }
    }

    /// Kubernetes should hear of a worker that can no longer do its job, even while its task goes on.
    @Test func unhealthyWhenTheClaimIsLost() async throws {
        let server = try await RabbitMQServer.start()
        let queue = "task-claim-lost"
        try await server.declareQueue(queue, type: .quorum)
        try await server.publish("body", to: queue)
        let spool = try TaskSpool([:])
        let port = try FreePort.next()
        let worker = try spool.start(
            ["--on-lost", "finish", "--status-address", "127.0.0.1:\(port)", "--linger", "1h"],
            task: spool.script("echo >started; await go"), environment: ["SEMEL_QUEUE": server.url(queue: queue)])
        try await spool.waitForNote("started")
        #expect(try await HTTP.get(port: port, path: "/healthz").status == 200)
        try await server.closeConnections(reason: "maintenance")
        try await eventually(timeout: .seconds(60), "the loss is told") {
            try await HTTP.get(port: port, path: "/healthz").status == 503
        }
        let status = try #require(await HTTP.get(port: port, path: "/status").json() as? [String: Any])
        #expect((status["claimLost"] as? String)?.contains("maintenance") == true)
        #expect(status["state"] as? String == "ING")
        #expect(try await HTTP.get(port: port, path: "/metrics").text.contains("semel_claim_lost 1.0\n"))
        #expect(try await HTTP.get(port: port, path: "/readyz").status == 200)

        try spool.release("go")
        try await eventually(timeout: .seconds(60), "it is over") {
            try await HTTP.get(port: port, path: "/get/status").text == "FAILED"
        }
        worker.send(SIGTERM)
        #expect(try await worker.waitForExit(timeout: .seconds(60)) == .exited(76))
        #expect(try await server.depth(of: queue) == .init(ready: 1, unacknowledged: 0))
    }
}
