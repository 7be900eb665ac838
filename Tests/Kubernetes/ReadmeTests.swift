import Foundation
import TestSupport
import Testing

/// What the two pages tell their readers to type, typed: `helm` and `kubectl` stop where a cluster would begin.
@Suite(.serialized)
struct ReadmeTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory("readme")
        try directory.write(
            """
            #!/bin/sh
            case "$1 $2" in
            "install "*) shift ;;
            "upgrade --install") shift 2 ;;
            *) exit 64 ;;
            esac
            exec scripts/helm template "$@"
            """, to: "helm", mode: 0o755)
        try directory.write(
            """
            #!/bin/sh
            case "$1 $2" in
            "apply -k") exec scripts/kustomize "$3" ;;
            "run put")
                until [ "$1" = -- ]; do
                    case $1 in --image=*) echo "$1" ;; esac
                    shift
                done
                shift
                printf '%s\\n' "$@"
                ;;
            "get "*) ;;
            *) exit 64 ;;
            esac
            """, to: "kubectl", mode: 0o755)
        // What it would do, without doing it.
        try directory.write("#!/bin/sh\nexec /usr/bin/make --dry-run \"$@\"\n", to: "make", mode: 0o755)
    }

    /// The commands of a page's chapter: its blocks, a continued line as one.
    private func commands(_ page: String, from start: String, to end: String) throws -> [String] {
        let text = try read(page)
        let begin = try #require(text.firstRange(of: start)?.upperBound)
        let chapter = text[begin...].prefix(upTo: text[begin...].firstRange(of: end)?.lowerBound ?? text.endIndex)
        return chapter.matches(of: #/```sh\n((?:.|\n)*?)```/#).flatMap { block in
            block.output.1.replacing("\\\n", with: " ").split(separator: "\n").map(String.init)
        }
    }

    private func read(_ name: String) throws -> String {
        try String(contentsOfFile: "\(Chart.root)/\(name)", encoding: .utf8)
    }

    private func type(_ command: String) async throws -> Finished {
        var environment = RunningProcess.environment(adding: [:])
        environment["PATH"] = "\(directory.path):\(environment["PATH"] ?? "")"
        let finished = try await run(
            .installed("sh"), ["-c", "cd '\(Chart.root)' && \(command)"], environment: environment,
            timeout: .seconds(180))
        #expect(finished.status == .exited(0), "\(command): \(finished.stderrText)")
        return finished
    }

    @Test func threeCommandsAreEnough() async throws {
        let typed = try commands("README.md", from: "## On Kubernetes\n", to: "\n## ")
        #expect(typed.map { $0.prefix { $0 != " " } } == ["make", "kubectl", "helm"])
        var kinds: [String?] = []
        for command in typed {
            let output = try await type(command).stdout
            if !command.hasPrefix("make") { kinds += try await Objects(yaml: output).all.map { $0["kind"].text } }
        }
        #expect(kinds.contains("Deployment"))
        #expect(kinds.contains("ScaledJob"))
        // The other way is in the last one's remark.
        let other = try #require(typed.last?.firstRange(of: "# or: ")).upperBound
        let built = try await Objects(yaml: type(String(typed.last?[other...] ?? "")).stdout)
        #expect(built["ScaledJob"] != .null)
    }

    @Test func theValuesOfTheReadmeAreEnough() async throws {
        let page = try read("README.md")
        let values = try #require(page.firstMatch(of: #/`(--set\simage\.repository=[^`]*)`/#)).output.1
            .replacing("\n", with: " ")
        let objects = try await Objects(
            yaml: type("helm install scans k8s/chart -f k8s/presets/rabbitmq-amqp.yaml \(values)").stdout)
        try expectTheReadersOwn(objects, host: "rabbitmq.default.svc")
    }

    @Test func theCommandsOfTheirOwnPageWork() async throws {
        let typed = try commands("k8s/README.md", from: "# semel on Kubernetes\n", to: "\n## ")
        #expect(typed.count == 6)
        for command in typed where !command.hasPrefix("kubectl run") {
            let output = try await type(command)
            guard command.hasPrefix("helm upgrade") else { continue }
            try await expectTheReadersOwn(Objects(yaml: output.stdout), host: "rabbitmq.messaging.svc")
        }
    }

    @Test func theConsoleIsInstalled() async throws {
        let typed = try commands("k8s/README.md", from: "## The console\n", to: "\n## ")
        #expect(typed.count == 3)
        let objects = try await Objects(yaml: type(try #require(typed.last)).stdout)
        #expect(objects["InterceptorRoute"]["spec.rules.0.hosts"] == ["console.example.com"])
        let token = objects["Deployment"]["spec.template.spec.volumes.1.secret.secretName"].text ?? "none"
        #expect(typed[1].hasPrefix("kubectl create secret generic \(token) --from-literal=token="))
    }

    private func expectTheReadersOwn(_ objects: Objects, host: String) throws {
        #expect(objects.container["image"] == "my/task:v1")
        let environment = try objects.environment()
        #expect(environment["MQ_HOST"] == host)
        #expect(environment["MQ_QUEUE"] == "scans")
        #expect(environment["MQ_USERNAME"] == "me")
        #expect(try objects.authentication() == ["host": "amqp://me:secret@\(host):5672"])
    }

    /// With the users and the queue that `k8s/dev` makes.
    @Test func theMessageOfTheirOwnPageIsQueued() async throws {
        let typed = try commands("k8s/README.md", from: "# semel on Kubernetes\n", to: "\n## ")
        let put = try #require(typed.first { $0.hasPrefix("kubectl run") })
        var words = try await type(put).stdoutText.split(separator: "\n").map(String.init)
        let version = try await run(.semelctl, ["--version"]).stdoutText.split { " \n".contains($0) }.last ?? ""
        #expect(words.removeFirst() == "--image=semelctl:\(version)")

        let server = try await RabbitMQServer.shared()
        _ = try await server.rabbitmqctl(["import_definitions", "\(Chart.root)/k8s/dev/definitions.json"])
        let host = "@rabbitmq.semel-dev.svc/"
        #expect(words.contains { $0.contains(host) })
        let queued = try await run(
            .semelctl, words.map { $0.replacing(host, with: "@127.0.0.1:\(server.port)/") })
        #expect(queued.status == .exited(0), "\(queued.stderrText)")
        #expect(try await server.depth(of: "scans").ready == 1)
    }
}
