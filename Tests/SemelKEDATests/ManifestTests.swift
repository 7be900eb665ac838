import SemelKEDA
import Testing

@Suite struct ManifestTests {
    private func manifest() throws -> Manifest {
        try Manifest(Fixture.full, file: "a.yaml")
    }

    @Test func everythingIsRead() throws {
        let manifest = try manifest()
        #expect(manifest.findings.isEmpty, "\(manifest.findings)")
        let job = try #require(manifest.scaledJob(named: "scans"))
        #expect(job.pollingSeconds == 5 && job.limits == ReplicaLimits(minimum: 1, maximum: 20))
        #expect(job.historyLimits == (3, 4))
        #expect(job.rollsOutGradually && job.rollout?.propagationPolicy?.value == "foreground")
        #expect(job.strategy == .custom(deduction: 2, percentage: 0.5))
        #expect(job.pendingRule == .conditions(["Ready"]))
        #expect(job.rules().combination == .sum)
        #expect(!job.isPaused)
        #expect(job.triggers.map { $0.type?.value } == ["rabbitmq", "redis"])
        #expect(job.triggers[0].name?.value == "messages")
        #expect(manifest.authentications.count == 1 && manifest.secrets.count == 1 && manifest.configMaps.count == 1)
    }

    @Test func theJob() throws {
        let job = try #require(try manifest().scaledJobs.first?.job)
        #expect(job.parallelism?.value == 1 && job.completions?.value == 1 && job.backoffLimit?.value == 0)
        #expect(job.activeDeadlineSeconds?.value == 3_600 && job.ttlSecondsAfterFinished?.value == 60)
        let rules = try #require(job.podFailurePolicy?.rules)
        #expect(rules.map { $0.action?.value } == ["Ignore", "FailJob"])
        #expect(rules[0].onPodConditions.first?.type?.value == "DisruptionTarget")
        #expect(rules[1].onExitCodes?.values.map(\.value) == [64, 78])
        #expect(rules[1].onExitCodes?.operator?.value == "In")
        let template = try #require(job.template)
        #expect(template.restartPolicy?.value == "Never" && template.terminationGracePeriodSeconds?.value == 50)
        #expect(template.metadata.annotations["karpenter.sh/do-not-disrupt"]?.value == "true")
        #expect(template.initContainers.map { $0.name?.value } == ["semel"])
        let worker = try #require(template.container(named: "worker"))
        #expect(worker.command.map(\.value) == ["semel", "run"] && worker.args.map(\.value) == ["--", "task"])
        #expect(worker.ports.first?.containerPort?.value == 8082)
        let probe = try #require(worker.readinessProbe)
        #expect(probe.periodSeconds == 1 && probe.timeoutSeconds == 1 && probe.failureThreshold == 3)
        guard case .httpGet("/readyz", "status", "HTTP") = probe.action else {
            Issue.record("\(probe.action)")
            return
        }
    }

    @Test func variables() throws {
        let manifest = try manifest()
        let worker = try #require(manifest.scaledJobs.first?.job?.template?.containers.first)
        let variables = manifest.environment(of: worker, namespace: nil) { $0 == "status.podIP" ? "127.0.0.9" : nil }
        let texts = variables.mapValues { text -> String in
            switch text {
            case .known(let text): text.revealed
            case .unknown(let reason): "? \(reason)"
            }
        }
        #expect(
            texts == [
                "REDIS_HOST": "redis", "REDIS_ADDRESS": "redis:6379", "PASSWORD": "s3cret", "LEVEL": "info",
                "MY_POD_IP": "127.0.0.9", "CONFIG_level": "info",
            ])
        #expect(
            manifest.environment(of: worker, namespace: nil)["MY_POD_IP"]
                == .unknown("‘status.podIP’ is known in a pod only"))
        #expect(manifest.missingEnvironmentSources(of: worker, namespace: nil).map(\.value) == ["absent"])
        #expect(worker.env[2].source.isSecret)
    }

    @Test func expansion() {
        let variables: [String: ResolvedText] = ["A": .known(SecretText("1")), "B": .unknown("why")]
        func expand(_ text: String) -> ResolvedText { VariableExpansion.expand(SecretText(text), variables) }
        #expect(expand("$(A)-$$(A)-$(C)-$A-$(A") == .known(SecretText("1-$(A)-$(C)-$A-$(A")))
        #expect(expand("$(B)") == .unknown("why"))
    }

    @Test func linesAreKept() throws {
        let job = try #require(try manifest().scaledJobs.first)
        #expect(job.maxReplicaCount.map { "\($0.position)" } == "a.yaml:11")
        #expect(job.maxReplicaCount?.path == "spec.maxReplicaCount")
        let value = try #require(job.triggers[0].metadata["value"])
        #expect(value.position.line == 28 && value.path == "spec.triggers[0].metadata.value")
    }

    @Test func listsAndOtherKinds() throws {
        let text = """
            apiVersion: v1
            kind: List
            items:
              - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}
              - {apiVersion: apps/v1, kind: Deployment, metadata: {name: b}, spec: {anything: 1}}
            ---
            replicaCount: 3
            ---
            apiVersion: keda.sh/v1alpha1
            kind: ScaledJobList
            items: []
            """
        let manifest = try Manifest(text, file: "a.yaml")
        #expect(manifest.configMaps.first?.values["k"]?.value == "v")
        #expect(manifest.others.map(\.kind) == ["Deployment"] && manifest.others.first?.name == "b")
        #expect(manifest.findings.isEmpty && manifest.scaledJobs.isEmpty)
    }

    @Test func manyFiles() throws {
        var manifest = Manifest()
        for (index, document) in Fixture.full.split(separator: "---\n").enumerated() {
            try manifest.add(String(document), file: "\(index).yaml")
        }
        let job = try #require(manifest.scaledJobs.first)
        #expect(try manifest.resolve(job.triggers[0], of: job).target == 1)
        #expect(manifest.secrets.first?.metadata.name?.position.file == "2.yaml")
    }
}

