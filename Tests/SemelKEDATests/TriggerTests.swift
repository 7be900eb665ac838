import SemelKEDA
import Testing

@Suite struct RabbitMQTriggerTests {
    private let amqp = ["host": "amqp://user:s3cret@host/", "queueName": "scans"]
    private let http = ["host": "http://user:s3cret@host/", "queueName": "scans"]

    private func rabbitMQ(_ metadata: [String: String]) throws -> RabbitMQTrigger {
        guard case .rabbitMQ(let trigger) = try Fixture.trigger("rabbitmq", metadata).kind else {
            throw TriggerError.test("another kind")
        }
        return trigger
    }

    private func refusal(_ metadata: [String: String], spec: String = "") -> String {
        refusing { try Fixture.trigger("rabbitmq", metadata, spec: spec) }
    }

    @Test func defaults() throws {
        let trigger = try rabbitMQ(amqp)
        #expect(trigger.mode == .queueLength && trigger.value == 20 && !trigger.isValueWritten)
        #expect(trigger.activationValue == 0 && trigger.protocol == .amqp && trigger.counted == .ready)
        #expect(trigger.operation == "sum" && trigger.pageSize == 100 && !trigger.isTLSEnabled)
        #expect(try Fixture.trigger("rabbitmq", amqp).target == 20)
        #expect(try rabbitMQ(http).counted == .readyAndHeld)
        #expect(try rabbitMQ(http.merging(["excludeUnacknowledged": "true"]) { $1 }).counted == .ready)
    }

    @Test func targets() throws {
        func target(_ more: [String: String]) throws -> Double {
            try Fixture.trigger("rabbitmq", amqp.merging(more) { $1 }).target
        }
        #expect(try target(["mode": "QueueLength", "value": "0.5"]) == 0.5)
        #expect(try target(["queueLength": "3"]) == 3)
        // 0 is as if nothing were written.
        #expect(try target(["value": "0"]) == 20)
        #expect(try target(["queueLength": "0"]) == 20)
        // In thousandths, cut off: 1.001 * 1000 is a little less than 1001.
        #expect(try target(["mode": "QueueLength", "value": "0.0009"]) == 0)
        #expect(try target(["mode": "QueueLength", "value": "1.001"]) == 1)
        #expect(try target(["mode": "QueueLength", "value": "0.3"]) == 0.3)
        #expect(try target(["mode": " QueueLength ", "value": " 2 "]) == 2)
    }

    @Test func activity() throws {
        let trigger = try Fixture.trigger("rabbitmq", amqp.merging(["activationValue": "5"]) { $1 })
        #expect(!trigger.isActive(at: 5) && trigger.isActive(at: 5.5) && trigger.activation == 5)
    }

    @Test(arguments: [
        (["mode": "QueueLength"], "value: is missing or 0; write \"1\" for a Job a message"),
        (["mode": "QueueLength", "value": "0"], "value: is missing or 0"),
        (["value": "1"], "mode: is missing; write QueueLength"),
        (["queueLength": "1", "value": "1"], "queueLength: is deprecated and excludes mode and value"),
        (["queueLength": "1", "mode": "QueueLength"], "queueLength: is deprecated"),
        (["mode": "Queuelength", "value": "1"], "mode: ‘Queuelength’ is none of QueueLength, MessageRate"),
        (["mode": "MessageRate", "value": "1"], "mode: ‘MessageRate’ works with protocol http only"),
        (["mode": "QueueLength", "value": "one"], "value: ‘one’ is not a number"),
        (["mode": "QueueLength", "value": "+1"], "value: ‘+1’ is not a number"),
        (["mode": "QueueLength", "value": "01"], "value: ‘01’ is not a number"),
        (["excludeUnacknowledged": "true"], "excludeUnacknowledged: works with protocol http only"),
        (["useRegex": "true"], "useRegex: works with protocol http only"),
        (["useRegex": "True"], "useRegex: ‘True’ is neither true nor false"),
        (["timeout": "500", "mode": "QueueLength", "value": "1"], "timeout: works with protocol http only"),
        (["protocol": "ftp"], "protocol: ‘ftp’ is not amqp, http or auto"),
        (["host": "redis://host"], "host: is no URL that begins with"),
        (["pageSize": "0"], "pageSize: has to be 1 or more"),
        (["activationValue": "x"], "activationValue: ‘x’ is not a number"),
        (["queueName": ""], "queueName: is missing; give it in the metadata"),
        (["host": ""], "host: is missing; give it in the metadata, or in a TriggerAuthentication, or as hostFromEnv"),
        (["host": "", "hostFromEnv": "NONE"], "hostFromEnv: the Job's container has no variable ‘NONE’ with a value"),
        (["host": "", "hostFromEnv": "EMPTY"], "hostFromEnv: the Job's container has no variable ‘EMPTY’"),
        (["usernameFromEnv": "URL"], "spec.triggers[0]: username and password go together"),
    ])
    func refusals(_ more: [String: String], _ expected: String) {
        let message = refusal(amqp.merging(more) { $1 })
        #expect(message.contains(expected), "\(message)")
        #expect(!message.contains("s3cret"))
    }

