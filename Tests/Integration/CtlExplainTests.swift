import Foundation
import TestSupport
import Testing

/// `semelctl explain`: what KEDA would do of a ScaledJob, with numbers that are given.
@Suite(.oneLane)
struct CtlExplainTests {
    @Test func anExplanation() async throws {
        let files = try TemporaryDirectory("explain")
        let path = try files.write(
            ScaledJobText(triggers: [.rabbitMQ()], strategy: "accurate").text, to: "scaledjob.yaml")
        let end = try await Explain.run(["-f", path, "--metric", "0=15", "--running", "3", "--pending", "1"])
        #expect(end.status == .exited(0) && end.stderrText == "")
        for line in [
            "ScaledJob ‘scans’ (\(path):1), KEDA 2.20", "     q = 15, t = 1, m = min(15 / 1, 20) = 15",
            "     15 + 3 - 1 = 17 is not above 20, so E = 15 - 1 = 14", "Created: min(S, E) = min(15, 14) = 14",
        ] {
            #expect(end.stdoutText.split(separator: "\n").contains(Substring(line)), "\(end.stdoutText)")
        }
    }

    /// Numbers from the tests of KEDA's own strategies, and from its documentation.
    @Test(
        arguments: [
            ("", [], "10", 4, 0, "2.20", 10, 6, 6, 6), ("", [], "10", 12, 0, "2.20", 10, -2, 0, 0),
            ("accurate", [], "3", 4, 2, "2.20", 3, 1, 1, 1), ("accurate", [], "5", 16, 4, "2.20", 5, 1, 1, 1),
            ("accurate", [], "5", 16, 4, "2.18", 5, 4, 4, 4), ("eager", [], "4", 0, 3, "2.20", 20, 4, 4, 4),
            ("eager", [], "4", 17, 0, "2.20", 20, 3, 3, 3), ("custom", [], "10", 5, 0, "2.20", 10, 6, 6, 6),
            ("accurate", ["--inactive", "0"], "5", 0, 0, "2.20", 0, 0, 0, 0),
        ] as [(String, [String], String, Int, Int, String, Int, Int, Int, Int)])
    func numbers(
        _ strategy: String, _ flags: [String], _ metric: String, _ running: Int, _ pending: Int, _ keda: String,
        _ scaleTo: Int, _ raw: Int, _ effective: Int, _ create: Int
    ) async throws {
        let text = ScaledJobText(triggers: [.rabbitMQ()], strategy: strategy).text
        let json = try await Explain.json(
            text,
            flags + [
                "--metric", "0=\(metric)", "--running", "\(running)", "--pending", "\(pending)", "--keda", keda,
            ])
        #expect(json["scaleTo"] as? Int == scaleTo && json["effectiveMaxScaleRaw"] as? Int == raw, "\(json)")
        #expect(json["effectiveMaxScale"] as? Int == effective && json["create"] as? Int == create, "\(json)")
        #expect(json["active"] as? Bool == flags.isEmpty)
    }

    @Test func manyTriggers() async throws {
        let text = ScaledJobText(
            triggers: [.rabbitMQ(), .redis("a"), .redis("b"), .other("kafka")], combination: "sum"
        ).text
        let json = try await Explain.json(
            text, ["--metric", "0=0.5", "--metric", "1=0.5", "--inactive", "2", "--failed", "3"])
        #expect(json["queueLength"] as? Int == 1 && json["maxScale"] as? Int == 1 && json["create"] as? Int == 1)
        let triggers = try #require(json["triggers"] as? [[String: any Sendable]])
        #expect(triggers.map { $0["taken"] as? Bool } == [true, true, false, false])
        #expect(triggers.map { $0["failed"] as? Bool } == [false, false, false, true])
        #expect(triggers.map { $0["q"] as? Double } == [0.5, 0.5, 0, nil])
        #expect(triggers.map { $0["t"] as? Double } == [1, 1, 1, nil])
    }

    /// Many ScaledJobs, and parts that are in files of their own.
    @Test func manyFiles() async throws {
        let files = try TemporaryDirectory("explain")
        try files.write(ScaledJobText(name: "one", triggers: [.rabbitMQ()]).text, to: "one.yaml")
        try files.write(ScaledJobText(name: "two", triggers: [.rabbitMQ()]).text, to: "two.yaml")
        try files.write("not: [yaml", to: "notes.txt")
        let unnamed = try await Explain.run(["-f", files.path, "--metric", "0=1"])
        #expect(unnamed.status == .exited(64))
        #expect(unnamed.complaint == "choose one of ‘one’, ‘two’ with --name")
        for arguments in [["-f", files.path], ["-f", files.path("one.yaml"), "-f", files.path("two.yaml")]] {
            let named = try await Explain.run(arguments + ["--metric", "0=1", "--name", "two"])
            #expect(named.stdoutText.hasPrefix("ScaledJob ‘two’"), "\(named.stderrText)")
        }
        let other = try await Explain.run(["-f", files.path, "--metric", "0=1", "--name", "three"])
        #expect(other.status == .exited(78))
        #expect(other.complaint == "no ScaledJob ‘three’; there are ‘one’, ‘two’")
    }

