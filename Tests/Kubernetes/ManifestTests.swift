import Foundation
import TestSupport
import Testing

@Suite(.serialized)
struct ManifestTests {
    private func script(_ name: String, _ arguments: [String]) async throws -> Finished {
        try await run(Executable(path: "\(Chart.root)/scripts/\(name)"), arguments, timeout: .seconds(240))
    }

    private func read(_ name: String) throws -> String {
        try String(contentsOfFile: "\(Chart.root)/\(name)", encoding: .utf8)
    }

    @Test(arguments: Chart.presets)
    func theChartIsClean(_ preset: String) async throws {
        let finished = try await Chart.helm([
            "lint", "--strict", "--values", "\(Chart.root)/k8s/presets/\(preset).yaml", "\(Chart.root)/k8s/chart",
        ])
        #expect(finished.status == .exited(0), "\(finished.stdoutText)\(finished.stderrText)")
    }

    @Test func everyPresetIsTested() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(Chart.root)/k8s/presets")
        #expect(Set(files) == Set(Chart.allPresets.map { "\($0).yaml" }))
    }

    /// `make manifests` brings them up to date.
    @Test func whatIsRenderedIsCurrent() async throws {
        let directory = try TemporaryDirectory("manifests")
        let made = try await script("manifests", [directory.path("new")])
        #expect(made.status == .exited(0), "\(made.stderrText)")
        let difference = try await run(
            .installed("diff"), ["-r", "\(Chart.root)/k8s/manifests", directory.path("new")])
        #expect(difference.status == .exited(0), "run make manifests: \(difference.stdoutText)")
    }

    /// By Kubernetes' own schemas, and by what KEDA 2.15 to 2.20 know.
    @Test func manifestsAreStrictlyValid() async throws {
        let checked = try await script("check-manifests", ["\(Chart.root)/k8s/manifests", "\(Chart.root)/k8s/dev"])
        #expect(checked.status == .exited(0), "\(checked.stdoutText)\(checked.stderrText)")
    }

    private static let strictCheck = Executable(path: "\(Chart.root)/../shared/tools/check-manifests")

    /// By KEDA's own schemas, where they are at hand.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: strictCheck.path)))
    func manifestsAreWhatKEDAKnows() async throws {
        let directories = Chart.allPresets.map { "\(Chart.root)/k8s/manifests/\($0)" } + ["\(Chart.root)/k8s/dev"]
        let checked = try await run(Self.strictCheck, directories, timeout: .seconds(240))
        #expect(checked.status == .exited(0), "\(checked.stdoutText)\(checked.stderrText)")
    }

    /// All that can be switched on at once is valid, too.
    @Test func everythingAtOnceIsValid() async throws {
        let values: Node = [
            "image": ["digest": .text("sha256:" + String(repeating: "a", count: 64))],
            "imagePullSecrets": [["name": "pull"]],
            "labels": ["kueue.x-k8s.io/queue-name": "q"], "annotations": ["a": "b"], "podLabels": ["c": "d"],
            "podAnnotations": ["e": "f"], "env": [["name": "MODEL", "value": "large"]],
            "envFrom": [["configMapRef": ["name": "more"]]], "volumes": [["name": "data", "emptyDir": [:]]],
            "volumeMounts": [["name": "data", "mountPath": "/data"]],
            "initContainers": [
                [
                    "name": "fetch", "image": "busybox:1.36", "command": ["true"],
                    "securityContext": [
                        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                        "capabilities": ["drop": ["ALL"]],
                    ],
                ]
            ],
            "command": ["my-task"], "ttlSecondsAfterFinished": 60, "tmp": ["medium": "Memory"],
            "inject": ["enabled": true],
            "networkPolicy": [
                "restrictEgress": true, "egress": [["ports": [["port": 443, "protocol": "TCP"]]]], "ingressFrom": [],
            ],
            "serviceAccount": ["annotations": ["role": "x"]], "nodeSelector": ["disk": "fast"],
            "tolerations": [["key": "gpu", "operator": "Exists"]],
            "affinity": ["nodeAffinity": [:]], "priorityClassName": "low", "runtimeClassName": "gvisor",
            "topologySpreadConstraints": [
                ["maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"]
            ],
        ]
        let directory = try TemporaryDirectory("manifests")
        for preset in ["redis-list", "rabbitmq-http", "rabbitmq-tls", "sqs-pod-identity", "sqs-scaledobject"] {
            let objects = try await Chart.render(preset, values)
            for (index, object) in objects.all.enumerated() {
                try directory.write(object.json(), to: "\(preset)-\(index).yaml")
            }
        }
        let checked = try await script("check-manifests", [directory.path])
        #expect(checked.status == .exited(0), "\(checked.stdoutText)\(checked.stderrText)")
    }

    /// The image of this version is what chart, presets and examples name.
    @Test func versionsAgree() async throws {
        let version = try await run(.semel, ["--version"]).stdoutText.split(separator: " ").last.map(String.init) ?? ""
        let number = version.trimmingCharacters(in: .newlines)
        let image = try await Chart.render("redis-list").container["image"].text
        #expect(image == "semel-runtime:\(number)")
        for example in ["PythonTask", "ShellTask"] {
            #expect(try read("Examples/\(example)/Dockerfile").hasPrefix("FROM semel-runtime:\(number)\n"))
        }
        #expect(try read("Dockerfile").contains("\nARG VERSION=\(number)\n"))
    }

    /// Swift wants every target's directory, also of those that the image does not need.
    @Test func theImageIsBuiltFromAllThatThePackageNames() throws {
        let named = try read("Package.swift").matches(of: #/path: "([A-Za-z]+)[/"]/#).map { String($0.output.1) }
        let context = try read(".dockerignore").split(separator: "\n").map(String.init)
        let dockerfile = try read("Dockerfile")
        for directory in Set(named + ["Sources"]) {
            #expect(context.contains { $0 == "!\(directory)" || $0.hasPrefix("!\(directory)/") }, "\(directory)")
            #expect(dockerfile.contains("\nCOPY \(directory)"), "\(directory)")
        }
    }

    /// Every setting of the worker is in the template, or there is a reason.
    @Test func theTemplateKnowsEverySetting() async throws {
        let help = try await run(.semel, ["--help"]).stdoutText
        let flags = help.split(separator: "\n").filter { $0.hasPrefix("  --") }.compactMap {
            $0.split(separator: " ").first.map(String.init)
        }
        let variables = Set(
            flags.map { "SEMEL_" + $0.dropFirst(2).replacing("-", with: "_").uppercased() })
        let redis = try await Chart.render("redis-list").environment().keys
        let rabbitMQ = try await Chart.render("rabbitmq-amqp").environment().keys
        let rendered = Set(redis).union(rabbitMQ).filter { $0.hasPrefix("SEMEL_") }
        // The queue is named by MQ_… and REDIS_… here; the kubelet's termination log is where semel looks by itself.
        #expect(variables.subtracting(rendered) == ["SEMEL_QUEUE", "SEMEL_QUEUE_FILE", "SEMEL_TERMINATION_LOG"])
        #expect(rendered.subtracting(variables) == [])
    }
}
