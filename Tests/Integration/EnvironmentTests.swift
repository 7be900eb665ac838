import Foundation
import TestSupport
import Testing

/// A worker that is set up by its environment alone, and what of that its task may see.
@Suite(.oneLane)
struct EnvironmentTests {
    private func rabbitMQ(_ queue: RabbitMQUnderTest) -> [String: String] {
        [
            "MQ_HOST": "127.0.0.1", "MQ_PORT": "\(queue.server.port)", "MQ_USERNAME": queue.user,
            "MQ_PASSWORD": Credentials.password, "MQ_VHOST": "/", "MQ_QUEUE": queue.queue,
        ]
    }

    private func redis(_ queue: RedisUnderTest) -> [String: String] {
        [
            "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "\(queue.server.port)", "REDIS_USER": queue.list,
            "REDIS_PASSWORD": Credentials.password, "REDIS_LIST": queue.list,
        ]
    }

    @Test func theVariablesOfRabbitMQWorkers() async throws {
        let queue = try await RabbitMQUnderTest(.quorum, named: "mq-variables")
        for virtualHost in ["/", ""] {
            try await queue.put("as before")
            var variables = rabbitMQ(queue)
            variables["MQ_VHOST"] = virtualHost
            let end = try await Worker(environment: variables, secrets: queue.secrets, task: Shell.succeeding).end()
            #expect(end.status == .exited(0), "\(end.stderr)")
            #expect(end.text == "as before")
        }
        #expect(try await queue.left() == .nothing)
    }