    @Test func theContainerThatIsNamed() throws {
        let metadata = ["hostFromEnv": "URL", "queueName": "scans"]
        #expect(try rabbitMQ(metadata).protocol == .amqp)
        guard
            case .rabbitMQ(let other) = try Fixture.trigger(
                "rabbitmq", metadata, spec: "envSourceContainerName: sidecar"
            ).kind
        else { return }
        #expect(other.protocol == .http)
        #expect(refusal(metadata, spec: "envSourceContainerName: none").contains("there is no container ‘none’"))
    }

    /// What the files do not hold may be in the cluster: that is no reason to refuse.
    @Test func whatIsInTheClusterOnly() throws {
        let metadata = ["queueName": "scans", "authenticationRef": "elsewhere"]
        let trigger = try rabbitMQ(metadata)
        #expect(trigger.host == .unknown("TriggerAuthentication ‘elsewhere’ is not in the files"))
        #expect(trigger.protocol == .auto)
        let text = Fixture.full.replacing("kind: Secret", with: "kind: Sealed")
        let manifest = try Manifest(text, file: "a.yaml")
        let job = try #require(manifest.scaledJobs.first)
        guard case .rabbitMQ(let other) = try manifest.resolve(job.triggers[0], of: job).kind else { return }
        #expect(other.host == .unknown("Secret ‘broker’ is not in the files"))
    }
}

@Suite struct RabbitMQStatisticsTests {
    private func reading(
        _ mode: String, _ statistics: RabbitMQStatistics, _ more: [String: String] = [:]
    ) throws -> (value: Double, isActive: Bool) {
        let metadata = ["host": "http://host/", "queueName": "q", "mode": mode, "value": "1"].merging(more) { $1 }
        guard case .rabbitMQ(let trigger) = try Fixture.trigger("rabbitmq", metadata).kind else {
            throw TriggerError.test("another kind")
        }
        return trigger.reading(statistics)
    }

    @Test func modes() throws {
        let busy = RabbitMQStatistics(messages: 10, messagesReady: 4, publishRate: 6, deliverGetRate: 2)
        #expect(try reading("QueueLength", busy) == (10, true))
        #expect(try reading("QueueLength", busy, ["excludeUnacknowledged": "true"]) == (4, true))
        #expect(try reading("QueueLength", busy, ["activationValue": "10"]) == (10, false))
        #expect(try reading("MessageRate", busy) == (6, true))
        #expect(try reading("MessageRate", busy, ["activationValue": "8"]) == (6, true))
        #expect(try reading("DeliverGetRate", busy, ["activationValue": "2"]) == (2, false))
        #expect(try reading("PublishedToDeliveredRatio", busy) == (3, true))
        #expect(try reading("ExpectedQueueConsumptionTime", busy) == (7, true))
    }

    /// Nothing is delivered: the ratio and the time are what activation says, and active.
    @Test func aQueueThatIsStuck() throws {
        let stuck = RabbitMQStatistics(messages: 10, publishRate: 6)
        #expect(try reading("PublishedToDeliveredRatio", stuck, ["activationValue": "5"]) == (5, true))
        #expect(try reading("ExpectedQueueConsumptionTime", stuck, ["activationValue": "5"]) == (5, true))
        #expect(try reading("PublishedToDeliveredRatio", RabbitMQStatistics()) == (0, false))
        #expect(try reading("QueueLength", RabbitMQStatistics()) == (0, false))
    }

