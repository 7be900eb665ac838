import Foundation
import Glibc
import TestSupport
import Testing

/// What only a Redis stream has: fields, consumers, and entries that stay where they are.
@Suite(.oneLane)
struct StreamTests {
    private static let report = Shell.run(
        #"printf '%s|%s|%s|%s|' "$SEMEL_MESSAGE_ID" "$SEMEL_CONTENT_TYPE" "$SEMEL_HEADERS" "$TRACEPARENT"; cat"#)

    private func add(_ queue: RedisUnderTest, _ fields: RedisArgument...) async throws -> String {
        let reply = try await queue.server.command(["XADD", "\(queue.list)", "*"] + fields)
        return try #require(reply.text)
    }

    /// Names and values of all entries.
    private func entries(_ queue: RedisUnderTest) async throws -> [[String]] {
        let entries = try await queue.server.command("XRANGE", "\(queue.list)", "-", "+").array ?? []
        return entries.map { $0.array?.last?.array?.compactMap(\.text) ?? [] }
    }

    private func pending(_ queue: RedisUnderTest) async throws -> [RedisValue] {
        let group = RedisArgument("\(RedisUnderTest.group)")
        return try await queue.server.command("XPENDING", "\(queue.list)", group, "-", "+", "10").array ?? []
    }

    // MARK: Fields

    @Test func fieldsAreHeaders() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        _ = try await add(
            queue, "id", "m-1", "shop", "7", "body", "hello", "content-type", "text/plain", "traceparent", "\(parent)")
        let end = try await Worker.run(queue, task: Self.report)
        #expect(end.text == #"m-1|text/plain|{"shop":"7","traceparent":"\#(parent)"}|\#(parent)|hello"#)
    }

