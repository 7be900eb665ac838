import Foundation
import TestSupport
import Testing

/// `semelctl lint`, as a user calls it.
@Suite(.oneLane)
struct CtlLintTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private func lint(_ arguments: String..., input: String = "") async throws -> CtlEnd {
        let end = try await TestSupport.run(
            .semelctl, ["lint"] + arguments, environment: RunningProcess.environment(adding: [:]),
            input: Array(input.utf8),
            timeout: .seconds(90))
        #expect(!(end.stdoutText + end.stderrText).contains("s3cret"), "a password was printed")
        return CtlEnd(status: end.status, stdout: Array(end.stdoutText.utf8), stderrText: end.stderrText)
    }

    private static let flood = LintManifest.text(
        trigger: """
            - type: rabbitmq
              metadata:
                protocol: http
                mode: QueueLength
                value: "1"
                queueName: scans
                host: http://me:s3cret@rabbitmq:15672/
            """, scaling: "scalingStrategy: {strategy: accurate}")

    /// The templates of this project are as they should be.
    @Test(arguments: [
        "rabbitmq-amqp", "rabbitmq-http", "rabbitmq-tls", "redis-list", "redis-list-lpop", "redis-stream", "redis-tls",
        "sqs", "sqs-pod-identity", "byo-image",
    ])
    func ourManifestsAreClean(_ preset: String) async throws {
        let end = try await lint("--strict", "\(Self.root)/k8s/manifests/\(preset)")
        #expect(end.status == .exited(0), "\(end.stdoutText)")
        #expect(end.stdoutText == "", "\(end.stdoutText)")
        #expect(end.stderrText == "1 ScaledJob: 0 errors, 0 warnings, 0 notes\n")
    }

    @Test func aScaledObjectIsPassedOver() async throws {
        let directory = "\(Self.root)/k8s/manifests/sqs-scaledobject"
        let end = try await lint("--strict", directory)
        #expect(end.status == .exited(0) && end.stdoutText == "", "\(end.stdoutText)")
        #expect(
            end.stderrText == """
                passed over: ScaledObject ‘sqs-scaledobject’ (\(directory)/scaledobject.yaml:1) is not a ScaledJob
                0 ScaledJobs: 0 errors, 0 warnings, 0 notes

                """)
    }

    @Test func theChartIsPassedOver() async throws {
        let end = try await lint("\(Self.root)/k8s")
        #expect(end.status == .exited(0), "\(end.stdoutText)")
        #expect(end.stderrText.contains("k8s/chart/templates: a chart's templates are passed over"))
        #expect(end.stderrText.hasSuffix("10 ScaledJobs: 0 errors, 0 warnings, 0 notes\n"))
    }

    @Test func text() async throws {
        let end = try await lint("-", input: Self.flood)
        #expect(end.status == .exited(1), "\(end.stdoutText)\(end.stderrText)")
        let lines = end.stdoutText.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("stdin:9: error SJ010: ") && $0.contains("Jobs") }, "\(end.stdoutText)")
        #expect(lines.contains { $0.contains("error SJ080: the trigger's ‘host’ holds a password") })
        #expect(lines.allSatisfy { $0.hasPrefix("stdin:") })
        #expect(end.stderrText.hasPrefix("1 ScaledJob: "))
    }

    @Test func json() async throws {
        let end = try await lint("--json", "-", input: Self.flood)
        #expect(end.status == .exited(1) && end.stderrText == "")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(end.stdout)) as? [String: Any], "\(end.stdoutText)")
        #expect(object["scaledJobs"] as? Int == 1)
        let findings = try #require(object["findings"] as? [[String: Any]])
        #expect(findings.count == ["errors", "warnings", "notes"].compactMap { object[$0] as? Int }.reduce(0, +))
        let finding = try #require(findings.first { $0["rule"] as? String == "SJ010" })
        #expect(
            Set(finding.keys) == ["file", "line", "column", "severity", "rule", "name", "message", "fix"])
        #expect(finding["line"] as? Int == 9 && finding["severity"] as? String == "error")
    }

    /// By the standard's own words: what is required, what has to fit together.
    @Test func sarif() async throws {
        let directory = try TemporaryDirectory("lint")
        let path = directory.path("a scaledjob.yaml")
        try Data(Self.flood.utf8).write(to: URL(fileURLWithPath: path))
        let end = try await lint("--sarif", path)
        #expect(end.status == .exited(1) && end.stderrText == "")
        let log = try #require(JSONSerialization.jsonObject(with: Data(end.stdout)) as? [String: Any])
        #expect(Set(log.keys) == ["$schema", "version", "runs"] && log["version"] as? String == "2.1.0")
        let run = try #require((log["runs"] as? [[String: Any]])?.first)
        let driver = try #require((run["tool"] as? [String: Any])?["driver"] as? [String: Any])
        #expect(driver["name"] is String && driver["semanticVersion"] is String)
        let rules = try #require(driver["rules"] as? [[String: Any]])
        #expect(Set(rules.compactMap { $0["id"] as? String }).count == rules.count)
        for rule in rules {
            #expect((rule["shortDescription"] as? [String: Any])?["text"] is String)
            let level = (rule["defaultConfiguration"] as? [String: Any])?["level"] as? String
            #expect(["none", "note", "warning", "error"].contains(level ?? ""))
        }
        let results = try #require(run["results"] as? [[String: Any]])
        #expect(!results.isEmpty)
        for result in results {
            let index = try #require(result["ruleIndex"] as? Int)
            #expect(rules[index]["id"] as? String == result["ruleId"] as? String)
            #expect(["note", "warning", "error"].contains(result["level"] as? String ?? ""))
            #expect((result["message"] as? [String: Any])?["text"] is String)
            let location = try #require((result["locations"] as? [[String: Any]])?.first)
            let place = try #require(location["physicalLocation"] as? [String: Any])
            let uri = try #require((place["artifactLocation"] as? [String: Any])?["uri"] as? String)
            #expect(URL(string: uri)?.path == path && uri.hasPrefix("file:///") && uri.contains("%20"))
            let region = try #require(place["region"] as? [String: Any])
            #expect(region["startLine"] as? Int ?? 0 >= 1 && region["startColumn"] as? Int ?? 0 >= 1)
        }
    }

    @Test func warningsCountOnlyWhenTheyShall() async throws {
        let text = LintManifest.text(
            trigger: LintManifest.amqpTrigger("scans"), scaling: "scalingStrategy: {strategy: accurate}")
        let relaxed = try await lint("-", input: text)
        #expect(relaxed.status == .exited(0), "\(relaxed.stdoutText)")
        #expect(relaxed.stdoutText.contains("warning SJ012"))
        #expect(try await lint("--strict", "-", input: text).status == .exited(1))
        let silenced = text.replacing("strategy: accurate}", with: "strategy: accurate} # semel-lint: ignore SJ012")
        #expect(try await lint("--strict", "-", input: silenced).status == .exited(0))
    }

    @Test func versionsOfKEDA() async throws {
        let text = LintManifest.text(
            trigger: LintManifest.amqpTrigger("scans"), scaling: "scalingStrategy: {strategy: default}")
        #expect(try await lint("--keda", "2.20.1", "-", input: text).stdoutText.contains("error SJ051"))
        #expect(try await !lint("--keda", "2.19", "-", input: text).stdoutText.contains("SJ051"))
    }

    @Test(arguments: [["--keda", "3.0", "-"], ["--json", "--sarif", "-"], [], ["--queue", "ftp://host/", "-"]])
    func wrongUsage(_ arguments: [String]) async throws {
        let end = try await TestSupport.run(.semelctl, ["lint"] + arguments, timeout: .seconds(60))
        #expect(end.status == .exited(arguments.contains("ftp://host/") ? 78 : 64), "\(end.stderrText)")
        #expect(end.stderrText.split(separator: "\n").count == 1 && end.stdoutText == "")
    }

    @Test func filesThatCannotBeRead() async throws {
        let directory = try TemporaryDirectory("lint")
        let missing = try await lint(directory.path("none.yaml"))
        #expect(missing.status == .exited(78) && missing.complaint.hasSuffix("none.yaml: no such file or directory"))
        try Data([0xff, 0xfe, 0x00]).write(to: URL(fileURLWithPath: directory.path("a.yaml")))
        let binary = try await lint(directory.path(""))
        #expect(binary.status == .exited(78) && binary.complaint.hasSuffix("a.yaml: not UTF-8"), "\(binary.complaint)")
    }

    @Test func brokenAndOtherFiles() async throws {
        let directory = try TemporaryDirectory("lint")
        try Data("kind: ScaledJob\nspec: {\n".utf8).write(to: URL(fileURLWithPath: directory.path("broken.yml")))
        try Data("kind: Deployment\n".utf8).write(to: URL(fileURLWithPath: directory.path("other.yaml")))
        try Data("{{ broken".utf8).write(to: URL(fileURLWithPath: directory.path("notes.txt")))
        let end = try await lint(directory.path(""))
        #expect(end.status == .exited(1), "\(end.stderrText)")
        let lines = end.stdoutText.split(separator: "\n")
        #expect(lines.count == 1 && lines[0].contains("broken.yml:") && lines[0].contains("error SJ001: not YAML"))
    }

    // MARK: Real queues

    private func lint(_ queue: any QueueUnderTest, _ text: String) async throws -> CtlEnd {
        try await Ctl.run(queue, ["lint", "-", "--queue", queue.url], input: Array(text.utf8))
    }

    @Test(arguments: [QueueKind.classic, .quorum])
    func aRealRabbitMQQueue(_ kind: QueueKind) async throws {
        let queue = try #require(try await kind.make() as? RabbitMQUnderTest)
        let text = LintManifest.text(
            trigger: LintManifest.amqpTrigger(queue.queue), scaling: "scalingStrategy: {strategy: accurate}")
        let end = try await lint(queue, text)
        #expect(end.status == .exited(0), "\(end.stdoutText)\(end.stderrText)")
        #expect(end.stdoutText.contains("SJ102") == (kind == .classic), "\(end.stdoutText)")
        #expect(!end.stdoutText.contains("SJ10") || kind == .classic)
        // Looking has made nothing and taken nothing.
        #expect(try await queue.left() == Left())
        let other = try await lint(queue, text.replacing(queue.queue, with: "another"))
        #expect(other.stdoutText.contains("warning SJ101: no trigger counts ‘\(queue.queue)’"), "\(other.stdoutText)")
    }

    @Test func aDeliveryLimitWithoutADeadLetterExchange() async throws {
        let queue = try #require(try await QueueKind.quorum.make() as? RabbitMQUnderTest)
        let limited = "\(queue.queue).retry.limited"
        try await queue.server.declareQueue(
            limited, type: .quorum, arguments: ["x-delivery-limit": .integer(7), "x-max-length": .integer(1_000)])
        let url = queue.url.replacing("queue=\(queue.queue)", with: "queue=\(limited)")
        let text = LintManifest.text(
            trigger: LintManifest.amqpTrigger(limited), scaling: "scalingStrategy: {strategy: accurate}")
        let end = try await Ctl.run(queue, ["lint", "-", "--queue", url], input: Array(text.utf8))
        #expect(
            end.stdoutText.contains("handed back more than 7 times (x-delivery-limit)"),
            "\(end.stdoutText)\(end.stderrText)")
        let safe = "\(queue.queue).retry.safe"
        try await queue.server.declareQueue(
            safe, type: .quorum, arguments: ["x-delivery-limit": .integer(7), "x-dead-letter-exchange": .string("")])
        let second = try await Ctl.run(
            queue, ["lint", "-", "--queue", url.replacing(limited, with: safe)],
            input: Array(text.replacing(limited, with: safe).utf8))
        #expect(!second.stdoutText.contains("SJ10"), "\(second.stdoutText)")
    }

    @Test func aQueueThatIsNotThere() async throws {
        let queue = try #require(try await QueueKind.classic.make() as? RabbitMQUnderTest)
        try await queue.server.deleteQueue(queue.queue)
        let text = LintManifest.text(
            trigger: LintManifest.amqpTrigger(queue.queue), scaling: "scalingStrategy: {strategy: accurate}")
        let end = try await lint(queue, text)
        #expect(end.status == .exited(1), "\(end.stderrText)")
        #expect(end.stdoutText.contains("error SJ100") && end.stdoutText.contains("no queue '\(queue.queue)'"))
        // It still is not there.
        let again = try await Ctl.run(queue, "queue")
        #expect(again.status == .exited(78))
    }

    @Test func aRedisList() async throws {
        let queue = try #require(try await QueueKind.redis.make() as? RedisUnderTest)
        let name = try #require(queue.url.split(separator: "list=").last.map(String.init))
        let text = LintManifest.text(
            trigger: """
                - type: redis
                  metadata: {address: "redis:6379", listName: "\(name)", listLength: "1"}
                """, scaling: "scalingStrategy: {strategy: accurate}")
        let end = try await lint(queue, text)
        #expect(end.status == .exited(0), "\(end.stdoutText)\(end.stderrText)")
        #expect(!end.stdoutText.contains("SJ10"), "\(end.stdoutText)")
    }

    @Test func aBrokerThatIsNotThere() async throws {
        let end = try await lint("-", "--queue", "amqp://127.0.0.1:1/?queue=a", input: Self.flood)
        #expect(end.status == .exited(69) && end.stdoutText == "", "\(end.stderrText)")
    }
}

/// A ScaledJob that is right but for what a test puts into it.
enum LintManifest {
    static func amqpTrigger(_ queue: String) -> String {
        """
        - type: rabbitmq
          metadata:
            protocol: amqp
            mode: QueueLength
            value: "1"
            queueName: \(queue)
          authenticationRef: {name: elsewhere}
        """
    }

    static func text(trigger: String, scaling: String) -> String {
        let triggers = trigger.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        return """
            apiVersion: keda.sh/v1alpha1
            kind: ScaledJob
            metadata: {name: scans}
            spec:
              maxReplicaCount: 20
              successfulJobsHistoryLimit: 10
              failedJobsHistoryLimit: 10
              rollout: {strategy: gradual}
              \(scaling)
              triggers:
            \(triggers)
              jobTargetRef:
                backoffLimit: 0
                podFailurePolicy:
                  rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]
                template:
                  metadata:
                    annotations:
                      cluster-autoscaler.kubernetes.io/safe-to-evict: "false"
                      karpenter.sh/do-not-disrupt: "true"
                  spec:
                    restartPolicy: Never
                    containers: [{name: worker, image: "my-worker:1"}]
            """
    }
}