    @Test func manyQueues() {
        let queues = [
            RabbitMQStatistics(messages: 4, messagesReady: 1, publishRate: 1, deliverGetRate: 3),
            RabbitMQStatistics(messages: 1, messagesReady: 1, publishRate: 2, deliverGetRate: 0),
        ]
        #expect(
            RabbitMQStatistics(queues, operation: "sum")
                == RabbitMQStatistics(messages: 5, messagesReady: 2, publishRate: 3, deliverGetRate: 3))
        #expect(
            RabbitMQStatistics(queues, operation: "max")
                == RabbitMQStatistics(messages: 4, messagesReady: 1, publishRate: 2, deliverGetRate: 3))
        #expect(
            RabbitMQStatistics(queues, operation: "avg")
                == RabbitMQStatistics(messages: 2, messagesReady: 1, publishRate: 1.5, deliverGetRate: 1.5))
        #expect(RabbitMQStatistics(queues, operation: "median") == nil)
        #expect(RabbitMQStatistics([], operation: "median") == RabbitMQStatistics())
    }
}

@Suite struct RedisTriggerTests {
    private func list(_ metadata: [String: String], _ type: String = "redis", more: String = "") throws
        -> RedisListTrigger
    {
        guard case .redisList(let trigger) = try Fixture.trigger(type, metadata, more: more).kind else {
            throw TriggerError.test("another kind")
        }
        return trigger
    }

    private let base = ["address": "redis:6379", "listName": "scans"]

    @Test func defaults() throws {
        let trigger = try list(base)
        #expect(trigger.listLength == 5 && !trigger.isLengthWritten && trigger.activationListLength == 0)
        #expect(trigger.endpoint.databaseIndex == 0 && !trigger.endpoint.isTLSEnabled)
        #expect(trigger.endpoint.topology == .single)
        #expect(try Fixture.trigger("redis", base.merging(["listLength": "0"]) { $1 }).target == 0)
        #expect(try Fixture.trigger("redis", base).counted == .ready)
    }

    @Test func addresses() throws {
        #expect(try list(["host": "a", "port": "1", "listName": "l"]).endpoint.addresses == .known(SecretText("a:1")))
        #expect(
            try list(["hosts": "a, b", "ports": "1, 2", "listName": "l"], "redis-cluster").endpoint.addresses
                == .known(SecretText("a:1,b:2")))
        #expect(
            try list(["addresses": "a:1,b:2", "listName": "l"], "redis-sentinel").endpoint.addresses
                == .known(SecretText("a:1,b:2")))
    }

    @Test(arguments: [
        (["address": ""], "address: is missing; write host:port, or host and port"),
        (["address": "", "host": "a"], "address: is missing"),
        (["address": "", "host": "a,b", "port": "1"], "there have to be as many ports as hosts"),
        (["listName": ""], "listName: is missing"),
        (["listLength": "1.5"], "listLength: ‘1.5’ is not a whole number"),
        (["enableTLS": "yes"], "enableTLS: ‘yes’ is neither true nor false"),
        (["databaseIndex": "x"], "databaseIndex: ‘x’ is not a whole number"),
    ])
    func refusals(_ more: [String: String], _ expected: String) {
        let message = refusing { try Fixture.trigger("redis", base.merging(more) { $1 }) }
        #expect(message.contains(expected), "\(message)")
    }

    @Test func transportSecurity() throws {
        #expect(try list(base.merging(["enableTLS": "1"]) { $1 }).endpoint.isTLSEnabled)
        let more = """
            apiVersion: keda.sh/v1alpha1
            kind: TriggerAuthentication
            metadata: {name: auth}
            spec:
              secretTargetRef: [{parameter: tls, name: s, key: tls}, {parameter: password, name: s, key: p}]
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: s}
            stringData: {tls: enable, p: s3cret}
            """
        let referring = base.merging(["authenticationRef": "auth"]) { $1 }
        let trigger = try list(referring, more: more)
        #expect(trigger.endpoint.isTLSEnabled && trigger.endpoint.password == .known(SecretText("s3cret")))
        let both = referring.merging(["enableTLS": "true"]) { $1 }
        #expect(refusing { try Fixture.trigger("redis", both, more: more) }.contains("excludes tls"))
    }

    private func stream(_ more: [String: String]) throws -> RedisStreamTrigger {
        let metadata = ["address": "a:1", "stream": "s"].merging(more) { $1 }
        guard case .redisStream(let trigger) = try Fixture.trigger("redis-streams", metadata).kind else {
            throw TriggerError.test("another kind")
        }
        return trigger
    }

    @Test func streams() throws {
        #expect(try stream([:]).mode == .length && stream([:]).target == 5)
        #expect(try stream(["streamLength": "1"]).target == 1 && stream([:]).counted == .readyAndHeld)
        let group = ["consumerGroup": "g", "pendingEntriesCount": "2", "streamLength": "3"]
        #expect(try stream(group).mode == .pending && stream(group).target == 2)
        #expect(try stream(group.merging(["lagCount": "1"]) { $1 }).mode == .lag)
        #expect(try stream(group.merging(["lagCount": "0"]) { $1 }).mode == .pending)
        // Without a group lagCount has no effect.
        #expect(try stream(["lagCount": "1"]).mode == .length)
        #expect(try stream(["activationLagCount": "7"]).activationLagCount == 7)
        #expect(
            refusing { try Fixture.trigger("redis-streams", ["address": "a:1"]) }.contains("stream: is missing"))
    }
}