@Suite struct FindingTests {
    private func findings(_ text: String) throws -> [String] {
        try Manifest(text, file: "a.yaml").findings.map(\.description)
    }

    private func spec(_ lines: String) throws -> [String] {
        try findings(
            Fixture.scaledJob(triggers: "- type: cron\n  metadata: {start: b}", spec: lines))
    }

    @Test(arguments: [
        ("maxReplicaCount: \"5\"", "a.yaml:6: spec.maxReplicaCount: is text; write 5, without quotes"),
        ("maxReplicaCount: many", "a.yaml:6: spec.maxReplicaCount: is text, where a whole number has to be"),
        ("maxReplicaCount: 1.5", "a.yaml:6: spec.maxReplicaCount: is a number, where a whole number has to be"),
        (
            "maxReplicaCount: 3000000000",
            "a.yaml:6: spec.maxReplicaCount: 3000000000 is not between -2147483648 and 2147483647"
        ),
        ("pollingInterval: 0", "a.yaml:6: spec.pollingInterval: 0 is not between 1 and 2147483647"),
        ("scalingStrategy: accurate", "a.yaml:6: spec.scalingStrategy: is text, where an object has to be"),
        (
            "scalingStrategy:\n  pendingPodConditions: Ready",
            "a.yaml:7: spec.scalingStrategy.pendingPodConditions: is text, where a list has to be"
        ),
        (
            "scalingStrategy:\n  customScalingRunningJobPercentage: 0.5",
            "a.yaml:7: spec.scalingStrategy.customScalingRunningJobPercentage: "
                + "is a number, where text has to be; write it in quotes"
        ),
        (
            "scalingStrategy: {multipleScalersCalculation: median}",
            "a.yaml:6: spec.scalingStrategy.multipleScalersCalculation: ‘median’ is not min, max, avg or sum"
        ),
        ("cooldownPeriod: 300", "a.yaml:6: spec.cooldownPeriod: unknown field; it has no effect"),
        (
            "scalingStrategy: {stratgy: eager}",
            "a.yaml:6: spec.scalingStrategy.stratgy: unknown field; it has no effect"
        ),
    ])
    func oneLineEach(_ lines: String, _ expected: String) throws {
        #expect(try spec(lines) == [expected])
    }

    @Test func nullIsAsIfNothingWereWritten() throws {
        #expect(try spec("maxReplicaCount: ~\nscalingStrategy:\nrollout: null").isEmpty)
    }

    @Test func whatIsMissing() throws {
        let found = try findings("apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nspec: {}\n")
        #expect(
            found == [
                "a.yaml:1: metadata.name: is missing", "a.yaml:3: spec.jobTargetRef: is missing",
                "a.yaml:3: spec.triggers: no trigger; KEDA wants at least one",
            ])
        #expect(try findings("apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\n").count == 2)
    }

    @Test func triggersAndContainers() throws {
        let text = Fixture.scaledJob(
            triggers:
                "- metadata: {value: 1}\n  metricType: AverageValue\n- type: cron\n  metadata: [a]\n  threshold: 1")
        #expect(
            try findings(text) == [
                "a.yaml:8: spec.triggers[0].type: is missing",
                "a.yaml:8: spec.triggers[0].metadata.value: is a number, where text has to be; write it in quotes",
                "a.yaml:9: spec.triggers[0].metricType: KEDA refuses a metricType in a ScaledJob; remove it",
                "a.yaml:11: spec.triggers[1].metadata: is a list, where an object has to be",
                "a.yaml:12: spec.triggers[1].threshold: unknown field; it has no effect",
            ])
    }

    /// A password that is taken for a number is not repeated.
    @Test func secretsAreInNoFinding() throws {
        let text = """
            apiVersion: v1
            kind: Secret
            metadata: {name: a}
            stringData: {password: 12345678}
            data: {other: "s3cret!"}
            """
        #expect(
            try findings(text) == [
                "a.yaml:5: data.other: is not base64; plain text belongs in stringData",
                "a.yaml:4: stringData.password: is a number, where text has to be; write it in quotes",
            ])
    }

    @Test(arguments: ["Always", "never"])
    func restartPolicies(_ policy: String) throws {
        let text = Fixture.scaledJob(triggers: "- type: cron\n  metadata: {start: b}")
            .replacing("restartPolicy: Never", with: "restartPolicy: \(policy)")
        #expect(try findings(text).count == 1)
    }

    @Test func theDeprecatedRolloutWins() throws {
        func isGradual(_ lines: String) throws -> Bool? {
            try Manifest(Fixture.scaledJob(triggers: "- type: cron", spec: lines), file: "a").scaledJobs.first?
                .rollsOutGradually
        }
        #expect(try isGradual("rollout: {strategy: gradual}") == true)
        #expect(try isGradual("rolloutStrategy: gradual") == true)
        #expect(try isGradual("rolloutStrategy: default\nrollout: {strategy: gradual}") == false)
        #expect(try isGradual("rolloutStrategy: \"\"\nrollout: {strategy: gradual}") == true)
        #expect(try isGradual("maxReplicaCount: 5") == false)
    }
}

extension EnvironmentVariable.Source {
    fileprivate var isSecret: Bool {
        if case .secret = self { true } else { false }
    }
}