    @Test(arguments: [
        (["--metric", "1=5"], 64, "--metric: no trigger 1; there is only 0"),
        (["--metric", "0=x"], 64, "--metric: ‘0=x’ is not INDEX=VALUE, such as 0=15: the first trigger reads 15"),
        (["--metric", "0=1", "--metric", "0=2"], 64, "--metric: trigger 0 is given twice"),
        (["--metric", "0=nan"], 64, "--metric: ‘nan’ has to be a number below 9e15; a trigger reads no other"),
        (["--metric", "0=1", "--running=-1"], 64, "--running: -1 is less than 0"),
        (["--metric", "0=1", "--running", "-1"], 64, "--running: -1 is less than 0"),
        (
            ["--metric", "0=1", "--pending", "9223372036854775807"], 64,
            "--pending: 9223372036854775807 is above 2147483647"
        ),
        (["--metric", "0=1", "--keda", "2.020.1"], 64, "--keda: ‘2.020.1’ is not a version between 2.15 and 2.20"),
        (["--metric", "0=1", "--keda", "2.14"], 64, "--keda: ‘2.14’ is not a version between 2.15 and 2.20"),
        (
            ["--failed", "0", "--metric", "0=1"], 64,
            "--failed: a trigger that fails reads nothing; trigger 0 is given otherwise, too"
        ),
    ])
    func wrongUsage(_ flags: [String], _ status: Int32, _ complaint: String) async throws {
        let text = ScaledJobText(triggers: [.rabbitMQ()]).text
        let end = try await Explain.run(["-f", "-"] + flags, input: text)
        #expect(end.status == .exited(status) && end.stdout.isEmpty)
        #expect(end.complaint == complaint)
    }

    @Test(arguments: [
        ("a: [", "standard input:2: not YAML: "), ("kind: Deployment", "-: no ScaledJob (apiVersion keda.sh/v1alpha1)"),
        (
            "apiVersion: keda.k8s.io/v1alpha1\nkind: ScaledJob",
            "-: no ScaledJob (apiVersion keda.sh/v1alpha1) in there; there is ScaledJob (keda.k8s.io/v1alpha1)"
        ),
        (
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: web}",
            "-: no ScaledJob (apiVersion keda.sh/v1alpha1) in there; ScaledObject ‘web’ is not a ScaledJob: it scales a "
                + "Deployment and starts no Jobs"
        ),
        (
            ScaledJobText(triggers: [.rabbitMQ(value: "one")]).text,
            "standard input:15: spec.triggers[0].metadata.value: ‘one’ is not a number"
        ),
        (
            ScaledJobText(triggers: [.other("kafka")]).text,
            "standard input:10: spec.triggers[0].type: ‘kafka’ is not known"
        ),
        (
            ScaledJobText(triggers: [.rabbitMQ()]).text.replacing(
                "maxReplicaCount: 20", with: "maxReplicaCount: \"20\""),
            "standard input:6: spec.maxReplicaCount: is text; write 20, without quotes"
        ),
    ])
    func wrongFiles(_ text: String, _ complaint: String) async throws {
        let end = try await Explain.run(["-f", "-", "--metric", "0=1"], input: text)
        #expect(end.status == .exited(78) && end.stdout.isEmpty)
        #expect(end.complaint.hasPrefix(complaint), "\(end.stderrText)")
    }

    @Test func aScaledJobThatIsPaused() async throws {
        let text = ScaledJobText(triggers: [.rabbitMQ()]).text
            .replacing("{name: scans}", with: "{name: scans, annotations: {autoscaling.keda.sh/paused: \"true\"}}")
        let json = try await Explain.json(text, ["--metric", "0=5"])
        #expect(json["paused"] as? Bool == true && json["create"] as? Int == 0 && json["scaleTo"] as? Int == 5)
        let end = try await Explain.run(["-f", "-", "--metric", "0=5"], input: text)
        #expect(end.stdoutText.hasSuffix("Created: 0, since it is paused; else min(S, E) = min(5, 5) = 5\n"))
    }

    /// What is found is in the JSON, too.
    @Test func parametersThatKEDADoesNotKnow() async throws {
        let text = ScaledJobText(triggers: [.rabbitMQ()]).text
            .replacing("      queueName:", with: "      queueLenght: \"1\"\n      queueName:")
        let json = try await Explain.json(text, ["--metric", "0=5"])
        let findings = try #require(json["findings"] as? [[String: any Sendable]])
        #expect(findings.map { $0["path"] as? String } == ["spec.triggers[0].metadata.queueLenght"], "\(text)")
    }

    @Test func unknownFieldsAreSaidAndIgnored() async throws {
        let text = ScaledJobText(triggers: [.rabbitMQ()]).text
            .replacing("  maxReplicaCount", with: "  cooldownPeriod: 300\n  maxReplicaCount")
        let end = try await Explain.run(["-f", "-", "--metric", "0=1"], input: text)
        #expect(end.status == .exited(0))
        #expect(end.complaint == "standard input:6: spec.cooldownPeriod: unknown field; it has no effect")
    }
}

