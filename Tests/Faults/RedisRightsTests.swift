import Glibc
import TestSupport
import Testing

/// Redis refuses one command of a script, though it has carried out those before it: nothing is lost, and nothing is there
/// twice.
@Suite(.throttled)
struct RedisRightsTests {
    private func change(_ queue: RedisUnderTest, _ rule: String) async throws {
        try await queue.server.command("ACL", "SETUSER", "\(queue.user)", "\(rule)")
    }

    /// Nobody's message is touched, and the next worker has it as if nobody had asked.
    private func expectRefusedClaims(_ queue: RedisUnderTest, without command: String, _ flags: [String] = [])
        async throws
    {
        try await queue.put("m")
        try await change(queue, "-\(command)")
        for _ in 1...2 {
            try await Worker.run(queue, flags + ["--wait", "0"], task: ["true"]).expect(77, "refused")
            try await queue.waitUntilLeft(.oneReady)
        }
        try await change(queue, "+\(command)")
        try await Worker.run(queue, flags, task: ["true"]).expect(0, "completed", attempt: 1)
        try await queue.waitUntilLeft(.nothing)
    }

    // MARK: Claims

    @Test(arguments: ["lindex", "hset", "hdel", "zadd", "zrem", "lpop"])
    func aClaimOfAList(without command: String) async throws {
        try await expectRefusedClaims(try await RedisUnderTest(), without: command)
    }

    @Test(arguments: ["lindex", "zrem", "lpop"])
    func aMessageIsTakenOffAList(without command: String) async throws {
        try await expectRefusedClaims(try await RedisUnderTest(), without: command, ["--delivery", "at-most-once"])
    }

    @Test(arguments: ["xgroup", "xreadgroup", "xpending", "zrem"])
    func aClaimOfAStream(without command: String) async throws {
        try await expectRefusedClaims(try await RedisUnderTest(as: .stream), without: command)
    }

    @Test(arguments: ["xdel", "xack", "srem"])
    func aMessageIsTakenOffAStream(without command: String) async throws {
        try await expectRefusedClaims(
            try await RedisUnderTest(as: .stream), without: command, ["--delivery", "at-most-once"])
    }

    /// What semel keeps beside the list is something else.
    @Test(arguments: ["payloads", "attempts", "owners", "leases", "named"])
    func aKeyOfAnotherType(_ kind: String) async throws {
        let queue = try await RedisUnderTest()
        try await queue.put("m", "n")
        try await queue.server.command("SET", queue.key(kind), "text")
        for _ in 1...3 {
            try await Worker.run(queue, ["--wait", "0"], task: ["true"]).expect(
                78, "misconfigured", saying: "WRONGTYPE", "{\(queue.list)}:\(kind)")
        }
        #expect(try await queue.otherKeys() == ["{\(queue.list)}:\(kind)"])
        try await queue.server.command("DEL", queue.key(kind))
        #expect(try await queue.left() == Left(ready: 2))
        try await Worker.run(queue, task: ["true"]).expect(0, "completed", attempt: 1)
    }

