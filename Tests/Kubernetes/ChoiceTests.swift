import TestSupport
import Testing

/// What the chart chooses from the queue, and what it says about an override.
@Suite(.serialized)
struct ChoiceTests {
    private static let ready: Node = ["strategy": "accurate", "pendingPodConditions": ["Ready"]]
    private static let sum: Node = ["multipleScalersCalculation": "sum"]

    @Test(arguments: [
        ("byo-image", ready, "0s", "25m"), ("rabbitmq-amqp", ready, "0s", "25m"), ("rabbitmq-http", nil, "10s", "25m"),
        ("redis-list", sum, "0s", "24h"), ("redis-list-lpop", ready, "0s", "24h"),
        ("redis-stream", nil, "0s", "24h"), ("rabbitmq-tls", ready, "0s", "25m"), ("redis-tls", sum, "0s", "24h"),
        ("sqs", nil, "0s", "11h"), ("sqs-pod-identity", nil, "0s", "11h"), ("sqs-scaledobject", nil, "0s", "10m"),
    ])
    func theQueueDecides(_ preset: String, _ strategy: Node, _ linger: String, _ timeout: String) async throws {
        let objects = try await Chart.render(preset)
        #expect(objects.spec["scalingStrategy"] == strategy)
        let environment = try objects.environment()
        #expect(environment["SEMEL_LINGER"] == linger)
        #expect(environment["SEMEL_TIMEOUT"] == timeout)
        let certificates = ["ca.crt": "PEM", "tls.crt": "PEM", "tls.key": "PEM"]
        let authentication = try objects.authentication([
            "rabbitmq-client-tls": certificates, "redis-client-tls": certificates,
        ])
        let others = ["semel", "enable", "PEM"]
        #expect(authentication.values.allSatisfy { $0.contains("change-me") || others.contains($0) })
    }

    /// KEDA asks one after another: leases that are asked first cannot count what is being claimed twice.
    @Test func everyListHasItsLeasesAndTheyComeFirst() async throws {
        for (list, leases) in [("a", "{a}:leases"), ("x{a}", "x{a}:leases"), ("{}a", "{{}a}:leases")] {
            let triggers = try await Chart.render("redis-list", ["queue": ["name": .text(list)]]).spec["triggers"]
            #expect(triggers.items.map { $0["metadata.listName"].text } == [leases, list])
        }
        let triggers = try await Chart.render("redis-list-lpop").spec["triggers"]
        #expect(triggers.items.count == 1)
    }

    /// The task's grace, with `finish` 5 s for one that has to be stopped after all, its end, and the settlement.
    @Test(arguments: [
        ("20s", "stop", 50), ("1.5m", "stop", 190), ("5s", "stop", 35), ("1500ms", "finish", 37),
        ("1h", "finish", 7215),
    ])
    func thePodOutlivesTheGrace(_ grace: String, _ onTerm: String, _ seconds: Double) async throws {
        let pod = try await Chart.render(
            "rabbitmq-amqp", ["worker": ["grace": .text(grace), "onTerm": .text(onTerm)]]
        ).pod
        #expect(pod["terminationGracePeriodSeconds"].number == seconds)
    }

    @Test func aLostClaimThatMayFinishIsNotKilled() async throws {
        let container = try await Chart.render("redis-list", ["worker": ["onLost": "finish"]]).container
        #expect(container["livenessProbe"] == .null)
        #expect(container["readinessProbe"] != .null)
    }

    @Test func aHostOfThisNamespaceIsFoundByKEDA() async throws {
        let values: Node = ["queue": ["host": "broker", "vhost": "a/b"], "auth": ["password": "p@ss w/rd+1%"]]
        let rabbitMQ = try await Chart.render("rabbitmq-amqp", values)
        #expect(try rabbitMQ.environment()["MQ_HOST"] == "broker")
        let encoded = "semel:p%40ss%20w%2Frd%2B1%25"
        #expect(try rabbitMQ.authentication() == ["host": "amqp://\(encoded)@broker.jobs.svc:5672"])
        let redis = try await Chart.render("redis-list", ["queue": ["host": "broker"]])
        #expect(redis.spec["triggers.0.metadata.address"].text == "broker.jobs.svc:6379")
    }

