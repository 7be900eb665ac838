import SemelKEDA
import Testing

/// Objects that a trigger names: in the files, in the cluster only, and more than once.
@Suite struct ReferenceTests {
    private static let job = """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata: {name: scans}
        spec:
          triggers:
            - type: rabbitmq
              metadata: {queueName: q, hostFromEnv: HOST}
          jobTargetRef:
            template:
              spec:
                containers:
                  - name: worker
                    envFrom: [{secretRef: {name: broker}}]
        """

    private static let referring = job.replacing(
        "metadata: {queueName: q, hostFromEnv: HOST}",
        with: "metadata: {queueName: q}\n      authenticationRef: {name: auth, kind: ClusterTriggerAuthentication}")

    private func secret(_ host: String, namespace: String? = nil) -> String {
        let place = namespace.map { ", namespace: \($0)" } ?? ""
        return
            "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: broker\(place)}\nstringData: {HOST: \"\(host)\"}\n"
    }

    private func authentication(_ source: String) -> String {
        """

        ---
        apiVersion: keda.sh/v1alpha1
        kind: ClusterTriggerAuthentication
        metadata: {name: auth}
        spec: {\(source)}
        """
    }

    private func trigger(_ text: String) throws -> RabbitMQTrigger {
        let manifest = try Manifest(text, file: "a.yaml")
        let job = try #require(manifest.scaledJobs.first)
        let resolved = try manifest.resolve(try #require(job.triggers.first), of: job)
        guard case .rabbitMQ(let trigger) = resolved.kind else { throw ManifestTestError() }
        return trigger
    }

    @Test func variablesFromASecretThatIsInTheClusterOnly() throws {
        let unknown = ResolvedText.unknown("Secret ‘broker’ is not in the files")
        #expect(try trigger(Self.job).host == unknown)
        #expect(try trigger(Self.job).protocol == .auto && trigger(Self.job).counted == .other)
        #expect(try trigger(Self.job + secret("http://host/")).counted == .readyAndHeld)
        let text = Self.referring + authentication("env: [{parameter: host, name: HOST}]")
        #expect(try trigger(text).host == unknown)
    }

    @Test func whatMayBeInTheAuthentication() throws {
        let text = Self.referring.replacing("{queueName: q}", with: "{queueName: q, host: 'amqp://host/'}")
        let unknown = try trigger(text).unknownParameters
        #expect(unknown.keys.sorted() == ["protocol", "tls", "vhostName"])
        let written = text.replacing("{queueName: q,", with: "{queueName: q, vhostName: v, protocol: amqp,")
        #expect(try trigger(written).unknownParameters.keys.sorted() == ["tls"])
        #expect(try trigger(Self.job + secret("amqp://host/")).unknownParameters.isEmpty)
    }

    @Test func whichOfManyCounts() throws {
        let source = authentication("secretTargetRef: [{parameter: host, name: broker, key: HOST}]")
        let (one, two, three) = (
            secret("amqp://one/"), secret("amqp://two/", namespace: "keda"), secret("amqp://three/")
        )
        #expect(try trigger(Self.referring + source + one + two + three).host == .known(SecretText("amqp://two/")))
        #expect(try trigger(Self.referring + source + one + three).host == .known(SecretText("amqp://three/")))
        let elsewhere = secret("amqp://four/", namespace: "keda-system")
        #expect(try trigger(Self.referring + source + elsewhere).host == .known(SecretText("amqp://four/")))
        #expect(try trigger(Self.job + one + three).host == .known(SecretText("amqp://three/")))
    }

    /// A chart may hold what has nothing to do with the ScaledJob that is meant.
    @Test func findingsOfOneScaledJob() throws {
        let other = Self.job.replacing("name: scans", with: "name: other").replacing(
            "spec:\n  triggers:", with: "spec:\n  strange: 1\n  triggers:")
        let wrong = "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: none}\ndata: {a: '*'}\n"
        let named = "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: broker}\ndata: {a: '*'}\n"
        var manifest = try Manifest(
            "kind: List\nitems: [{apiVersion: v1, kind: Secret, data: {b: '*'}}]", file: "0.yaml")
        try manifest.add(other + "\n---\n" + Self.job + wrong + named, file: "a.yaml")
        #expect(manifest.findings.count == 4, "\(manifest.findings)")
        let job = try #require(manifest.scaledJob(named: "scans"))
        #expect(manifest.findings(for: job).map(\.path) == ["data.a"])
        #expect(manifest.findings(for: job).first?.position.line == manifest.findings.last?.position.line)
    }

    @Test func elementsThatAreEmpty() throws {
        let text = Self.job.replacing("    - type: rabbitmq", with: "    -\n    - type: rabbitmq")
        let manifest = try Manifest(text, file: "a.yaml")
        #expect(manifest.scaledJobs.first?.triggers.map(\.index) == [1])
        #expect(
            manifest.findings.map { "\($0)" } == ["a.yaml:6: spec.triggers[0]: is empty, where an object has to be"])
    }

    @Test func parametersThatNobodyKnows() throws {
        func findings(_ type: String, _ metadata: String) throws -> [String] {
            let text = Self.job.replacing("type: rabbitmq", with: "type: \(type)")
                .replacing("{queueName: q, hostFromEnv: HOST}", with: "{\(metadata)}")
            let findings = try Manifest(text, file: "a.yaml").findings
            #expect(findings.filter(\.isError).isEmpty)
            return findings.map(\.message)
        }
        #expect(
            try findings("rabbitmq", "queueLenght: '5', hostFromEnv: A, hosFromEnv: B, metricName: x") == [
                "KEDA knows no such parameter of rabbitmq; ‘queueLength’ may be meant",
                "KEDA knows no such parameter of rabbitmq; ‘hostFromEnv’ may be meant",
            ])
        #expect(try findings("redis", "something: a") == ["KEDA knows no such parameter of redis"])
        #expect(try findings("redis-streams", "stream: s, lagcount: '1'").first?.contains("‘lagCount’") == true)
        #expect(try findings("kafka", "something: a").isEmpty)
    }
}

private struct ManifestTestError: Error {}
