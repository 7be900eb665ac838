import Glibc
import TestSupport
import Testing

/// What AWS says for as long as it likes: that it is busy, has trouble of its own, or that credentials are good no more.
@Suite(.throttled)
struct SQSTroubleTests {
    enum Trouble: CaseIterable {
        case throttled, unavailable, broken

        var refusal: AWSRefusal {
            switch self {
            case .throttled: .throttled
            case .unavailable: .unavailable
            case .broken: .broken
            }
        }
    }

    // MARK: Busy

    /// It is asked again, and the message takes no harm.
    @Test(arguments: Trouble.allCases, ["GetQueueUrl", "ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage"])
    func riddenOut(_ trouble: Trouble, _ action: String) async throws {
        let queue = try await SQSUnderTest(.sqs)
        let notes = try Notes()
        try await queue.put("m")
        try await queue.refuse(trouble.refusal, action, times: 2)
        let worker = try Worker(queue, ["--lease", "6s"], task: notes.held())
        try await worker.waitForTask()
        if action == "ChangeMessageVisibility" {
            try await eventually("extensions are refused") { try await queue.refusals == 2 }
        }
        try notes.allow()
        let end = try await worker.end()
        end.expect(0, "completed", attempt: 1)
        #expect(end.stderr.contains("trying again reason=\"\(trouble.refusal.code): "), "\(end.stderr)")
        #expect(try await queue.refusals == 2)
        #expect(notes.runs == ["m 1"])
        try await queue.waitUntilLeft(.nothing)
    }

    @Test(arguments: Trouble.allCases)
    func fromTheStartOn(_ trouble: Trouble) async throws {
        let queue = try await SQSUnderTest(.sqs)
        try await queue.put("m")
        try await queue.refuse(trouble.refusal)
        let end = try await Worker.run(queue, task: ["true"])
        let words = "\(trouble.refusal.code): \(trouble.refusal.message)"
        end.expect(69, "unreachable", saying: "SQS at 127.0.0.1:\(queue.server.port)", words)
        #expect(try await queue.refusals > 2, "it is asked again")
        try await queue.waitUntilLeft(.oneReady)
    }

    /// For longer than a lease.
    @Test(arguments: Trouble.allCases)
    func untilTheLeaseIsOver(_ trouble: Trouble) async throws {
        let queue = try await SQSUnderTest(.sqs)
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", "6s"], task: notes.held())
        try await worker.waitForTask()
        try await queue.refuse(trouble.refusal)
        try await worker.waitForLog("could not extend the lease, trying again reason=\"\(trouble.refusal.code): ")
        try await worker.end().expect(76, "lost", attempt: 1, saying: "the lease ended before it could be extended: ")
        try await queue.accept()
        try notes.allow()
        try await queue.nextAttempt(task: notes.held()).expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }

    // MARK: Credentials

    /// With which variables a worker finds its keys.
    private func worker(_ queue: SQSUnderTest, _ variables: [String: String], _ more: String = "", task: [String])
        throws -> Worker
    {
        try Worker(
            url: "sqs://\(MotoServer.region)/\(queue.name)?endpoint=http://127.0.0.1:\(queue.server.port)\(more)",
            ["--status-address", "off", "--wait", "30s", "--lease", "6s"], environment: variables,
            secrets: queue.secrets + [variables["AWS_SECRET_ACCESS_KEY"] ?? Credentials.wrong], task: task,
            queue: queue,
            defaults: [])
    }

    enum End: CaseIterable {
        case revoked, expired

        func come(over keys: AWSKeys, of user: String, _ server: MotoServer) async throws {
            switch self {
            case .revoked: try await server.revokeKeys(of: user)
            case .expired: try await server.expire(keys)
            }
        }

        var words: String {
            switch self {
            case .revoked: "InvalidClientTokenId"
            case .expired: "ExpiredTokenException: The security token included in the request is expired"
            }
        }
    }

    private static let source = "(credentials from AWS_ACCESS_KEY_ID)"

    @Test(arguments: End.allCases)
    func keysThatAreGoodNoMoreAtTheStart(_ end: End) async throws {
        let queue = try await SQSUnderTest(.sqs)
        try await queue.put("m")
        let user = QueueKind.freshName()
        let keys = try await queue.server.makeUser(user, may: ["sqs:*"])
        try await end.come(over: keys, of: user, queue.server)
        try await worker(queue, keys.variables, task: ["true"]).end().expect(
            77, "refused", saying: "SQS at 127.0.0.1:\(queue.server.port) refused: \(end.words)", Self.source)
        try await queue.waitUntilLeft(.oneReady)
    }

