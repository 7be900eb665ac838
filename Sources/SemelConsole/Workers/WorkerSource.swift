import Semel
public import SemelKubernetes

/// Where the workers are.
public enum WorkerSource: Sendable {
    case none
    /// `HOST:PORT` of each one's status endpoint.
    case addresses([String])
    /// The pods of a namespace, which have to be reachable from here.
    case kubernetes(KubernetesClient, namespace: String)
}

extension WorkerSource {
    func read(_ reader: WorkerReader) async throws(KubernetesError) -> WorkersReading {
        switch self {
        case .none: return WorkersReading(time: .now)
        case .addresses(let addresses):
            let workers = addresses.map { WorkerDocument(name: $0, address: $0, state: "SILENT") }
            return WorkersReading(workers: await reader.ask(workers), time: .now)
        case .kubernetes(let client, let namespace):
            let pods = try await client.list(Pod.self, in: namespace).items
            let jobs = try await client.list(Job.self, in: namespace, labels: WorkerPods.scaledJobLabel).items
            return await WorkersReading(pods: pods.filter(WorkerPods.isWorker), jobs: jobs, reader)
        }
    }
}

enum WorkerPods {
    /// KEDA's, on the Jobs of a ScaledJob and on their pods.
    static let scaledJobLabel = "scaledjob.keda.sh/name"
    private static let defaultPort: Int64 = 8082
    static let mostEnded = 100

    /// A ScaledJob's, or one of a chart's long-lived workers.
    static func isWorker(_ pod: Pod) -> Bool {
        pod.labels[scaledJobLabel] != nil || pod.labels["app.kubernetes.io/name"] == "semel"
    }

    static func worker(_ pod: Pod) -> WorkerDocument {
        guard pod.phase == "Running", let host = pod.address else {
            let waiting = (pod.initContainers + pod.containers).first { $0.waitingReason != nil }
            let unschedulable = pod.conditions.first { $0.type == "PodScheduled" && !$0.isTrue }
            let words = [waiting?.waitingReason, waiting?.waitingMessage].compactMap { $0 }
            var worker = WorkerDocument(name: pod.name, state: "PENDING")
            worker.problem =
                words.isEmpty ? unschedulable?.message ?? pod.reason ?? pod.message : words.joined(separator: ": ")
            worker.node = pod.node
            return worker
        }
        let name = host.contains(":") ? "[\(host)]" : host
        var worker = WorkerDocument(name: pod.name, address: "\(name):\(port(of: pod))", state: "SILENT")
        worker.node = pod.node
        return worker
    }

    /// The container port that is called `status`.
    private static func port(of pod: Pod) -> Int64 {
        let containers = pod.json["spec", "containers"]?.array ?? []
        let ports = containers.flatMap { $0["ports"]?.array ?? [] }
        return ports.first { $0["name"]?.string == "status" }?["containerPort"]?.integer ?? defaultPort
    }

    static func ended(_ pod: Pod) -> EndedWorkerDocument {
        let end = pod.containers.compactMap(\.end).max { ($0.finishedAt ?? "") < ($1.finishedAt ?? "") }
        let record = end?.message.flatMap { try? JSONValue(parsing: Array($0.utf8)) }
        var document = EndedWorkerDocument(name: pod.name)
        document.outcome = record?["outcome"]?.string
        document.messageId = record?["messageId"]?.string
        document.attempt = record?["attempt"]?.integer.flatMap { Int(exactly: $0) }
        document.reason =
            record?["reason"]?.string ?? end?.reason.flatMap { $0 == "Completed" ? nil : $0 } ?? pod.message
            ?? pod.reason
        document.exit = end.flatMap { Int(exactly: $0.exitCode) }
        document.time = end?.finishedAt
        return document
    }
}

extension WorkersReading {
    init(pods: [Pod], jobs: [Job], _ reader: WorkerReader) async {
        let alive = pods.filter { !["Succeeded", "Failed"].contains($0.phase) }
        workers = await reader.ask(alive.map(WorkerPods.worker).sorted { $0.name < $1.name })
        ended = Array(
            pods.filter { ["Succeeded", "Failed"].contains($0.phase) }.map(WorkerPods.ended)
                .sorted { ($0.time ?? "") > ($1.time ?? "") }.prefix(WorkerPods.mostEnded))
        self.jobs = Dictionary(grouping: jobs) { $0.labels[WorkerPods.scaledJobLabel] ?? "" }
            .mapValues { JobCounts($0) }
        time = .now
    }
}

extension JobCounts {
    init(_ jobs: [Job]) {
        for job in jobs {
            if job.isComplete {
                succeeded += 1
            } else if job.failure != nil {
                failed += 1
            } else if (job.json["status", "ready"]?.integer ?? 0) > 0 {
                running += 1
            } else {
                pending += 1
            }
        }
    }
}