    @Test func anAddressMayBeOfTheSixthVersion() async throws {
        let host: Node = ["queue": ["host": "fd00::1"]]
        let redis = try await Chart.render("redis-list", host)
        #expect(redis.spec["triggers.0.metadata.address"] == "[fd00::1]:6379")
        #expect(try redis.environment()["REDIS_HOST"] == "fd00::1")
        let rabbitMQ = try await Chart.render("rabbitmq-http", host)
        #expect(try rabbitMQ.authentication() == ["host": "http://semel:change-me@[fd00::1]:15672"])
    }

    /// By KEDA and the pod alike.
    @Test(arguments: ["/", "a/b"], ["rabbitmq-amqp", "rabbitmq-http"])
    func aVirtualHostIsFound(_ vhost: String, _ preset: String) async throws {
        let objects = try await Chart.render(preset, ["queue": ["vhost": .text(vhost)]])
        #expect(objects.spec["triggers.0.metadata.vhostName"].text == vhost)
        #expect(try objects.environment()["MQ_VHOST"] == vhost)
    }

    @Test func aDatabaseIsFound() async throws {
        let objects = try await Chart.render("redis-list", ["queue": ["database": 5]])
        #expect(objects.spec["triggers"].items.map { $0["metadata.databaseIndex"] } == ["5", "5"])
        #expect(try objects.environment()["REDIS_DATABASE"] == "5")
    }