    @Test(arguments: End.allCases)
    func keysThatAreGoodNoMoreWhileTheTaskRuns(_ end: End) async throws {
        let queue = try await SQSUnderTest(.sqs)
        let notes = try Notes()
        try await queue.put("m")
        let user = QueueKind.freshName()
        let keys = try await queue.server.makeUser(user, may: ["sqs:*"])
        let worker = try worker(queue, keys.variables, task: notes.held())
        try await worker.waitForTask()
        try await end.come(over: keys, of: user, queue.server)
        try await worker.waitForLog("could not extend the lease, trying again")
        try await worker.end().expect(76, "lost", attempt: 1, saying: end.words, Self.source)
        try await queue.waitUntilLeft(.oneReady)
    }

    /// A mounted Secret that changes under a running pod: the new keys are found when the old ones are refused.
    @Test(arguments: End.allCases)
    func keysThatAreReplacedInTheirFile(_ end: End) async throws {
        let queue = try await SQSUnderTest(.sqs)
        let notes = try Notes()
        let directory = try TemporaryDirectory("aws")
        try await queue.put("m")
        let user = QueueKind.freshName()
        let old = try await queue.server.makeUser(user, may: ["sqs:*"])
        let file = try directory.write("[rotated]\n\(old.profileLines)", to: "credentials", mode: 0o600)
        let worker = try worker(
            queue, ["AWS_SHARED_CREDENTIALS_FILE": file], "&profile=rotated", task: notes.held())
        try await worker.waitForTask()
        let new = try await queue.server.makeUser(QueueKind.freshName(), may: ["sqs:*"])
        try await end.come(over: old, of: user, queue.server)
        try await worker.waitForLog("could not extend the lease, trying again")
        try directory.write("[rotated]\n\(new.profileLines)", to: "credentials", mode: 0o600)
        try notes.allow()
        let ended = try await worker.end()
        ended.expect(0, "completed", attempt: 1)
        for secret in [old.secret, new.secret] { #expect(!ended.stderr.contains(secret)) }
        try await queue.waitUntilLeft(.nothing)
    }

    // MARK: Clocks

    @Test(arguments: [3_600, -3_600])
    func aClockThatIsWrong(_ ahead: Int) async throws {
        let queue = try await SQSUnderTest(.sqs)
        try await queue.put("m")
        try await queue.setClock(ahead: .seconds(ahead))
        let end = try await Worker.run(queue, task: ["true"])
        end.expect(77, "refused", saying: "this machine's clock is wrong: it says 20", "; SQS' clock says ")
        #expect(!end.lastLine.contains("credentials from"), "the keys are good: \(end.lastLine)")
        try await queue.waitUntilLeft(.oneReady)
    }

    @Test func aClockThatJumpsWhileTheTaskRuns() async throws {
        let queue = try await SQSUnderTest(.sqs)
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", "6s"], task: notes.held())
        try await worker.waitForTask()
        try await queue.setClock(ahead: .seconds(3_600))
        try await worker.waitForLog("trying again reason=\"this machine's clock is wrong: it says 20")
        try await worker.end().expect(76, "lost", attempt: 1, saying: "the lease ended before it could be extended: ")
        try await queue.setClock(ahead: .zero)
        try await queue.waitUntilLeft(.oneReady)
    }

    // MARK: The ceiling

    /// SQS refuses what would go over its 12 hours, even if by this machine's clock they are not over yet.
    @Test func theCeilingStrikesEarly() async throws {
        let queue = try await SQSUnderTest(.sqs)
        let notes = try Notes()
        try await queue.limitClaims(to: .seconds(2))
        try await queue.put("m")
        let worker = try Worker(queue, ["--lease", "6s"], task: notes.held())
        try await worker.waitForTask()
        try await worker.end().expect(
            76, "lost", attempt: 1, saying: "SQS holds a message for 12h at the most", "set --timeout below that")
        try await queue.waitUntilLeft(.oneReady)
    }

    // MARK: Stale handles

    /// What was asked in time and arrives late SQS may answer with a yes, though it does nothing: the worker does not
    /// believe it.
    @Test(arguments: [QueueKind.sqs, .fifo])
    func anAnswerAfterTheLease(_ kind: QueueKind) async throws {
        let queue = try await SQSUnderTest(kind)
        try await queue.fence()
        let proxy = try queue.proxy()
        let notes = try Notes()
        try await queue.put("m")
        let worker = try Worker(queue, through: proxy, task: notes.held())
        try await worker.waitForTask()
        await proxy.freeze()
        try notes.allow()
        try await worker.waitUntilSettling()
        try await worker.pause()
        let others = try Notes()
        let other = try Worker(queue, ["--lease", "10s"], task: others.held())
        try await other.waitForTask()
        await proxy.thaw()
        worker.process.send(SIGCONT)
        try await worker.end().expect(76, "lost", attempt: 1, saying: "did not count")
        try await queue.waitUntilLeft(.oneClaimed)
        try others.allow()
        try await other.end().expect(0, "completed", attempt: 2)
        try await queue.waitUntilLeft(.nothing)
    }
}
