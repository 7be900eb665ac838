import KubernetesStandIn
import SemelKubernetes
import TestSupport
import Testing

/// Workers that are pods: `--kubernetes`.
struct ClusterTests {
    private let server: KubernetesStandIn
    private let directory: TemporaryDirectory
    private static let token = "a-token-of-the-cluster"

    init() async throws {
        server = try await KubernetesStandIn()
        directory = try TemporaryDirectory("cluster")
        server.cluster.accept(token: Self.token, of: "console")
        server.cluster.addNamespace("jobs")
        try directory.write(server.kubeconfig(user: "{token: \(Self.token)}"), to: "kubeconfig", mode: 0o600)
        try directory.write(
            """
            apiVersion: keda.sh/v1alpha1
            kind: ScaledJob
            metadata: {name: scans}
            spec:
              jobTargetRef:
                template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}
              triggers: [{type: redis, metadata: {address: "127.0.0.1:1", listName: a, listLength: "1"}}]
            """, to: "scaledjob.yaml")
    }

    private func start(_ queue: any QueueUnderTest) async throws -> ConsoleUnderTest {
        try await .start(
            urls: [queue.url],
            [
                "--kubernetes", "jobs", "--kubeconfig", directory.path("kubeconfig"),
                "-f", directory.path("scaledjob.yaml"),
            ], secrets: queue.secrets + [Self.token])
    }