    /// The user who is named, and not the default one.
    @Test func aRedisUserWithoutAPassword() async throws {
        let queue = try await RedisUnderTest()
        try await queue.put("m")
        var variables = redis(queue)
        for password in [nil, ""] {
            variables["REDIS_PASSWORD"] = password
            let end = try await Worker(environment: variables, task: Shell.succeeding).end()
            #expect(end.status == .exited(77), "\(end.stderr)")
            #expect(end.stderr.contains("WRONGPASS"), "\(end.stderr)")
        }
        #expect(try await queue.left() == .oneReady)
        try await queue.server.command("ACL", "SETUSER", "\(queue.user)", "nopass")
        let end = try await Worker(environment: variables, task: Shell.succeeding).end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == "m")
    }

    @Test func theVariablesOfRedisWorkers() async throws {
        let queue = try await RedisUnderTest("redis-variables")
        try await queue.put("as before")
        let end = try await Worker(environment: redis(queue), secrets: queue.secrets, task: Shell.succeeding).end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == "as before")
        #expect(try await queue.left() == .nothing)
    }

    /// The image runs without any argument.
    @Test(arguments: QueueKind.allCases)
    func everythingByVariables(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        let directory = try TemporaryDirectory("variables")
        try directory.write("", to: "log")
        try await queue.put("first", "second")
        let variables = [
            "SEMEL_QUEUE": queue.url, "SEMEL_STATUS_ADDRESS": "off", "SEMEL_TERMINATION_LOG": directory.path("log"),
            "SEMEL_WAIT": "30s", "SEMEL_RETRY_DELAY": "1h", "SEMEL_LOG_FORMAT": "json", "SEMEL_INPUT": "file",
            "SEMEL_COMMAND": #"["/bin/sh","-c","cat \"$SEMEL_MESSAGE_FILE\"; exit 3"]"#,
        ]
        let failed = try await run(.semel, environment: RunningProcess.environment(adding: variables))
        #expect(failed.status == .exited(75), "\(failed.stderrText)")
        #expect(failed.stdoutText == "first")
        let report = try TerminationReport(Data(contentsOf: URL(fileURLWithPath: directory.path("log"))))
        #expect(report.outcome == "retry")
        #expect(try await queue.left() == Left(ready: 1, delayed: 1))
        for line in failed.stderrText.split(separator: "\n") {
            _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
        }
    }

    @Test(arguments: QueueKind.allCases)
    func flagsWin(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("flagged")
        let variables = [
            "SEMEL_QUEUE": "spool:/no/such/place", "SEMEL_MAX_ATTEMPTS": "1", "SEMEL_WAIT": "0",
            "SEMEL_COMMAND": #"["echo","from the environment"]"#, "SEMEL_RETRY_DELAY": "1ms",
        ]
        let flags = ["--queue", queue.url, "--max-attempts", "2", "--wait=30s", "--retry-delay", "1h"]
        let worker = try Worker(flags, environment: variables, secrets: queue.secrets, task: Shell.run("cat; exit 1"))
        let end = try await worker.end()
        #expect(end.status == .exited(75), "\(end.stderr)")
        #expect(end.text == "flagged")
        #expect(try await queue.left() == Left(delayed: 1))
    }

    @Test(arguments: QueueKind.allCases)
    func theCommandOfTheEnvironment(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("body")
        let command = #"["/bin/sh", "-c", "cat; echo \" $1\"", "x", "a b \" c"]"#
        let variables = ["SEMEL_COMMAND": command, "SEMEL_QUEUE": queue.url]
        let end = try await Worker(environment: variables, secrets: queue.secrets).end()
        #expect(end.status == .exited(0), "\(end.stderr)")
        #expect(end.text == "body a b \" c\n")
        #expect(try await queue.left() == .nothing)
    }

    /// The task inherits what is not semel's, and is told about its message.
    @Test(arguments: QueueKind.allCases)
    func whatTheTaskSees(_ kind: QueueKind) async throws {
        let queue = try await kind.make()
        try await queue.put("x")
        let variables = ["TENANT": "blue", "EMPTY": ""]
        let flags = ["--timeout", "1h", "--max-attempts", "9"]
        let end = try await Worker.run(queue, flags, environment: variables, task: ["env"])
        #expect(end.status == .exited(0), "\(end.stderr)")
        var seen: [String: String] = [:]
        for line in end.text.split(separator: "\n") {
            let pair = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            seen[String(pair[0])] = pair.count > 1 ? String(pair[1]) : ""
        }
        #expect(seen["TENANT"] == "blue")
        #expect(seen["EMPTY"] == "")
        #expect(seen["SEMEL_ATTEMPT"] == "1")
        #expect(seen["SEMEL_MAX_ATTEMPTS"] == "9")
        #expect(seen["SEMEL_PROGRESS_FD"].flatMap { Int($0) } ?? 0 > 2)
        let deadline = try #require(seen["SEMEL_DEADLINE"].flatMap { Self.date(from: $0) })
        #expect(deadline > Date())
        // The queue's address, from which nobody can log in.
        let name = try #require(seen["SEMEL_QUEUE"])
        #expect(name.hasPrefix(String(queue.url.prefix { $0 != ":" })))
        #expect(!name.contains("@"))
    }

    /// Whichever way the worker was told its password, the task is not, and no line of a failing worker tells it.
    @Test(arguments: ["succeeds", "fails", "rejects"])
    func passwordsStayWithTheWorker(_ end: String) async throws {
        let rabbitMQ = try await RabbitMQUnderTest(.quorum, named: "passwords-\(end)")
        let redis = try await RedisUnderTest("passwords-\(end)")
        let status = ["succeeds": 0, "fails": 1, "rejects": 65][end] ?? 0
        let task = Shell.run("env; tr '\\0' '\\n' < /proc/self/environ; env >&2; exit \(status)")
        let secrets = Credentials.secrets
        let ways: [(any QueueUnderTest, [String], [String: String])] = [
            (rabbitMQ, [], ["SEMEL_QUEUE": rabbitMQ.url]), (redis, [], ["SEMEL_QUEUE": redis.url]),
            (rabbitMQ, ["--queue", rabbitMQ.url], [:]), (redis, ["--queue", redis.url], [:]),
            (rabbitMQ, [], self.rabbitMQ(rabbitMQ)), (redis, [], self.redis(redis)),
        ]
        for (queue, flags, variables) in ways {
            try await queue.put("x")
            let flags = flags + ["--log-level", "trace", "--retry-delay", "1h"]
            // The end looks for the secrets in everything that was written.
            let end = try await Worker(flags, environment: variables, secrets: secrets, task: task).end()
            #expect(end.status == .exited(status == 1 ? 75 : Int32(status)), "\(end.stderr)")
            #expect(end.text.contains("SEMEL_MESSAGE_ID="))
            #expect(!end.text.contains("MQ_PASSWORD"))
            #expect(!end.text.contains("REDIS_PASSWORD"))
        }
        for queue in [rabbitMQ, redis] as [any QueueUnderTest] where status == 65 {
            for letter in try await queue.deadLetters() {
                for secret in secrets { #expect(letter.output?.contains(secret) == false) }
            }
        }
    }

    /// With or without a fraction of a second.
    private static func date(from text: String) -> Date? {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter.date(from: text) ?? ISO8601DateFormatter().date(from: text)
    }
}
