import Foundation
import KubernetesStandIn
import SemelKubernetes
import TestSupport

/// A cluster, a `groups.yaml` and its state, and `semelctl groups` as an operator calls it.
final class GroupsCluster: Sendable {
    let server: KubernetesStandIn
    let directory: TemporaryDirectory

    static let token = "tokentokentoken"

    init() async throws {
        server = try await KubernetesStandIn()
        server.cluster.accept(token: Self.token, of: "operator")
        directory = try TemporaryDirectory("groups")
        try directory.write(server.kubeconfig(user: "{token: \"\(Self.token)\"}", namespace: "work"), to: "kubeconfig")
        server.cluster.addNamespace("work")
        try write()
        try writeState(groups: 3)
    }

    var cluster: StandInCluster { server.cluster }
    var cronJobs: [CronJob] { cluster.objects(CronJob.self, in: "work") }

    func cronJob(_ group: Int) -> CronJob? { cluster.object(CronJob.self, "nightly-\(group)", in: "work") }

    func write(
        image: String = "work:1", schedule: String = "0 0 * * *", state: String = "state", more: String = ""
    ) throws {
        try directory.write(
            """
            name: nightly
            state: \(state)
            schedule: "\(schedule)"
            timeZone: Europe/Berlin
            window: 00:00-05:00
            \(more)
            jobTemplate:
              spec:
                template:
                  spec:
                    restartPolicy: Never
                    containers:
                      - name: work
                        image: \(image)
                        env: [{name: PASSWORD, value: s3cret-\(image.suffix(1))}]

            """, to: "groups.yaml")
    }

    func writeState(groups: Int) throws {
        let lines = (0..<groups).map { "group \($0 + 1) items 2 first k\($0)a last k\($0)b\n" }
        let items = (0..<groups).map { "\($0 + 1) k\($0)a\n\($0 + 1) k\($0)b\n" }
        try directory.write(
            "semel-groups 1\nlayout keys\ncapacity 2\ngroups \(groups)\n\(lines.joined())\n\(items.joined())",
            to: "state")
    }

    func start(_ command: String, _ arguments: [String], _ variables: [String: String] = [:]) throws -> RunningProcess {
        try start(["groups", command, "-f", directory.path("groups.yaml")] + arguments, variables)
    }

    private func start(_ words: [String], _ variables: [String: String]) throws -> RunningProcess {
        let environment = ["KUBECONFIG": directory.path("kubeconfig")].merging(variables) { $1 }
        return try RunningProcess(
            .semelctl, words, environment: RunningProcess.environment(adding: environment))
    }

    /// `groups assign` with its state in a ConfigMap.
    func startAssigning(to state: String = "configmap:nightly-state", _ arguments: [String]) throws -> RunningProcess {
        try start(["groups", "assign", "--state", state] + arguments, [:])
    }

    /// Runs it to its end, and looks for secrets in what it printed.
    func run(_ command: String, _ arguments: String..., variables: [String: String] = [:]) async throws -> CtlEnd {
        try await end(of: start(command, arguments, variables))
    }

    func end(of process: RunningProcess) async throws -> CtlEnd {
        let status = try await process.waitForExit(timeout: .seconds(90))
        let end = CtlEnd(status: status, stdout: process.stdout.bytes, stderrText: process.stderr.text)
        for secret in [Self.token, "s3cret"] where (end.stdoutText + end.stderrText).contains(secret) {
            throw SupportError("a secret was printed: \(process.report)")
        }
        return end
    }

    func apply(_ arguments: String...) async throws -> CtlEnd {
        try await end(of: start("apply", arguments))
    }

    /// Requests that changed something, or were refused to.
    var writes: [StandInCluster.Seen] {
        cluster.seen.filter { $0.method != "GET" && !($0.target + $0.body).contains("dryRun") }
    }
}
