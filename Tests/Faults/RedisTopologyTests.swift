import Foundation
import TestSupport
import Testing

/// Redis is more than one server: a master with replicas, sentinels beside them, a cluster.
@Suite(.throttled)
struct RedisTopologyTests {
    private func explain(_ type: String, _ metadata: [String: String], _ secret: [String: String] = [:]) async throws
        -> String
    {
        let lines = metadata.sorted { $0.key < $1.key }.map { "      \($0.key): \"\($0.value)\"" }
        let data = secret.map { "  \($0.key): \"\($0.value)\"" }
        let parameters = secret.keys.map { "    - {parameter: \($0), name: secret, key: \($0)}" }
        let text = """
            apiVersion: keda.sh/v1alpha1
            kind: ScaledJob
            metadata: {name: scans}
            spec:
              jobTargetRef: {template: {spec: {containers: [{name: worker}]}}}
              triggers:
              - type: \(type)
                authenticationRef: {name: auth}
                metadata:
            \(lines.joined(separator: "\n"))
            ---
            apiVersion: keda.sh/v1alpha1
            kind: TriggerAuthentication
            metadata: {name: auth}
            spec:
              secretTargetRef:\(parameters.isEmpty ? " []" : "\n" + parameters.joined(separator: "\n"))
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: secret}
            stringData:\(data.isEmpty ? " {}" : "\n" + data.joined(separator: "\n"))
            """
        let end = try await run(.semelctl, ["explain", "-f", "-"], input: Array(text.utf8))
        return end.stdoutText + end.stderrText
    }

    // MARK: Several hosts

    @Test func theOneThatIsMaster() async throws {
        let master = try await RedisServer.start()
        let replica = try await RedisServer.start(configuration: ["replicaof 127.0.0.1 \(master.port)"])
        let nobody = try FreePort.next()
        try await master.command("RPUSH", "q", "m")
        let hosts = "127.0.0.1:\(nobody),127.0.0.1:\(replica.port),127.0.0.1:\(master.port)"
        let end = try await Worker(url: "redis://\(hosts)/0?list=q", task: Shell.succeeding).end()
        end.expect(0, "completed", attempt: 1)
        #expect(end.text == "m")
        try await master.kill()
        let second = "127.0.0.1:\(nobody),127.0.0.1:\(master.port)"
        try await Worker(url: "redis://\(second)/0?list=q", task: ["true"]).end().expect(
            69, "unreachable", saying: "127.0.0.1:\(nobody): cannot connect", "127.0.0.1:\(master.port): cannot connect"
        )
        // What is left takes no writes.
        try await Worker(url: "redis://\(hosts)/0?list=q", task: ["true"]).end().expect(
            69, "unreachable", saying: "READONLY")
    }

    /// The master dies and somebody makes the replica master: the claim is there, too.
    @Test func anotherBecomesMaster() async throws {
        let first = try await RedisServer.start(configuration: ["repl-diskless-sync-delay 0"])
        let second = try await RedisServer.start(configuration: ["replicaof 127.0.0.1 \(first.port)"])
        let notes = try Notes()
        try await first.command("RPUSH", "q", "m")
        let url = "redis://127.0.0.1:\(first.port),127.0.0.1:\(second.port)/0?list=q"
        let worker = try Worker(url: url, ["--lease", "30s"], task: notes.held())
        try await worker.waitForTask()
        try await eventually(timeout: .seconds(60), "the claim is replicated") {
            try await second.command("EXISTS", "{q}:leases").integer == 1
        }
        try await first.kill()
        try await second.command("REPLICAOF", "NO", "ONE")
        try notes.allow()
        try await worker.end().expect(0, "completed", attempt: 1)
        #expect(notes.runs == ["m 1"])
        #expect(try await second.command("EXISTS", "q", "{q}:leases", "{q}:payloads").integer == 0)
    }

    // MARK: Sentinel

