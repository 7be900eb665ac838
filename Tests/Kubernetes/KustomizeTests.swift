import TestSupport
import Testing

/// The plain manifests, as `kubectl apply -k` sees them. What the pods make of them is in `WorkerTests`.
@Suite(.serialized)
struct KustomizeTests {
    /// Settings, image and command that nobody has changed change nothing.
    @Test(arguments: Chart.presets)
    func itBuildsWhatTheChartRenders(_ preset: String) async throws {
        let built = try await Kustomization.build("\(Chart.root)/k8s/manifests/\(preset)")
        let rendered = try await Chart.render(preset, release: preset)
        #expect(Set(built.all) == Set(rendered.all))
    }

    @Test func settingsOfRedisGoWhereTheyBelong() async throws {
        let base = try Kustomization("redis-list")
        try base.set(["host": "10.0.0.7", "port": "6380", "queue": "jobs", "database": "4"])
        try base.edit("kustomization.yaml") {
            $0.replacing("newName: semel-runtime", with: "newName: my/task")
                .replacing("newTag: \"0.1.0\"", with: "newTag: \"7\"")
        }
        try base.setCommand(["my-task", "--flag"])
        let objects = try await base.build(overlay: "namePrefix: x-\nnamespace: work\n")

        let environment = try objects.environment()
        #expect(environment["REDIS_HOST"] == "10.0.0.7")
        #expect(environment["REDIS_PORT"] == "6380")
        #expect(environment["REDIS_LIST"] == "jobs")
        #expect(environment["REDIS_DATABASE"] == "4")
        #expect(environment["REDIS_PASSWORD"] == "change-me")
        let triggers = objects.spec["triggers"].items
        #expect(triggers.map { $0["metadata.address"] } == ["10.0.0.7:6380", "10.0.0.7:6380"])
        // One name is enough: the leases' follows it.
        #expect(triggers.map { $0["metadata.listName"] } == ["{jobs}:leases", "jobs"])
        #expect(triggers.map { $0["metadata.databaseIndex"] } == ["4", "4"])
        #expect(triggers.allSatisfy { $0["authenticationRef.name"] == "x-redis-list" })
        #expect(objects.container["image"] == "my/task:7")
        #expect(objects.container["args"] == ["my-task", "--flag"])
        #expect(objects.pod["serviceAccountName"] == "x-redis-list")
        #expect(objects["ServiceAccount"]["metadata.name"] == "x-redis-list")
        #expect(objects["ConfigMap"] == .null)
        #expect(objects.all.allSatisfy { $0["metadata.namespace"] == "work" })
    }

    @Test(arguments: [
        ("rabbitmq-amqp", "amqp://me:p%40ss@10.0.0.7:5673"), ("rabbitmq-http", "http://me:p%40ss@10.0.0.7:15673"),
    ])
    func settingsOfRabbitMQGoWhereTheyBelong(_ preset: String, _ url: String) async throws {
        let base = try Kustomization(preset)
        try base.set(["host": "10.0.0.7", "port": "5673", "vhost": "a/b", "queue": "jobs"])
        if preset == "rabbitmq-http" { try base.set(["managementPort": "15673"]) }
        try base.set(["username": "me", "password": "p@ss"], in: "secret.yaml")
        try base.edit("secret.yaml") { $0.replacing("semel:change-me@", with: "me:p%40ss@") }
        let objects = try await base.build(overlay: "nameSuffix: -two\n")

        let environment = try objects.environment()
        #expect(environment["MQ_HOST"] == "10.0.0.7")
        #expect(environment["MQ_PORT"] == "5673")
        #expect(environment["MQ_VHOST"] == "a/b")
        #expect(environment["MQ_QUEUE"] == "jobs")
        #expect(environment["MQ_USERNAME"] == "me")
        #expect(environment["MQ_PASSWORD"] == "p@ss")
        #expect(try objects.authentication() == ["host": url])
        #expect(objects.spec["triggers.0.metadata.queueName"] == "jobs")
        #expect(objects.spec["triggers.0.metadata.vhostName"] == "a/b")
        #expect(objects.spec["triggers.0.authenticationRef.name"].text == "\(preset)-two")
    }