    /// What was refused is no attempt at the message of a worker that died.
    @Test(arguments: [
        (RedisForm.list, "hset"), (.list, "zadd"), (.list, "srem"), (.list, "hincrby"), (.stream, "xclaim"),
        (.stream, "xrange"),
    ])
    func anOrphan(_ form: RedisForm, without command: String) async throws {
        let queue = try await orphan(form)
        try await change(queue, "-\(command)")
        for _ in 1...3 { try await Worker.run(queue, ["--wait", "0"], task: ["true"]).expect(77, "refused") }
        try await change(queue, "+\(command)")
        try await Worker.run(queue, task: ["true"]).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: [
        (RedisForm.list, "hdel"), (.list, "srem"), (.list, "zadd"), (.stream, "xdel"), (.stream, "xack"),
    ])
    func anOrphanAtMostOnce(_ form: RedisForm, without command: String) async throws {
        let queue = try await orphan(form)
        try await change(queue, "-\(command)")
        let flags = ["--delivery", "at-most-once"]
        for _ in 1...2 { try await Worker.run(queue, flags + ["--wait", "0"], task: ["true"]).expect(77, "refused") }
        try await change(queue, "+\(command)")
        try await queue.waitUntilLeft(.oneClaimed)
        let end = try await Worker.run(queue, task: ["true"])
        end.expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    private func orphan(_ form: RedisForm) async throws -> RedisUnderTest {
        let queue = try await RedisUnderTest(as: form)
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", "1s"], task: Shell.untilStopped)
        try await worker.waitForTask()
        try await worker.kill()
        try await eventually("its lease ends") { try await queue.leaseIsOver() }
        return queue
    }

    /// A long-lived worker does not try for ever what it may not do.
    @Test(arguments: zip(RedisForm.allCases, ["lpop", "xreadgroup"]))
    func aLongLivedWorker(_ form: RedisForm, without command: String) async throws {
        let queue = try await RedisUnderTest(as: form)
        try await queue.put("m")
        try await change(queue, "-\(command)")
        let end = try await Worker.run(queue, ["--max-messages", "0", "--wait", "forever"], task: ["true"])
        #expect(end.status == .exited(77), "\(end.stderr)")
        try await queue.waitUntilLeft(.oneReady)
    }

    // MARK: Settlements

    /// What becomes of the message when its task ends with 0, 3 and 65.
    enum End {
        case completed, delayed, dead
        /// Handed back after half of the lease: as an attempt that was used, or as none.
        case handedBack, untouched
        /// Nothing could be done; the claim ends with the lease.
        case held
    }

    struct Withdrawal: Sendable, CustomTestStringConvertible {
        let form: RedisForm
        let command: String
        /// By the task's exit status.
        let ends: [Int: End]
        init(_ form: RedisForm, _ command: String, _ success: End, _ failure: End, _ rejection: End) {
            (self.form, self.command) = (form, command)
            ends = [0: success, 3: failure, 65: rejection]
        }
        var testDescription: String { "\(form) without \(command)" }
    }

    @Test(
        arguments: [
            Withdrawal(.list, "zadd", .completed, .untouched, .dead), .init(.list, "zrem", .held, .held, .held),
            .init(.list, "hdel", .handedBack, .delayed, .handedBack),
            .init(.list, "sadd", .completed, .untouched, .dead),
            .init(.list, "xadd", .completed, .delayed, .handedBack), .init(.list, "zscore", .held, .held, .held),
            .init(.list, "get", .held, .held, .held), .init(.list, "set", .completed, .delayed, .dead),
            .init(.stream, "xdel", .handedBack, .delayed, .handedBack), .init(.stream, "xack", .held, .held, .held),
            .init(.stream, "zadd", .completed, .held, .dead), .init(.stream, "zrem", .held, .held, .held),
            .init(.stream, "xadd", .completed, .delayed, .handedBack),
            .init(.stream, "xrange", .completed, .held, .held), .init(.stream, "set", .completed, .delayed, .dead),
        ], [0, 3, 65])
    func withdrawnWhileTheTaskRuns(_ withdrawal: Withdrawal, _ status: Int) async throws {
        let queue = try await RedisUnderTest(as: withdrawal.form)
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(
            queue, ["--lease", "3s", "--retry-delay", "1h"], task: notes.held(exit: status))
        try await worker.waitForTask()
        try await change(queue, "-\(withdrawal.command)")
        try notes.allow()
        let end = try await worker.end()
        try await change(queue, "+\(withdrawal.command)")
        let left: Left
        switch try #require(withdrawal.ends[status]) {
        case .completed:
            end.expect(0, "completed")
            left = .nothing
        case .delayed:
            end.expect(75, "retry")
            left = Left(delayed: 1)
        case .dead:
            end.expect(65, "dead-lettered")
            left = .oneDead
        case .handedBack:
            end.expect(75, "retry", saying: "handed back")
            left = Left(delayed: 1)
        case .untouched:
            end.expect(75, "retry", saying: "handed back")
            left = .oneReady
        case .held:
            end.expect(76, "lost")
            left = .oneClaimed
        }
        #expect(try await queue.left() == left, "\(end.stderr)")
    }

