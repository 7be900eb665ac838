import KubernetesStandIn
import Semel
import SemelKubernetes
import TestSupport

/// A stand-in for a cluster and a client of it that comes by a kubeconfig, as an operator's does.
struct Fixture: Sendable {
    let server: KubernetesStandIn
    let directory: TemporaryDirectory
    let warnings: Warnings
    let client: KubernetesClient

    var cluster: StandInCluster { server.cluster }

    init(
        user: String = "{}", cluster: String? = nil, authority: CertificateAuthority? = nil,
        names: [String] = CertificateAuthority.loopback, validity: CertificateAuthority.Validity = .today,
        host: String = "127.0.0.1", patience: Duration = .seconds(30)
    ) async throws {
        server = try await KubernetesStandIn(authority: authority, names: names, validity: validity, host: host)
        directory = try TemporaryDirectory("kubeconfig")
        let file = try directory.write(server.kubeconfig(user: user, cluster: cluster), to: "config")
        let configuration = try KubernetesConfiguration.find(kubeconfig: file, environment: [:])
        let warnings = Warnings()
        self.warnings = warnings
        client = KubernetesClient(configuration, patience: patience) { warnings.add($0) }
    }
}

/// What the server has warned of.
final class Warnings: Sendable {
    private let lines = Locked<[String]>([])
    var all: [String] { lines.value }

    func add(_ line: String) {
        lines.change { $0.append(line) }
    }
}

/// The failure of something that has to fail.
func failure<Result>(
    isolation: isolated (any Actor)? = #isolation, of body: () async throws -> Result
) async throws -> KubernetesError {
    do {
        _ = try await body()
    } catch let error as KubernetesError {
        return error
    }
    throw SupportError("nothing has failed")
}

extension CronJob {
    static func sample(_ name: String = "nightly", schedule: String = "0 3 * * *", image: String = "app:1") -> CronJob {
        var job = CronJob(name: name)
        job.json["spec"] = [
            "schedule": .string(schedule),
            "jobTemplate": [
                "spec": [
                    "template": [
                        "spec": [
                            "restartPolicy": "Never",
                            "containers": [
                                ["name": "main", "image": .string(image), "env": [["name": "A", "value": "1"]]]
                            ],
                        ]
                    ]
                ]
            ],
        ]
        return job
    }

    var container: JSONValue {
        jobTemplate["spec", "template", "spec", "containers"]?.array?.first ?? [:]
    }
}

extension ConfigMap {
    static func sample(_ name: String, _ data: [String: String] = [:], labels: [String: String] = [:]) -> ConfigMap {
        var map = ConfigMap(name: name)
        map.data = data
        map.labels = labels
        return map
    }
}