    @Test func anExistingSecretIsUsed() async throws {
        let auth: Node = ["existingSecret": "mine", "keys": ["password": "pw"]]
        let objects = try await Chart.render("rabbitmq-amqp", ["auth": auth])
        #expect(objects["Secret"] == .null)
        #expect(
            objects["TriggerAuthentication"]["spec.secretTargetRef"]
                == [["parameter": "host", "name": "mine", "key": "url"]])
        let references = objects.container["env"].items.compactMap { $0["valueFrom.secretKeyRef.key"].text }
        #expect(references == ["username", "pw"])
    }

    @Test func aSecretWithoutURLIsEnough() async throws {
        let auth: Node = ["existingSecret": "mine", "keys": ["url": ""]]
        let objects = try await Chart.render("rabbitmq-http", ["auth": auth])
        let parameters = objects["TriggerAuthentication"]["spec.secretTargetRef"].items.map { $0["parameter"].text }
        #expect(parameters == ["username", "password"])
        #expect(objects.spec["triggers.0.metadata.host"] == "http://rabbitmq.semel-dev.svc:15672")
    }

    @Test func anotherAccountsQueueIsFound() async throws {
        let objects = try await Chart.render("sqs", ["queue": ["account": "123456789012"]])
        #expect(
            objects.spec["triggers.0.metadata.queueURL"] == "https://sqs.eu-central-1.amazonaws.com/123456789012/scans")
        #expect(try objects.environment()["SEMEL_QUEUE"] == "sqs://eu-central-1/123456789012/scans")
    }

    @Test func aServerThatSpeaksLikeSQS() async throws {
        let objects = try await Chart.render("sqs", ["queue": ["endpoint": "http://moto.dev.svc:5000"]])
        #expect(objects.spec["triggers.0.metadata.awsEndpoint"] == "http://moto.dev.svc:5000")
        let url = try objects.environment()["SEMEL_QUEUE"]
        #expect(url == "sqs://eu-central-1/scans?endpoint=http%3A%2F%2Fmoto.dev.svc%3A5000")
    }

    /// Whoever has a certificate need not say who it is.
    @Test func aCertificateIsEnoughForRabbitMQ() async throws {
        let objects = try await Chart.render("rabbitmq-tls", ["auth": ["username": "", "password": ""]])
        #expect(objects["Secret"]["stringData"] == ["tls": "enable"])
        #expect(objects.spec["triggers.0.metadata.host"] == "amqps://rabbitmq.semel-dev.svc:5671")
        let parameters = objects["TriggerAuthentication"]["spec.secretTargetRef"].items.map { $0["parameter"].text }
        #expect(parameters == ["tls", "ca", "cert", "key"])
        let url = try #require(try objects.environment()["SEMEL_QUEUE"])
        #expect(url.hasPrefix("amqps://rabbitmq.semel-dev.svc:5671/") && !url.contains("passwordFile"))
    }

    /// What a pod that is scaled down needs to finish its task.
    @Test func aDeploymentDrains() async throws {
        let objects = try await Chart.render("sqs-scaledobject")
        let environment = try objects.environment()
        #expect(environment["SEMEL_MAX_MESSAGES"] == "0" && environment["SEMEL_WAIT"] == "forever")
        #expect(environment["SEMEL_ON_TERM"] == "finish" && environment["SEMEL_GRACE"] == "10m")
        #expect(objects.pod["terminationGracePeriodSeconds"] == 1215)
        #expect(objects.pod["restartPolicy"] == "Always")
        #expect(objects["Deployment"]["spec.replicas"] == .null)
        #expect(objects["ScaledJob"] == .null)
        #expect(objects.spec["scaleTargetRef.name"] == objects["Deployment"]["metadata.name"])
    }

    @Test func aDeploymentMayHaveOtherQueues() async throws {
        for (preset, values) in [
            ("rabbitmq-http", [:]), ("redis-stream", [:]), ("rabbitmq-amqp", ["queue": ["protocol": "http"]]),
        ] as [(String, Node)] {
            var map = values.map
            map["scaling"] = ["kind": "deployment", "minReplicaCount": 1, "messagesPerReplica": 5]
            let objects = try await Chart.render(preset, .map(map))
            #expect(objects.spec["minReplicaCount"] == 1)
            let metadata = objects.spec["triggers.0.metadata"]
            #expect((metadata["value"].text ?? metadata["streamLength"].text) == "5")
        }
    }

    @Test func aRedisWithoutPasswordNeedsNoSecret() async throws {
        let objects = try await Chart.render("redis-list", ["auth": ["password": ""]])
        #expect(objects["Secret"] == .null)
        #expect(objects["TriggerAuthentication"] == .null)
        #expect(objects.spec["triggers.0.authenticationRef"] == .null)
    }

    @Test(
        arguments: [
            ("rabbitmq-amqp", ["scaling": ["strategy": "default"]], "a new message waits for an old task to end"),
            ("rabbitmq-http", ["scaling": ["strategy": "accurate"]], "Jobs are started up to maxReplicaCount"),
            ("rabbitmq-http", ["worker": ["linger": "2s"]], "worker.linger 2s"),
            ("redis-list", ["scaling": ["strategy": "eager"]], "more Jobs than there are messages"),
            ("rabbitmq-amqp", ["scaling": ["pendingPodConditions": []]], "without Ready"),
            ("rabbitmq-amqp", ["worker": ["timeout": "2h"]], "consumer_timeout"),
            ("rabbitmq-amqp", ["terminationGracePeriodSeconds": 10], "that worker.grace 20s and a settlement take"),
            ("redis-list-lpop", [:], "at most once"),
            ("sqs-scaledobject", ["worker": ["grace": "20s"]], "worker.grace 20s"),
        ] as [(String, Node, String)])
    func anOverrideIsExplained(_ preset: String, _ values: Node, _ words: String) async throws {
        let warnings = try await Chart.notes(preset, values).split(separator: "\n").filter { $0.hasPrefix("WARNING") }
        #expect(warnings.contains { $0.contains(words) }, "\(warnings)")
    }

    @Test(arguments: Chart.presets)
    func whatIsRightNeedsNoWarning(_ preset: String) async throws {
        let notes = try await Chart.notes(preset, [:])
        let what = preset == "sqs-scaledobject" ? "long-lived workers" : "one Job for each message"
        #expect(notes.contains("test: \(what) of "))
        #expect(notes.contains("WARNING") == (preset == "redis-list-lpop"))
    }
}