    @Test(arguments: ["sqs", "sqs-pod-identity", "sqs-scaledobject"])
    func settingsOfSQSGoWhereTheyBelong(_ preset: String) async throws {
        let base = try Kustomization(preset)
        try base.set(["region": "us-east-2", "queue": "jobs"])
        try base.setCommand(["my-task", "--flag"])
        let objects = try await base.build(overlay: "namePrefix: x-\n")

        let environment = objects.container["env"].items
        func value(_ name: String) -> Node { environment.first { $0["name"].text == name }?["value"] ?? .null }
        #expect(value("AWS_REGION") == "us-east-2")
        #expect(value("SEMEL_QUEUE") == "sqs://us-east-2/jobs")
        #expect(objects.spec["triggers.0.metadata.awsRegion"] == "us-east-2")
        #expect(objects.spec["triggers.0.metadata.queueURL"] == "jobs")
        #expect(objects.spec["triggers.0.authenticationRef.name"].text == "x-\(preset)")
        #expect(objects.container["args"] == ["my-task", "--flag"])
        if preset == "sqs-pod-identity" {
            #expect(objects["TriggerAuthentication"]["spec"] == ["podIdentity": ["provider": "aws"]])
            #expect(objects["Secret"] == .null)
        } else {
            let authentication = try objects.authentication()
            #expect(authentication == ["awsAccessKeyID": "change-me", "awsSecretAccessKey": "change-me"])
            #expect(try objects.environment()["AWS_SECRET_ACCESS_KEY"] == "change-me")
        }
        if preset == "sqs-scaledobject" {
            #expect(objects.spec["scaleTargetRef.name"] == objects["Deployment"]["metadata.name"])
        }
    }

    @Test func settingsOfAStreamGoWhereTheyBelong() async throws {
        let base = try Kustomization("redis-stream")
        try base.set(["host": "10.0.0.7", "port": "6380", "queue": "jobs", "group": "g", "database": "4"])
        let objects = try await base.build()
        let environment = try objects.environment()
        #expect(environment["REDIS_HOST"] == "10.0.0.7" && environment["REDIS_PORT"] == "6380")
        #expect(environment["REDIS_STREAM"] == "jobs" && environment["REDIS_GROUP"] == "g")
        #expect(environment["REDIS_DATABASE"] == "4")
        #expect(
            objects.spec["triggers.0.metadata"] == [
                "address": "10.0.0.7:6380", "stream": "jobs", "streamLength": "1", "databaseIndex": "4",
            ])
    }

    @Test(arguments: [
        ("rabbitmq-tls", "amqps://me@10.0.0.7:5673/a%2Fb?queue=jobs"),
        ("redis-tls", "rediss://10.0.0.7:6380/4?list=jobs"),
    ])
    func settingsOverTLSGoWhereTheyBelong(_ preset: String, _ url: String) async throws {
        let base = try Kustomization(preset)
        let isRabbitMQ = preset == "rabbitmq-tls"
        try base.set(["host": "10.0.0.7", "port": isRabbitMQ ? "5673" : "6380", "queue": "jobs"])
        try base.set(
            isRabbitMQ ? ["vhost": "a/b", "vhostEncoded": "a%2Fb", "username": "me"] : ["database": "4"])
        let objects = try await base.build(overlay: "namePrefix: x-\n")
        let files = "&cacert=/etc/semel/tls/ca.crt&cert=/etc/semel/tls/tls.crt&key=/etc/semel/tls/tls.key"
        #expect(
            try objects.environment()["SEMEL_QUEUE"] == "\(url)\(files)&passwordFile=/etc/semel/queue/password")
        let volumes = objects.pod["volumes"].items
        #expect(volumes.contains { $0["secret.secretName"].text == "x-\(preset)-queue" })
        let pems = ["ca.crt": "CA", "tls.crt": "CERT", "tls.key": "KEY"]
        let given = try objects.authentication([isRabbitMQ ? "rabbitmq-client-tls" : "redis-client-tls": pems])
        #expect(given["ca"] == "CA" && given["cert"] == "CERT" && given["key"] == "KEY")
        if isRabbitMQ {
            #expect(given["tls"] == "enable")
            #expect(given["host"] == "amqps://semel:change-me@10.0.0.7:5673")
            #expect(objects.spec["triggers.0.metadata.vhostName"] == "a/b")
        } else {
            #expect(objects.spec["triggers"].items.allSatisfy { $0["metadata.enableTLS"] == "true" })
            #expect(given["password"] == "change-me")
        }
    }

    /// Who has a Secret already leaves this one out and names it alike.
    @Test(arguments: ["rabbitmq-amqp", "redis-list"])
    func theSecretMayBeSomebodyElses(_ preset: String) async throws {
        let base = try Kustomization(preset)
        try base.edit("kustomization.yaml") { $0.replacing("  - secret.yaml\n", with: "") }
        let objects = try await base.build()
        #expect(objects["Secret"] == .null)
        #expect(objects["TriggerAuthentication"]["spec.secretTargetRef.0.name"].text == "\(preset)-queue")
    }

    @Test(arguments: [
        ("$(A)$(B)", "1$(B)"), ("$$(A)", "$(A)"), ("$$$(A)", "$1"), ("$A $ $", "$A $ $"), ("$(A", "$(A"),
        ("a$$b", "a$b"), ("$()", "$()"), ("", ""),
    ])
    func theKubeletExpandsVariables(_ text: String, _ expanded: String) {
        #expect(Kubelet.expand(text, ["A": "1"]) == expanded)
    }
}