    // MARK: Rights that suffice

    /// As docs/queues.md lists them.
    private static let enough: [RedisForm: String] = [
        .list: """
        eval time blmove lindex lpop lpush hget hset hdel hexists hincrby zadd zrem zscore zrange zrangebyscore \
        zrangebylex sadd srem get set xadd
        """,
        .stream: """
        eval time xack xadd xclaim xdel xgroup xinfo xlen xpending xrange xreadgroup zadd zcard zrem zrange \
        zrangebyscore sadd srem get set
        """,
    ]

    @Test(arguments: RedisForm.allCases)
    func documentedRights(_ form: RedisForm) async throws {
        let queue = try await orphan(form)
        let rights = try #require(Self.enough[form]).split(separator: " ").map { "+\($0)" }
        for rule in ["-@all"] + rights { try await change(queue, rule) }
        try await Worker.run(queue, task: Shell.failing).expect(75, "retry", attempt: 2)
        try await Worker.run(queue, ["--result", "stdout"], task: ["true"]).expect(0, "completed", attempt: 3)
        for flags in [[], ["--delivery", "at-most-once"]] {
            let waiting = try Worker(queue, flags + ["--wait", "forever"], task: Shell.rejecting)
            try await queue.waitUntilAwaited(by: waiting)
            try await queue.put("n")
            try await waiting.end().expect(65, "dead-lettered", attempt: 1)
        }
        try await queue.put("o")
        let stopped = try Worker(queue, task: Shell.untilStopped)
        try await stopped.waitForTask()
        stopped.process.send(SIGTERM)
        #expect(try await stopped.end().status == .exited(143))
        #expect(try await queue.left() == Left(ready: 1, dead: 2))
        try await Worker.run(queue, ["--delivery", "at-most-once"], task: ["true"]).expect(0, "completed", attempt: 1)
        try await Worker.run(queue, ["--wait", "0"], task: ["true"]).expect(0, "idle")
    }

    // MARK: Operations

    /// It is in one place before and after.
    @Test(arguments: RedisForm.allCases)
    func aDeadLetterIsNotDoubled(_ form: RedisForm) async throws {
        let queue = try await RedisUnderTest(as: form)
        try await queue.put("m")
        try await Worker.run(queue, task: Shell.rejecting).expect(65, "dead-lettered")
        try await change(queue, "-xdel")
        for _ in 1...2 {
            let end = try await run(
                .semelctl, ["dead", "retry", "--all", "--yes"],
                environment: RunningProcess.environment(adding: ["SEMEL_QUEUE": queue.url]))
            #expect(end.status == .exited(77), "\(end.stderrText)")
        }
        #expect(try await queue.left() == .oneDead)
    }

    // MARK: Users

    /// Who names a user does not mean the default one.
    @Test func aUserWithoutAPassword() async throws {
        let server = try await RedisServer.start(
            password: Credentials.password, configuration: ["user free on nopass ~* +@all"])
        try await server.command("RPUSH", "q", "m")
        let place = "127.0.0.1:\(server.port)/0?list=q"
        try await Worker(url: "redis://nobody@\(place)", task: ["true"]).end().expect(
            77, "refused", saying: "WRONGPASS")
        try await Worker(url: "redis://free@\(place)", task: ["true"]).end().expect(0, "completed", attempt: 1)
    }

    /// To a server that would let anybody in.
    @Test func anUnknownUserWithoutAPassword() async throws {
        let server = try await RedisServer.start()
        try await Worker(url: "redis://nobody@127.0.0.1:\(server.port)/0?list=q", task: ["true"]).end().expect(
            77, "refused", saying: "WRONGPASS")
    }
}