@Suite struct OtherTriggerTests {
    @Test func sqs() throws {
        let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/scans"
        let base = ["queueURL": url, "awsRegion": "eu-central-1"]
        let trigger = try Fixture.trigger("aws-sqs-queue", base)
        #expect(trigger.target == 5 && trigger.counted == .readyAndHeld)
        guard case .sqs(let sqs) = trigger.kind else { return }
        #expect(sqs.queueName == "scans" && sqs.scaleOnInFlight && !sqs.scaleOnDelayed)
        #expect(
            try Fixture.trigger("aws-sqs-queue", base.merging(["scaleOnInFlight": "false"]) { $1 }).counted == .ready)
        #expect(
            try Fixture.trigger("aws-sqs-queue", ["queueURL": "scans", "awsRegion": "r"]).summary.contains("scans"))
        for (more, expected) in [
            (["awsRegion": ""], "awsRegion: is missing"), (["queueURL": ""], "queueURL: is missing"),
            (["queueURL": "https://sqs/scans"], "queueURL: has no queue's name"),
            (["queueLength": "x"], "queueLength: ‘x’ is not a whole number"),
        ] {
            let message = refusing { try Fixture.trigger("aws-sqs-queue", base.merging(more) { $1 }) }
            #expect(message.contains(expected), "\(message)")
        }
    }

    @Test func cron() throws {
        let base = ["timezone": "Europe/Berlin", "start": "0 8 * * *", "end": "0 18 * * *", "desiredReplicas": "3"]
        let trigger = try Fixture.trigger("cron", base)
        #expect(trigger.target == 1 && trigger.counted == .other)
        for (more, expected) in [
            (["timezone": ""], "timezone: is missing"), (["start": "daily"], "start: ‘daily’ is no schedule"),
            (["end": "0 8 * * *"], "end: is the same time as start"),
            (["desiredReplicas": ""], "desiredReplicas: is missing"),
            (["desiredReplicas": "x"], "desiredReplicas: ‘x’ is not a whole number"),
        ] {
            let message = refusing { try Fixture.trigger("cron", base.merging(more) { $1 }) }
            #expect(message.contains(expected), "\(message)")
        }
    }

    @Test func otherTypes() {
        #expect(
            refusing { try Fixture.trigger("kafka", ["a": "b"]) }
                .hasPrefix("a.yaml:8: spec.triggers[0].type: ‘kafka’ is not known here"))
    }
}

/// What it is refused with.
private func refusing(_ resolve: () throws -> ResolvedTrigger) -> String {
    do {
        _ = try resolve()
        return "not refused"
    } catch {
        return "\(error)"
    }
}

extension TriggerError {
    fileprivate static func test(_ message: String) -> TriggerError {
        TriggerError(position: Position(file: "", line: 0, column: 0), path: "", message: message)
    }
}