    @Test(arguments: [nil, Credentials.wrong] as [String?])
    func failoverUnderATask(_ password: String?) async throws {
        let group = try await RedisSentinels.start(password: password)
        let directory = try TemporaryDirectory("sentinel")
        let file = try directory.write(password ?? "", to: "password")
        let url = group.url(list: "q", options: password == nil ? "" : "&sentinelPasswordFile=\(file)")
        let notes = try Notes()
        try await group.first.command("RPUSH", "q", "m")
        let worker = try Worker(url: url, ["--lease", "40s"], secrets: [Credentials.wrong], task: notes.held())
        try await worker.waitForTask()
        try await eventually(timeout: .seconds(60), "the claim is replicated") {
            try await group.second.command("EXISTS", "{q}:leases").integer == 1
        }
        try await group.first.kill()
        try notes.allow()
        let end = try await worker.end()
        end.expect(0, "completed", attempt: 1)
        #expect(notes.runs == ["m 1"])
        #expect(try await group.second.command("ROLE").array?.first?.text == "master")
        #expect(try await group.second.command("EXISTS", "q", "{q}:leases", "{q}:payloads").integer == 0)
        try await group.second.command("RPUSH", "q", "n")
        try await Worker(url: url, secrets: [Credentials.wrong], task: ["true"]).end().expect(
            0, "completed", attempt: 1)
    }

    @Test func anOrdinaryServerIsNoSentinel() async throws {
        let server = try await RedisServer.start()
        try await Worker(url: "redis+sentinel://127.0.0.1:\(server.port)/0?master=m&list=q", task: ["true"]).end()
            .expect(
                78, "misconfigured", saying: "127.0.0.1:\(server.port)", "it is no sentinel; use redis://")
    }

    @Test func sentinelsThatDoNotHelp() async throws {
        let group = try await RedisSentinels.start(password: Credentials.wrong)
        let secrets = [Credentials.wrong]
        let directory = try TemporaryDirectory("sentinel")
        let file = try directory.write(Credentials.wrong, to: "password")
        let known = "&sentinelPasswordFile=\(file)"
        try await Worker(url: group.url(list: "q"), secrets: secrets, task: ["true"]).end().expect(
            77, "refused", saying: "NOAUTH", "127.0.0.1:\(group.sentinels[0].port)")
        try await Worker(url: group.url(list: "q", master: "nobody", options: known), task: ["true"]).end().expect(
            78, "misconfigured", saying: "‘nobody’", "knows no such master")
        let read = try await explain(
            "redis-sentinel",
            [
                "addresses": group.sentinels.map { "127.0.0.1:\($0.port)" }.joined(separator: ","), "listName": "q",
                "sentinelMaster": RedisSentinels.master,
            ], ["sentinelPassword": Credentials.wrong])
        #expect(read.contains("= 0, read just now"), "\(read)")
        for sentinel in group.sentinels { try await sentinel.kill() }
        try await Worker(url: group.url(list: "q", options: known), secrets: secrets, task: ["true"]).end().expect(
            69, "unreachable", saying: "127.0.0.1:\(group.sentinels[2].port): cannot connect")
    }

    // MARK: Cluster