    @Test func workersArePods() async throws {
        let queue = try await QueueKind.spool.make()
        try await Scene.enqueue(queue, "m1", "a body")
        let worker = try PacedWorker(queue)
        try await worker.waitUntilItRuns()
        try worker.say("0.5 half of it")
        put(worker)
        let console = try await start(queue)
        try await eventually(timeout: .seconds(30), "the worker tells how far it is") {
            try await known(to: console)["scans-running"]?["note"] as? String == "half of it"
        }
        let workers = try await known(to: console)
        #expect(Set(workers.keys) == ["scans-running", "scans-waiting", "scans-lost"], "no others")
        #expect(workers["scans-running"]?["state"] as? String == "ING")
        #expect(workers["scans-running"]?["node"] as? String == "node-a")
        #expect(workers["scans-waiting"]?["state"] as? String == "PENDING")
        #expect(workers["scans-waiting"]?["problem"] as? String == "ImagePullBackOff: no such image")
        #expect(workers["scans-lost"]?["state"] as? String == "SILENT")
        try await pages(console)

        let decisions = try await console.object("/api/decisions")["decisions"] as? [[String: Any]]
        let decision = try #require(decisions?.first)
        #expect(decision["running"] as? Int == 2 && decision["pending"] as? Int == 1)
        #expect((decision["problems"] as? [String])?.count == 1, "the queue's")

        // As much as the chart's Role allows.
        let asked = Set(server.cluster.seen.map { "\($0.method) \($0.target.split(separator: "?")[0])" })
        #expect(
            asked == [
                "GET /api/v1/namespaces/jobs/pods", "GET /apis/batch/v1/namespaces/jobs/jobs",
            ])
        #expect(server.cluster.seen.allSatisfy { $0.user == "console" })
        #expect(try await worker.finish().status == .exited(0))
        try await console.stop()
    }

    private func pages(_ console: ConsoleUnderTest) async throws {
        try await withBrowser { browser in
            try await browser.open(console.url("/workers"))
            try await browser.waitUntil("the pods are there") { try await browser.findAll("article").count == 3 }
            let text = try await browser.read("main")
            for words in ["50 %", "half of it", "ImagePullBackOff: no such image", "node-a", "does not answer at"] {
                #expect(text.contains(words), "\(text)")
            }
            let ended = try await browser.read("tbody")
            for words in ["scans-ended", "dead-lettered", "m0", "65", "no such file"] {
                #expect(ended.contains(words), "\(ended)")
            }
            try await Looks.expectGood(browser, "/workers")
            try await browser.open(console.url("/"))
            let numbers =
                "return [...document.querySelectorAll('[aria-labelledby=jobs] dd')].map(e => e.textContent).join()"
            try await browser.waitUntil("the Jobs are there") { try await browser.run(numbers) == "1,1,1,1" }
        }
    }

    /// A right that is taken away while somebody looks.
    @Test func whatWasSeenStaysWithItsTime() async throws {
        let queue = try await QueueKind.spool.make()
        put(nil)
        let console = try await start(queue)
        try await eventually(timeout: .seconds(30), "the pods are read") {
            try await known(to: console).count == 2
        }
        server.cluster.deny(.init(resource: "pods"))
        let complaint = "cannot list resource \"pods\""
        try await eventually(timeout: .seconds(30), "the console says that it may not") {
            let problem = try await console.object("/api/workers")["problem"] as? String
            return problem?.contains(complaint) == true
        }
        #expect(try await known(to: console).count == 2)
        for path in ["/", "/workers"] {
            let text = try await console.get(path).text
            #expect(
                text.firstMatch(of: #/cannot be read since \d{4}-\d\d-\d\d [\d:]{8}Z: /#) != nil, "\(path): \(text)")
        }
        let decisions = try await console.object("/api/decisions")["decisions"] as? [[String: Any]]
        let problems = decisions?.first?["problems"] as? [String]
        #expect(problems?.contains { $0.hasPrefix("Nobody knows how many Jobs") } == true)
        try await console.stop()
    }

    @Test func whoMayNotLookIsTold() async throws {
        server.cluster.deny(.init(resource: "pods"))
        let console = try await start(QueueKind.spool.make())
        try await eventually(timeout: .seconds(30), "the page says why there are no workers") {
            try await console.get("/workers").text.contains("The workers cannot be read: ")
        }
        try await console.stop()
    }

    private func known(to console: ConsoleUnderTest) async throws -> [String: [String: Any]] {
        let workers = try await console.object("/api/workers")["workers"] as? [[String: Any]] ?? []
        return Dictionary(uniqueKeysWithValues: workers.map { ($0["name"] as? String ?? "", $0) })
    }

    // MARK: What is in the cluster

    private func put(_ worker: PacedWorker?) {
        if let worker {
            let port = Int64(worker.address.split(separator: ":").last ?? "") ?? 0
            pod("scans-running", "Running", status: ["podIP": "127.0.0.1"], port: port)
        }
        pod("scans-lost", "Running", status: ["podIP": "127.0.0.1"], port: 1)
        let waiting: JSONValue = ["waiting": ["reason": "ImagePullBackOff", "message": "no such image"]]
        pod("scans-waiting", "Pending", status: ["containerStatuses": [["name": "task", "state": waiting]]])
        let record = #"{"attempt":1,"messageId":"m0","outcome":"dead-lettered","reason":"no such file","taskExit":65}"#
        let end: JSONValue = [
            "terminated": [
                "exitCode": 65, "reason": "Error", "finishedAt": "2026-11-21T14:51:26Z", "message": .string(record),
            ]
        ]
        pod("scans-ended", "Failed", status: ["containerStatuses": [["name": "task", "state": end]]])
        pod("foreign", "Running", status: ["podIP": "127.0.0.1"], labels: ["app": "other"])

        job("running", ["active": 1, "ready": 1])
        job("pending", ["active": 1, "ready": 0])
        job("done", ["succeeded": 1, "conditions": [["type": "Complete", "status": "True"]]])
        job("failed", ["failed": 1, "conditions": [["type": "Failed", "status": "True"]]])
    }

    private func pod(
        _ name: String, _ phase: String, status: JSONValue, port: Int64? = nil,
        labels: [String: String] = ["scaledjob.keda.sh/name": "scans"]
    ) {
        var pod = Pod(name: name, namespace: "jobs")
        pod.labels = labels
        var container: JSONValue = ["name": "task", "image": "task"]
        if let port { container["ports"] = [["name": "status", "containerPort": .integer(port)]] }
        pod.json["spec"] = ["nodeName": "node-a", "containers": [container]]
        pod.json["status"] = status
        pod.json["status", "phase"] = .string(phase)
        server.cluster.put(pod)
    }

    private func job(_ name: String, _ status: JSONValue) {
        var job = Job(name: name, namespace: "jobs")
        job.labels = ["scaledjob.keda.sh/name": "scans"]
        job.json["status"] = status
        server.cluster.put(job)
    }
}