/// Runs `semelctl explain`.
enum Explain {
    static func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) async throws
        -> CtlEnd
    {
        let end = try await TestSupport.run(
            .semelctl, ["explain"] + arguments, environment: RunningProcess.environment(adding: environment),
            input: Array(input.utf8), timeout: .seconds(60))
        for secret in Credentials.secrets where (end.stdoutText + end.stderrText).contains(secret) {
            throw SupportError("semelctl writes a password: \(end.stdoutText)\(end.stderrText)")
        }
        return CtlEnd(status: end.status, stdout: end.stdout, stderrText: end.stderrText)
    }

    static func json(_ text: String, _ flags: [String] = []) async throws -> [String: any Sendable] {
        let end = try await run(["-f", "-", "--json"] + flags, input: text)
        guard end.status == .exited(0) else { throw SupportError("\(end.status): \(end.stderrText)") }
        let object = try JSONSerialization.jsonObject(with: Data(end.stdout)) as? [String: any Sendable]
        return try #require(object)
    }

    /// What a single trigger reads from its real queue.
    static func reading(_ text: String) async throws -> Double? {
        let triggers = try await json(text)["triggers"] as? [[String: any Sendable]]
        return triggers?.first?["value"] as? Double
    }
}

/// A ScaledJob with what it needs.
struct ScaledJobText {
    struct Trigger {
        var type: String
        var metadata: [(name: String, value: String)]

        static func rabbitMQ(_ queue: String = "scans", value: String = "1", _ more: [String: String] = [:]) -> Trigger
        {
            Trigger(
                type: "rabbitmq",
                metadata: [("queueName", queue), ("mode", "QueueLength"), ("value", value)]
                    + more.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }

        static func redis(_ list: String, address: String = "127.0.0.1:1") -> Trigger {
            Trigger(type: "redis", metadata: [("address", address), ("listName", list), ("listLength", "1")])
        }

        static func sqs(_ queue: String, endpoint: String, _ more: [String: String] = [:]) -> Trigger {
            Trigger(
                type: "aws-sqs-queue",
                metadata: [
                    ("queueURL", queue), ("awsRegion", MotoServer.region), ("awsEndpoint", endpoint),
                    ("queueLength", "1"),
                ] + more.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }

        static func other(_ type: String) -> Trigger {
            Trigger(type: type, metadata: [("a", "b")])
        }
    }

    var name = "scans"
    var triggers: [Trigger]
    var strategy = ""
    var combination = "max"
    /// Parameters of the authentication that every trigger has; they are in a Secret.
    var authentication: [String: String] = ["host": "amqp://127.0.0.1:1/"]

    var text: String {
        let triggerLines = triggers.map { trigger in
            """
              - type: \(trigger.type)
                authenticationRef: {name: auth}
                metadata:
            """ + trigger.metadata.map { "\n      \($0.name): \"\($0.value)\"" }.joined()
        }
        let parameters = authentication.keys.sorted().map { "    - {parameter: \($0), name: secret, key: \($0)}" }
        let data = authentication.sorted { $0.key < $1.key }.map {
            "  \($0.key): \(Data($0.value.utf8).base64EncodedString())"
        }
        return """
            apiVersion: keda.sh/v1alpha1
            kind: ScaledJob
            metadata: {name: \(name)}
            spec:
              pollingInterval: 5
              maxReplicaCount: 20
              scalingStrategy: {strategy: "\(strategy)", multipleScalersCalculation: \(combination), \
            customScalingQueueLengthDeduction: 2, customScalingRunningJobPercentage: "0.5"}
              jobTargetRef: {template: {spec: {containers: [{name: worker}]}}}
              triggers:
            \(triggerLines.joined(separator: "\n"))
            ---
            apiVersion: keda.sh/v1alpha1
            kind: TriggerAuthentication
            metadata: {name: auth}
            spec:
              secretTargetRef:
            \(parameters.joined(separator: "\n"))
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: secret}
            data:
            \(data.joined(separator: "\n"))
            """
    }
}
