import SemelKEDA
import Testing

/// A pod's container as a command of this machine.
@Suite struct PodCommandTests {
    private static let identity = PodCommand.Identity(
        name: "scans-7-1", jobName: "scans-7", address: "127.16.0.7", node: "desk")
    private static let semel = PodCommand.Image(entrypoint: ["semel", "run", "--"])

    private func command(_ container: String, _ image: PodCommand.Image = semel) throws -> PodCommand {
        let text = """
            apiVersion: keda.sh/v1alpha1
            kind: ScaledJob
            metadata: {name: scans, namespace: jobs}
            spec:
              triggers: [{type: cron}]
              jobTargetRef:
                template:
                  metadata: {labels: {app: scans}}
                  spec:
                    serviceAccountName: scanner
                    containers: [{name: worker, \(container)}]
            ---
            {apiVersion: v1, kind: ConfigMap, metadata: {name: map}, data: {LEVEL: info}}
            """
        let manifest = try Manifest(text, file: "test")
        return try PodCommand(try #require(manifest.scaledJobs.first), in: manifest, image, Self.identity)
    }

    @Test(
        arguments: [
            ("args: [task, x]", nil, ["semel", "run", "--", "task", "x"]),
            ("command: [sh], args: [-c, x]", nil, ["sh", "-c", "x"]),
            ("command: [sh]", nil, ["sh"]),
            ("image: i", ["task"], ["semel", "run", "--", "task"]),
            ("args: [task, x]", ["other"], ["semel", "run", "--", "other"]),
            ("env: [{name: SEMEL_COMMAND, value: task}]", nil, ["semel", "run"]),
            (
                "env: [{name: A, value: b}], command: [sh, \"$(A)\"], args: [\"$$(A)\", \"$(B)\"]", nil,
                ["sh", "b", "$(A)", "$(B)"]
            ),
        ] as [(String, [String]?, [String])])
    func words(_ container: String, _ task: [String]?, _ words: [String]) throws {
        var image = Self.semel
        image.arguments = task
        #expect(try command(container, image).words == words)
    }

    @Test func anEntrypointReplacesTheCommand() throws {
        let image = PodCommand.Image(entrypoint: ["mine"], replacesCommand: true)
        #expect(try command("command: [sh], args: [-c, x]", image).words == ["mine", "-c", "x"])
    }

    @Test func fields() throws {
        let paths = [
            "metadata.name", "metadata.namespace", "status.podIP", "status.hostIP", "spec.nodeName",
            "spec.serviceAccountName", "metadata.labels['app']", "metadata.labels['job-name']",
            "metadata.annotations['none']",
        ]
        let entries = paths.enumerated().map {
            "{name: V\($0), valueFrom: {fieldRef: {fieldPath: \"\($1)\"}}}"
        }
        let command = try command(
            "args: [x], envFrom: [{configMapRef: {name: map}, prefix: P_}], env: [\(entries.joined(separator: ", "))]")
        let values = paths.indices.map { command.environment["V\($0)"] }
        #expect(
            values == [
                "scans-7-1", "jobs", "127.16.0.7", "127.0.0.1", "desk", "scanner", "scans", "scans-7", "",
            ])
        #expect(command.environment["HOSTNAME"] == "scans-7-1" && command.environment["P_LEVEL"] == "info")
    }

    /// Many pods cannot listen on every address of one machine.
    @Test(arguments: [
        (nil, "127.16.0.7:8082"), ("0.0.0.0:9000", "127.16.0.7:9000"), ("[::]:9000", "127.16.0.7:9000"),
        (":9000", "127.16.0.7:9000"), ("off", "off"), ("127.0.0.1:9000", "127.0.0.1:9000"),
    ])
    func statusAddress(_ written: String?, _ address: String) throws {
        let variable = written.map { ", env: [{name: SEMEL_STATUS_ADDRESS, value: \"\($0)\"}]" } ?? ""
        #expect(try command("args: [x]\(variable)").environment["SEMEL_STATUS_ADDRESS"] == address)
    }

    @Test(arguments: [
        ("image: i", "neither command nor args"),
        (
            "args: [x], env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]",
            "variable ‘A’: Secret ‘s’ is not"
        ),
        ("args: [x], env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.phase}}}]", "give it with --env A=VALUE"),
        ("args: [x], env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]", "‘limits.cpu’ is known"),
        ("args: [x], envFrom: [{secretRef: {name: none}}]", "‘none’ is not in the files"),
    ])
    func whatIsMissing(_ container: String, _ complaint: String) {
        #expect(throws: TriggerError.self) { try command(container) }
        do { _ = try command(container) } catch { #expect("\(error)".contains(complaint), "\(error)") }
    }
}