    @Test func everyNodeLeadsThere() async throws {
        let authority = try await CertificateAuthority()
        let certificate = try await authority.issue()
        let tls = try (0..<3).map { _ in try RedisTLS(certificate, clientsOf: authority) }
        let cluster = try await RedisCluster.start(configuration: tls.map { $0.configuration + ["tls-cluster yes"] })
        let owner = try await cluster.owner(of: "q")
        let other = cluster.nodes[(owner + 1) % 3].port
        // In order, through a node that has not got the list.
        let bodies = (1...3000).map { "body \($0)" }
        let url = "redis://127.0.0.1:\(other)/0?list=q"
        let queued = try await run(
            .semelctl, ["enqueue", "--lines"], environment: ["SEMEL_QUEUE": url],
            input: Array(bodies.joined(separator: "\n").utf8))
        #expect(queued.status == .exited(0), "\(queued.stderrText)")
        let list = try await cluster.nodes[owner].command("LRANGE", "q", "0", "-1").array?.compactMap(\.text)
        #expect(list == bodies)
        for (index, node) in cluster.nodes.enumerated() {
            let end = try await Worker(url: "redis://127.0.0.1:\(node.port)/0?list=q", task: Shell.succeeding).end()
            end.expect(0, "completed", attempt: 1)
            #expect(end.text == bodies[index])
        }
        for (index, tls) in tls.enumerated() {
            let url = "rediss://127.0.0.1:\(tls.port)/0?list=q&cacert=\(authority.certificate)"
            let end = try await Worker(url: url, task: Shell.succeeding).end()
            end.expect(0, "completed", attempt: 1)
            #expect(end.text == bodies[3 + index])
        }
        let seeds = "127.0.0.1:\(try FreePort.next()),127.0.0.1:\(other)"
        try await Worker(url: "redis://\(seeds)/0?list=q", task: ["true"]).end().expect(0, "completed", attempt: 1)
        try await Worker(url: "redis://\(seeds)/1?list=q", task: ["true"]).end().expect(
            78, "misconfigured", saying: "a cluster has database 0 and no other")
        let read = try await explain(
            "redis-cluster", ["addresses": seeds, "listName": "q", "listLength": "1"])
        #expect(read.contains("= 2993, read just now"), "\(read)")
    }

    /// The slot goes to another node: its keys first, and only then is everybody told.
    @Test(arguments: [0, 3, 65])
    func theSlotMovesUnderATask(_ status: Int) async throws {
        let cluster = try await RedisCluster.start()
        let (source, slot) = (try await cluster.owner(of: "q"), try await cluster.slot(of: "q"))
        let target = (source + 1) % 3
        let notes = try Notes()
        try await cluster.nodes[source].command("RPUSH", "q", "m")
        let url = "redis://127.0.0.1:\(cluster.nodes[target].port)/0?list=q"
        let worker = try Worker(url: url, ["--lease", "6s"], task: notes.held(exit: status))
        try await worker.waitForTask()
        try await cluster.beginMove(of: slot, from: source, to: target)
        try await cluster.moveKeys(of: slot, from: source, to: target)
        try notes.allow()
        try await worker.waitUntilSettling()
        try await cluster.endMove(of: slot, to: target)
        let end = try await worker.end()
        #expect(end.report?.outcome == [0: "completed", 3: "retry", 65: "dead-lettered"][status], "\(end.stderr)")
        #expect(notes.runs == ["m 1"])
        let node = cluster.nodes[target]
        #expect(try await node.command("LLEN", "q").integer == 0)
        #expect(try await node.command("ZCARD", "{q}:leases").integer == (status == 3 ? 1 : 0))
        #expect(try await node.command("XLEN", "{q}:dead").integer == (status == 65 ? 1 : 0))
    }

    /// A worker that waits finds the list at its new place, also while it is on its way there.
    @Test(arguments: [true, false])
    func theSlotMovesUnderOneThatWaits(_ whileMoving: Bool) async throws {
        let cluster = try await RedisCluster.start()
        let (source, slot) = (try await cluster.owner(of: "q"), try await cluster.slot(of: "q"))
        let target = (source + 1) % 3
        let worker = try Worker(
            url: "redis://127.0.0.1:\(cluster.nodes[source].port)/0?list=q", ["--wait", "5m"], task: Shell.succeeding)
        try await eventually(timeout: .seconds(60), "it waits: \(worker.process.report)") {
            try await cluster.nodes[source].command("CLIENT", "LIST").text?.contains("cmd=blmove") ?? false
        }
        try await cluster.beginMove(of: slot, from: source, to: target)
        if whileMoving {
            let replies = try await cluster.nodes[target].pipeline([["ASKING"], ["RPUSH", "q", "m"]])
            #expect(replies.last == .integer(1))
        }
        try await cluster.endMove(of: slot, to: target)
        if !whileMoving { try await cluster.nodes[target].command("RPUSH", "q", "m") }
        let end = try await worker.end()
        end.expect(0, "completed", attempt: 1)
        #expect(end.text == "m")
    }
}
