import SemelKEDA
import Testing

/// What is different on this machine.
@Suite struct DeskChangesTests {
    private static let text = """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata: {name: rabbitmq}
        spec:
          triggers:
            - type: redis
              metadata: {host: redis.svc, port: "6379", listName: redis.svc, listLength: "1"}
            - type: rabbitmq
              metadata: {hostFromEnv: URL, queueName: rabbitmq, mode: QueueLength, value: "1"}
          jobTargetRef:
            template:
              spec:
                containers:
                  - name: worker
                    env:
                      - {name: MQ_HOST, value: rabbitmq}
                      - {name: MQ_PORT, value: "5672"}
                      - {name: USER, value: rabbitmq}
                      - {name: URL, value: "amqp://rabbitmq:pw@rabbitmq:5672/"}
                      - {name: BOTH, value: "a.rabbitmq:1 rabbitmq:5672 rabbitmq.svc:5672 my-rabbitmq:5672"}
                      - {name: SECRET, valueFrom: {secretKeyRef: {name: s, key: url}}}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: s}
        data: {url: aHR0cDovL3JhYmJpdG1xOjE1NjcyLw==}
        """

    private func variables(_ changes: DeskChanges) throws -> [String: String] {
        var manifest = Manifest()
        try manifest.add(Self.text, file: "test", changes)
        let job = try #require(manifest.scaledJobs.first)
        let container = try #require(job.job?.template?.containers.first)
        return manifest.environment(of: container, namespace: nil).mapValues {
            if case .known(let text) = $0 { text.revealed } else { "unknown" }
        }
    }

    @Test func hosts() throws {
        let host = try #require(HostAlias("rabbitmq:5672=127.0.0.1:40001"))
        let variables = try variables(DeskChanges(hosts: [host]))
        #expect(variables["MQ_HOST"] == "127.0.0.1" && variables["MQ_PORT"] == "40001")
        #expect(variables["USER"] == "rabbitmq")
        #expect(variables["URL"] == "amqp://rabbitmq:pw@127.0.0.1:40001/")
        #expect(variables["BOTH"] == "a.rabbitmq:1 127.0.0.1:40001 rabbitmq.svc:5672 my-rabbitmq:5672")
        #expect(variables["SECRET"] == "http://rabbitmq:15672/")
    }

    @Test func hostsOfEveryPort() throws {
        let host = try #require(HostAlias("rabbitmq=localhost"))
        let variables = try variables(DeskChanges(hosts: [host]))
        #expect(variables["MQ_HOST"] == "localhost" && variables["MQ_PORT"] == "5672")
        #expect(variables["URL"] == "amqp://rabbitmq:pw@localhost:5672/")
        #expect(variables["SECRET"] == "http://localhost:15672/")
    }

    @Test func triggersToo() throws {
        var manifest = Manifest()
        let host = try #require(HostAlias("redis.svc=127.0.0.1:40002"))
        try manifest.add(Self.text, file: "test", DeskChanges(hosts: [host]))
        let metadata = try #require(manifest.scaledJobs.first?.triggers.first?.metadata)
        #expect(metadata["host"]?.value == "127.0.0.1" && metadata["port"]?.value == "40002")
        #expect(metadata["listName"]?.value == "redis.svc")
    }

    @Test(arguments: ["", "a", "a=", "=b", "a=b=c", "a:x=b", "a:70000=b", "a=b:0", "a/b=c", "a:1:2=b"])
    func noHosts(_ text: String) {
        #expect(HostAlias(text) == nil)
    }

    @Test func givenVariables() throws {
        let variables = try variables(
            DeskChanges(variables: [("URL", SecretText("amqp://$(MQ_HOST)")), ("NEW", SecretText("a"))]))
        #expect(variables["URL"] == "amqp://$(MQ_HOST)" && variables["NEW"] == "a")
    }

    /// What a comment or the order of fields changes is nothing.
    @Test func fingerprints() throws {
        func fingerprint(_ text: String) throws -> String {
            let job = "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nmetadata: {name: a}\nspec: \(text)"
            return try #require(Manifest(job, file: "f").scaledJobs.first?.source["spec"]?.fingerprint)
        }
        #expect(try fingerprint("{a: 1, b: [x]}") == fingerprint("{b: [x], a: 1} # other"))
        #expect(try fingerprint("{a: 1}") != fingerprint("{a: \"1\"}"))
        #expect(try fingerprint("{a: [b, c]}") != fingerprint("{a: [\"b,c\"]}"))
    }
}
