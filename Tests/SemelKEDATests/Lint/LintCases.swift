import SemelKEDA

extension LintCase {
    private static let amqp = LintFixture.amqp
    private static let http = LintFixture.http
    private static let redis = LintFixture.redis
    private static let sqs = LintFixture.sqs
    private static let stream = LintFixture.stream

    static let reading: [LintCase] = [
        LintCase(
            id: "SJ001", bad: "kind: ScaledJob\nspec: [", good: "kind: Deployment\n", line: "[", says: "not YAML"),
        LintCase(
            id: "SJ002", bad: amqp.spoiled(("maxReplicaCount: 20", "maxReplicaCount: \"20\"")), good: amqp,
            line: "\"20\"", says: "write 20, without quotes"),
        LintCase(
            id: "SJ003", bad: amqp.spoiled(("  pollingInterval: 5", "  cooldownPeriod: 300")),
            good: amqp, line: "cooldownPeriod", says: "unknown field"),
        LintCase(
            id: "SJ008", bad: amqp.spoiled(("  pollingInterval: 5", "  pollingInterval: 5 # semel-lint: ignore SJ999")),
            good: amqp, line: "pollingInterval", says: "SJ999"),
    ]

    static let triggers: [LintCase] = [
        LintCase(
            id: "SJ004", bad: amqp.spoiled(("value: \"1\"", "value: one")), good: amqp, line: "value: one",
            says: "is not a number"),
        LintCase(
            id: "SJ005", bad: sqs.spoiled(("type: aws-sqs-queue", "type: kafka")), good: sqs, line: "type: kafka",
            says: "‘kafka’"),
        LintCase(
            id: "SJ006", bad: sqs.spoiled(("type: aws-sqs-queue", "type: external-push")), good: sqs,
            line: "external-push", says: "it makes no Job, ever"),
        LintCase(
            id: "SJ007", bad: sqs.spoiled(("queueLength: \"1\"", "queueLength: \"1\", activationQueuelength: \"1\"")),
            good: sqs.spoiled(("queueLength: \"1\"", "queueLength: \"1\", activationQueueLength: \"0\"")),
            line: "activationQueuelength", says: "is no parameter of ‘aws-sqs-queue’"),
        LintCase(
            id: "SJ020", bad: amqp.spoiled(("        mode: QueueLength\n        value: \"1\"\n", "")), good: amqp,
            line: "type: rabbitmq", says: "takes 20 messages for one Job: the first poll makes 1 Job for 15 messages"),
        LintCase(
            id: "SJ021", bad: sqs.spoiled(("queueLength: \"1\"", "queueLength: \"5\"")), good: sqs, line: "\"5\"",
            says: "makes 3 Jobs for 15 messages"),
        LintCase(
            id: "SJ022", bad: sqs.spoiled(("queueLength: \"1\"", "queueLength: \"0\"")), good: sqs, line: "\"0\"",
            says: "0 Jobs"),
        LintCase(
            id: "SJ023", bad: amqp.spoiled(("value: \"1\"", "value: \"1\"\n        activationValue: \"4\"")),
            good: amqp.spoiled(("value: \"1\"", "value: \"1\"\n        activationValue: \"0\"")),
            line: "activationValue",
            says: "up to 4 messages wait for ever"),
        LintCase(
            id: "SJ024", bad: http.spoiled(("mode: QueueLength", "mode: MessageRate")), good: http, line: "MessageRate",
            says: "no number of messages"),
    ]

    static let pairs: [LintCase] = [
        LintCase(
            id: "SJ010", bad: http.spoiled(("  triggers:", "  scalingStrategy: {strategy: accurate}\n  triggers:")),
            good: http, line: "strategy: accurate", says: "15 messages of 5 minutes"),
        LintCase(
            id: "SJ011", bad: amqp.spoiled(("    strategy: accurate\n", "")), good: amqp, line: "scalingStrategy:",
            says: "waits 190 s for its Job"),
        LintCase(
            id: "SJ012", bad: amqp.spoiled(("    pendingPodConditions: [Ready]\n", "")), good: amqp,
            line: "strategy: accurate", says: "30 Jobs, 15 of them idle"),
        LintCase(
            id: "SJ013", bad: amqp.spoiled(("strategy: accurate", "strategy: eager")), good: amqp,
            line: "strategy: eager", says: "counts pending Jobs twice"),
        LintCase(
            id: "SJ014",
            bad: amqp.spoiled(
                (
                    "strategy: accurate",
                    "strategy: custom\n    customScalingQueueLengthDeduction: 1\n    "
                        + "customScalingRunningJobPercentage: \"0.5\""
                )),
            good: amqp, line: "strategy: custom", says: "messages - 1 - 0.5 × running Jobs"),
        LintCase(
            id: "SJ015",
            bad: amqp.spoiled(
                ("strategy: accurate", "strategy: custom\n    customScalingRunningJobPercentage: \"0.5\"")),
            good: amqp.spoiled(
                ("strategy: accurate", "strategy: custom\n    customScalingRunningJobPercentage: \"0.5\"")),
            version: "2.20.1", goodVersion: "2.20.2", line: "strategy: custom", says: "panics"),
        LintCase(
            id: "SJ016", bad: amqp.spoiled(("path: /readyz", "path: /healthz")), good: amqp, line: "/healthz",
            says: "does not say when a message is claimed"),
        LintCase(
            id: "SJ017",
            bad: http.spoiled(("  triggers:", "  scalingStrategy: {pendingPodConditions: [Ready]}\n  triggers:")),
            good: amqp, line: "pendingPodConditions", says: "no effect"),
        LintCase(
            id: "SJ018", bad: http.spoiled(("SEMEL_LINGER, value: 10s", "SEMEL_LINGER, value: 1s")), good: http,
            line: "SEMEL_LINGER", says: "4 to 10 s old"),
        LintCase(
            id: "SJ019",
            bad: amqp.spoiled(
                ("protocol: amqp", "protocol: auto"), ("name: broker, key: url", "name: elsewhere, key: url")),
            good: amqp.spoiled(("protocol: amqp", "protocol: auto")), line: "type: rabbitmq",
            says: "amqp counts waiting messages"),
        LintCase(
            id: "SJ030", bad: redis.spoiled(("\n" + LintFixture.redisTrigger("{scans}:leases"), "")), good: redis,
            line: "type: redis", says: "listName: \"{scans}:leases\""),
        LintCase(
            id: "SJ031", bad: redis.spoiled(("  scalingStrategy: {multipleScalersCalculation: sum}\n", "")),
            good: redis, line: "spec:", says: "with ‘max’ only one of waiting and held messages is counted"),
        LintCase(
            id: "SJ032",
            bad: amqp.spoiled(
                (LintFixture.trigger, LintFixture.trigger + "\n" + LintFixture.trigger.replacing("scans", with: "b"))),
            good: redis, line: "triggers:", says: "2 queues with 10 messages each make 10 Jobs in a poll, not 20"),
        LintCase(
            id: "SJ033",
            bad: stream.spoiled(("streamLength: \"1\"", "consumerGroup: g, pendingEntriesCount: \"1\"")), good: stream,
            line: "type: redis-streams", says: "from zero, any number of waiting ones makes 0 Jobs"),
        LintCase(
            id: "SJ034", bad: stream.spoiled(("streamLength: \"1\"", "consumerGroup: g, lagCount: \"1\"")),
            good: stream,
            line: "lagCount", says: "makes 0 Jobs"),
        LintCase(
            id: "SJ035", bad: amqp.spoiled(("[Ready]", "[ready]")), good: amqp, line: "[ready]",
            says: "no pod ever has the condition"),
    ]
}