    @Test func anEntryWithoutABodyIsOne() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        let one = try await add(queue, "payload", "hello")
        #expect(try await Worker.run(queue, task: Self.report).text == "\(one)||{}||hello")
        let two = try await add(queue, "user", "1", "path", "/a")
        let end = try await Worker.run(queue, task: Self.report)
        #expect(end.text == #"\#(two)|application/json|{}||{"path":"/a","user":"1"}"#)
    }

    @Test func theBodyMayHaveAnotherField() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        let id = try await add(queue, "data", "hello", "body", "a header")
        let worker = try Worker(url: queue.url + "&field=data", secrets: queue.secrets, task: Self.report)
        #expect(try await worker.end().text == #"\#(id)||{"body":"a header"}||hello"#)
    }

    /// As they were before, whatever the task made of them.
    @Test func deadLettersKeepTheirFields() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        let first = try await add(queue, "shop", "7", "body", "hello", "content-type", "text/plain")
        _ = try await add(queue, "id", "m-2", "user", "1", "path", "/a")
        for _ in 1...2 {
            #expect(try await Worker.run(queue, task: Shell.rejecting).status == .exited(65))
        }
        let letters = try await Ctl.objects(queue, "dead", "list", "--json")
        #expect(letters.map { $0["id"] as? String } == [first, "m-2"])
        #expect(try await Ctl.run(queue, "dead", "show", "m-2").stdoutText.contains(#"{"path":"/a","user":"1"}"#))
        #expect(try await Ctl.run(queue, "dead", "retry", "--all", "--yes").status == .exited(0))
        #expect(
            try await entries(queue) == [
                ["id", first, "shop", "7", "body", "hello", "content-type", "text/plain"],
                ["id", "m-2", "user", "1", "path", "/a"],
            ])
        #expect(try await queue.left() == Left(ready: 2))
    }

    // MARK: Entries

    @Test func aMessageKeepsItsEntry() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        let id = try await add(queue, "body", "a", "shop", "7")
        try await queue.put("b")
        let failing = Shell.run(#"cat; echo " $SEMEL_MESSAGE_ID $SEMEL_ATTEMPT $SEMEL_HEADERS"; exit 3"#)
        let headers = #"{"shop":"7"}"#
        #expect(try await Worker.run(queue, task: failing).text == "a \(id) 1 \(headers)\n")
        // KEDA counts it.
        #expect(try await queue.server.command("XLEN", "\(queue.list)").integer == 2)
        #expect(try await queue.left() == Left(ready: 1, delayed: 1))
        try await eventually("it is due") { try await counted(queue).delayed == 0 }
        #expect(try await Worker.run(queue, task: failing).text == "a \(id) 2 \(headers)\n")
    }

    /// Made by the first worker, which finds what was there before.
    @Test func aGroupBeginsAtTheBeginning() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        #expect(try await Worker.run(queue, ["--wait", "0"], task: Shell.succeeding).report?.outcome == "idle")
        #expect(try await queue.server.command("XLEN", "\(queue.list)").integer == 0)
        try await queue.put("a")
        #expect(try await Worker.run(queue, ["--wait", "0"], task: Shell.succeeding).text == "a")
        let old = try await RedisUnderTest(as: .stream)
        try await old.put("b")
        #expect(try await Worker.run(old, ["--wait", "0"], task: Shell.succeeding).text == "b")
    }

    /// Whoever made the group let it begin behind what was there: nobody gets that.
    @Test func aGroupThatBeginsLater() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        let group = RedisArgument(RedisUnderTest.group)
        func warning(in text: String) -> Int { text.components(separatedBy: "XGROUP SETID \(queue.list)").count - 1 }
        try await queue.put("old", "older")
        try await queue.server.command("XGROUP", "CREATE", "\(queue.list)", group, "$")
        #expect(warning(in: try await Ctl.run(queue, "queue").stderrText) == 1)
        try await queue.put("new")
        let busy = try await Worker.run(queue, task: Shell.succeeding)
        #expect(busy.text == "new" && warning(in: busy.stderr) == 0, "\(busy.stderr)")
        let idle = try await Worker.run(queue, ["--wait", "3s"], task: Shell.succeeding)
        #expect(idle.report?.outcome == "idle")
        #expect(warning(in: idle.stderr) == 1 && idle.stderr.contains("2 of the entries"), "\(idle.stderr)")
        #expect(try await counted(queue).ready == 0)
        // What the line advises helps.
        try await queue.server.command("XGROUP", "SETID", "\(queue.list)", group, "0")
        #expect(try await Worker.run(queue, task: Shell.succeeding).text == "old")
        #expect(try await Worker.run(queue, task: Shell.succeeding).text == "older")
        let last = try await Worker.run(queue, ["--wait", "0"], task: Shell.succeeding)
        #expect(warning(in: last.stderr + (try await Ctl.run(queue, "queue").stderrText)) == 0)
    }

    /// There is nothing left to put back.
    @Test(arguments: [3, nil] as [Int?])
    func anEntryTrimmedUnderAWorker(_ status: Int?) async throws {
        let queue = try await RedisUnderTest(as: .stream)
        let directory = try TemporaryDirectory("trimmed")
        try await queue.put("m")
        let task = Shell.until(directory.path("go"), exit: status ?? 0)
        let worker = try Worker(queue, ["--lease", "10m"], task: task)
        try await worker.waitForTask()
        try await queue.server.command("XTRIM", "\(queue.list)", "MAXLEN", "0")
        if status == nil { worker.process.send(SIGTERM) } else { try directory.write("", to: "go") }
        let end = try await worker.end()
        #expect(end.status == .exited(76) && end.report?.outcome == "lost", "\(end.stderr)")
        #expect(try await queue.left() == .nothing)
    }

    @Test func atMostOnceItIsGoneBeforeTheTaskRuns() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        for wait in ["0", "forever"] {
            if wait == "0" { try await queue.put("m") }
            let flags = ["--delivery", "at-most-once", "--wait", wait]
            let worker = try Worker(queue, flags, task: Shell.untilStopped)
            if wait == "forever" {
                try await queue.waitUntilAwaited(by: worker)
                try await queue.put("m")
            }
            try await worker.waitForTask()
            #expect(try await queue.left() == .nothing)
            worker.process.send(SIGKILL)
        }
    }

    // MARK: Consumers

    /// They would pile up in the group: each worker is a new one.
    @Test func consumersGoWithTheirWorkers() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        for task in [Shell.succeeding, Shell.failing, Shell.rejecting] {
            try await queue.put("m")
            _ = try await Worker.run(queue, ["--retry-delay", "1h"], task: task)
            #expect(try await queue.consumers() == [])
        }
        #expect(try await Worker.run(queue, ["--wait", "0"], task: Shell.succeeding).report?.outcome == "idle")
        #expect(try await queue.consumers() == [])
        let idle = try Worker(queue, ["--wait", "forever"], task: Shell.succeeding)
        try await queue.waitUntilAwaited(by: idle)
        idle.process.send(SIGTERM)
        _ = try await idle.end()
        #expect(try await queue.consumers() == [])
        try await queue.put("m")
        let dead = try Worker(queue, ["--lease", "1s"], task: Shell.untilStopped)
        try await dead.waitForTask()
        dead.process.send(SIGKILL)
        let heir = try await Worker.run(queue, task: Shell.succeeding)
        #expect(heir.report?.attempt == 2, "\(heir.stderr)")
        #expect(try await queue.consumers() == [])
    }

    /// Somebody else's shorter one does not end it.
    @Test func theHolderSaysItsLease() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        try await queue.put("m")
        let holder = try Worker(queue, ["--lease", "10m"], task: Shell.untilStopped)
        try await holder.waitForTask()
        try await eventually("it is idle for more than a second") {
            try await pending(queue).first?.array?[2].integer ?? 0 > 1_000
        }
        let other = try await Worker.run(queue, ["--wait", "0", "--lease", "1s"], task: Shell.succeeding)
        #expect(other.report?.outcome == "idle", "\(other.stderr)")
        #expect(try await queue.left() == .oneClaimed)
        holder.process.send(SIGKILL)
    }

    /// Of a client that reads the group in its own way, and died.
    @Test func anotherClientsEntryIsAnOrphan() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        let group = RedisArgument(RedisUnderTest.group)
        try await queue.put("m")
        try await queue.server.command("XGROUP", "CREATE", "\(queue.list)", group, "0")
        try await queue.server.command(
            "XREADGROUP", "GROUP", group, "other", "COUNT", "1", "STREAMS", "\(queue.list)", ">")
        let end = try await Worker.run(queue, ["--lease", "1s"], task: Shell.succeeding)
        #expect(end.report?.attempt == 2, "\(end.stderr)")
        #expect(try await queue.left() == .nothing)
        // It is not ours to remove.
        #expect(try await queue.consumers() == ["other"])
    }

    /// The answer to a worker that waits is on its way when that is told to stop: nobody has to wait for its lease.
    @Test func whatComesTooLateIsHandedBack() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        let proxy = try queue.proxy()
        let worker = try Worker(
            url: queue.url(through: proxy), ["--wait", "forever", "--lease", "10m"], secrets: queue.secrets,
            task: Shell.succeeding)
        try await queue.waitUntilAwaited(by: worker)
        await proxy.freeze()
        try await queue.put("m")
        try await eventually("it is delivered") { try await queue.left() == .oneClaimed }
        let connection = sockets(of: worker.process.pid)
        worker.process.send(SIGTERM)
        try await eventually("the worker has hung up") { sockets(of: worker.process.pid).isDisjoint(with: connection) }
        await proxy.thaw()
        #expect(try await worker.end().status == .exited(143))
        #expect(try await queue.left() == .oneReady)
        let next = try await Worker.run(queue, ["--wait", "0"], task: Shell.succeeding)
        #expect(next.report?.attempt == 1, "\(next.stderr)")
    }

    private func sockets(of process: pid_t) -> Set<String> {
        let folder = "/proc/\(process)/fd"
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let targets = descriptors.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
        return Set(targets.filter { $0.hasPrefix("socket:") })
    }

    // MARK: Looking

    /// What `semelctl queue --json` says.
    private struct Counted: Decodable {
        var ready: Int
        var claimed: Int?
        var delayed: Int?
        var dead: Int?
        var oldestSeconds: Double?
    }

    private func counted(_ queue: RedisUnderTest) async throws -> Counted {
        let json = try await Ctl.run(queue, "queue", "--json").stdoutText
        return try JSONDecoder().decode(Counted.self, from: Data(json.utf8))
    }

    @Test func counts() async throws {
        let queue = try await RedisUnderTest(as: .stream)
        func expect(_ ready: Int, _ claimed: Int, _ delayed: Int, _ dead: Int) async throws {
            let counts = try await counted(queue)
            #expect(counts.ready == ready && counts.claimed == claimed, "\(counts)")
            #expect(counts.delayed == delayed && counts.dead == dead, "\(counts)")
            #expect((counts.oldestSeconds == nil) == (ready == 0), "\(counts)")
        }
        try await expect(0, 0, 0, 0)
        try await queue.put("a", "b", "c", "d")
        try await expect(4, 0, 0, 0)
        _ = try await Worker.run(queue, ["--retry-delay", "1h"], task: Shell.failing)
        _ = try await Worker.run(queue, task: Shell.rejecting)
        let holder = try Worker(queue, ["--lease", "1s"], task: Shell.untilStopped)
        try await holder.waitForTask()
        try await expect(1, 1, 1, 1)
        holder.process.send(SIGKILL)
        // Its message is ready when the lease is over.
        try await eventually("an orphan") { try await counted(queue).ready == 2 }
        try await expect(2, 0, 1, 1)
        // A server that has lost count of what is unread is told by what is left.
        let entries = try await queue.server.command("XRANGE", "\(queue.list)", "-", "+").array ?? []
        let last = try #require(entries.last?.array?.first?.text)
        try await queue.put("e")
        try await queue.server.command("XDEL", "\(queue.list)", "\(last)")
        try await expect(2, 0, 1, 1)
    }
}
