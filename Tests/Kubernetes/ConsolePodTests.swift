import Foundation
import Glibc
import KubernetesStandIn
import TestSupport
import Testing

/// The console's pod as a process, its volumes as files, beside a cluster: chart and `semelctl console` cannot drift apart.
@Suite struct ConsolePodTests {
    private static let token = String(repeating: "t0ken-", count: 4)
    private static let key = "{token: key-of-the-service-account}"
    private let directory: TemporaryDirectory
    private let port: Int

    init() throws {
        directory = try TemporaryDirectory("console")
        port = try FreePort.next()
    }

    @Test(arguments: Chart.consolePresets)
    func itIsReadyAndShowsWhatItShould(_ preset: String) async throws {
        let queue = try await QueueKind.redis.make()
        try await queue.put("a", "b")
        let scaledJob = """
            apiVersion: keda.sh/v1alpha1
            kind: ScaledJob
            metadata: {name: scans}
            spec:
              jobTargetRef:
                template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}
              triggers: [{type: redis, metadata: {address: "127.0.0.1:1", listName: a, listLength: "1"}}]
            """
        let values: Node = [
            "queues": ["urls": ["scans": .text(queue.url)]],
            "auth": ["existingSecret": "", "token": .text(Self.token)],
            "scaledJobs": ["scans.yaml": .text(scaledJob)],
        ]
        let objects = try await Chart.render(preset, values, chart: "\(Chart.root)/k8s/console")
        let cluster = try await KubernetesStandIn()
        cluster.cluster.accept(token: "key-of-the-service-account", of: "console")
        cluster.cluster.addNamespace("jobs")
        let console = try start(objects, cluster)
        let container = objects["Deployment"]["spec.template.spec.containers.0"]
        for probe in ["readinessProbe", "livenessProbe"] {
            try await eventually(timeout: .seconds(60), "\(probe): \(console.report)") {
                let path = container["\(probe).httpGet.path"].text ?? ""
                return await (try? HTTP.get(port: port, path: path))?.status == 200
            }
        }
        #expect(try await HTTP.get(port: port, path: "/api/queues").status == 401)

        let queues = try await object("/api/queues")["queues"].items
        #expect(queues.count == 1)
        try await eventually("the queue is counted") {
            try await object("/api/queues")["queues.0.ready"] == 2
        }
        let workers = try await object("/api/workers")
        #expect(workers["problem"] == .null && workers["jobs"] != .null, "\(workers)")
        #expect(try await object("/api/decisions")["decisions.0.scaledJob"] == "scans")

        console.send(SIGTERM)
        let grace = objects["Deployment"]["spec.template.spec.terminationGracePeriodSeconds"].number ?? 0
        #expect(try await console.waitForExit(timeout: .seconds(grace)) == .exited(0), "\(console.report)")
        #expect(!console.report.contains(Self.token) && !console.report.contains("key-of"))
    }

    private func object(_ path: String) async throws -> Node {
        let answer = try await HTTP.get(
            port: port, path: path, headers: ["Authorization": "Bearer \(Self.token)"], timeout: .seconds(30))
        #expect(answer.status == 200, "\(path): \(answer.text)")
        return try JSONDecoder().decode(Node.self, from: Data(answer.body))
    }

    /// The container's arguments, with what a kubelet would change in them: volumes lie in a directory of the test's.
    private func start(_ objects: Objects, _ cluster: KubernetesStandIn) throws -> RunningProcess {
        let pod = objects["Deployment"]["spec.template.spec"]
        for mount in pod["containers.0.volumeMounts"].items {
            let volume = pod["volumes"].items.first { $0["name"] == mount["name"] } ?? .null
            let name = volume["secret.secretName"] == .null ? volume["configMap.name"] : volume["secret.secretName"]
            let source = objects.all.first {
                ["Secret", "ConfigMap"].contains($0["kind"].text) && $0["metadata.name"] == name
                    && ($0["kind"] == "Secret") == (volume["secret"] != .null)
            }
            let path = try #require(mount["mountPath"].text)
            try FileManager.default.createDirectory(
                atPath: directory.path + path, withIntermediateDirectories: true)
            let files = source?["stringData"].map ?? [:]
            for (file, text) in files.merging(source?["data"].map ?? [:], uniquingKeysWith: { $1 }) {
                try directory.write(text.text ?? "", to: "\(path.dropFirst())/\(file)", mode: 0o440)
            }
        }
        let kubeconfig = try directory.write(cluster.kubeconfig(user: Self.key), to: "kubeconfig", mode: 0o600)
        let words = pod["containers.0.args"].items.compactMap(\.text).map { word in
            Kubelet.expand(word, ["POD_NAMESPACE": "jobs"])
                .replacing("/etc/semel/", with: "\(directory.path)/etc/semel/")
                .replacing("0.0.0.0:8080", with: "127.0.0.1:\(port)")
        }
        return try RunningProcess(
            .semelctl, words, environment: RunningProcess.environment(adding: ["KUBECONFIG": kubeconfig]))
    }
}
