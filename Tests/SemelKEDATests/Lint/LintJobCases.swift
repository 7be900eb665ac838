import SemelKEDA

extension LintCase {
    private static let amqp = LintFixture.amqp
    private static let redis = LintFixture.redis

    /// A stream and semel, which reads it as the group ‘semel’.
    private static func stream(_ group: String) -> String {
        LintFixture.amqp.spoiled(
            (LintFixture.scaling, ""),
            (LintFixture.trigger, LintFixture.streamTrigger("consumerGroup: \(group), lagCount: \"1\"")),
            (
                "{name: MQ_HOST, value: rabbitmq}",
                "{name: SEMEL_QUEUE, value: \"redis://redis:6379/0?stream=scans\"}"
            ),
            ("              - {name: MQ_QUEUE, value: scans}\n", ""))
    }

    static let limits: [LintCase] = [
        LintCase(
            id: "SJ040", bad: amqp.spoiled(("  maxReplicaCount: 20", "  minReplicaCount: 2\n  maxReplicaCount: 20")),
            good: amqp.spoiled(("  maxReplicaCount: 20", "  minReplicaCount: 0\n  maxReplicaCount: 20")),
            line: "minReplicaCount", says: "an empty queue gets 2 new Jobs"),
        LintCase(
            id: "SJ041", bad: amqp.spoiled(("  maxReplicaCount: 20", "  minReplicaCount: 5\n  maxReplicaCount: 2")),
            good: amqp, line: "minReplicaCount", says: "up to 4 Jobs at a time"),
        LintCase(
            id: "SJ042", bad: amqp.spoiled(("  maxReplicaCount: 20\n", "")), good: amqp, line: "spec:", says: "100"),
        LintCase(
            id: "SJ043", bad: amqp.spoiled(("maxReplicaCount: 20", "maxReplicaCount: 0")), good: amqp,
            line: "maxReplicaCount", says: "0 Jobs"),
        LintCase(
            id: "SJ044",
            bad: amqp.spoiled(
                ("  name: scans\nspec", "  name: scans\n  annotations: {autoscaling.keda.sh/paused: \"true\"}\nspec")),
            good: amqp, line: "paused", says: "KEDA makes no Job"),
        LintCase(
            id: "SJ050", bad: amqp.spoiled(("    strategy: gradual", "    strategy: immediate")), good: amqp,
            line: "strategy: immediate", says: "up to 20 running ones included"),
        LintCase(
            id: "SJ051", bad: amqp.spoiled(("    strategy: gradual", "    strategy: default")), good: amqp,
            line: "strategy: default", says: "‘default’ is none of gradual, immediate"),
        LintCase(
            id: "SJ052",
            bad: redis.spoiled(
                ("{multipleScalersCalculation: sum}", "{strategy: default, multipleScalersCalculation: sum}")),
            good: redis, line: "strategy: default", says: "2.20.0 and 2.20.1"),
        LintCase(
            id: "SJ053", bad: amqp, good: amqp, version: "2.18", goodVersion: "2.19", line: "strategy: accurate",
            says: "KEDA 2.18"),
        LintCase(
            id: "SJ054",
            bad: amqp.spoiled(
                (
                    "key: url}]",
                    "key: url}, {parameter: username, name: broker, key: url}, "
                        + "{parameter: password, name: broker, key: url}]"
                )),
            good: amqp, version: "2.15", line: "type: rabbitmq", says: "ignores username and password"),
    ]

    static let jobs: [LintCase] = [
        LintCase(
            id: "SJ060", bad: amqp.spoiled(("    backoffLimit: 0\n", "")), good: amqp, line: "jobTargetRef",
            says: "up to 7 pods"),
        LintCase(
            id: "SJ061", bad: amqp.spoiled(("        restartPolicy: Never\n", "")), good: amqp, line: "spec:",
            says: "with OnFailure"),
        LintCase(
            id: "SJ062", bad: amqp.spoiled(("parallelism: 1", "parallelism: 3")), good: amqp, line: "parallelism",
            says: "15 Jobs with 45 pods, 30 of them for nothing"),
        LintCase(
            id: "SJ063",
            bad: amqp.spoiled(("    backoffLimit: 0", "    backoffLimit: 0\n    activeDeadlineSeconds: 1200")),
            good: amqp.spoiled(("    backoffLimit: 0", "    backoffLimit: 0\n    activeDeadlineSeconds: 7200")),
            line: "activeDeadlineSeconds",
            says: "after 1200 s, pending time included, before the task's own limit of 25m"),
        LintCase(
            id: "SJ064",
            bad: LintFixture.sqs.spoiled(
                ("    backoffLimit: 0", "    backoffLimit: 0\n    activeDeadlineSeconds: 7200")),
            good: amqp.spoiled(("    backoffLimit: 0", "    backoffLimit: 0\n    activeDeadlineSeconds: 7200")),
            line: "activeDeadlineSeconds", says: "after 7200 s"),
        LintCase(
            id: "SJ065", bad: amqp.spoiled(("SEMEL_GRACE, value: 20s", "SEMEL_GRACE, value: 2m")), good: amqp,
            line: "terminationGracePeriodSeconds", says: "SIGKILL comes 50 s after SIGTERM"),
        LintCase(
            id: "SJ066",
            bad: LintFixture.sqs.spoiled(
                ("args: [my-task]", "args: [sh, -c, \"until wget -q localhost:8082/get/status; do sleep 2; done\"]")),
            good: LintFixture.sqs, line: "until wget", says: "after 20 of them no Job is made any more"),
        LintCase(
            id: "SJ067",
            bad: amqp.spoiled(
                ("          - name: worker\n", "          - {name: proxy, image: proxy}\n          - name: worker\n")),
            good: amqp, line: "name: worker", says: "all 2 containers"),
        LintCase(
            id: "SJ068", bad: amqp.spoiled(("successfulJobsHistoryLimit: 10", "successfulJobsHistoryLimit: 0")),
            good: amqp, line: "successfulJobsHistoryLimit", says: "within 5 s"),
        LintCase(
            id: "SJ069", bad: amqp.spoiled(("restartPolicy: Never", "restartPolicy: OnFailure")), good: amqp,
            line: "OnFailure", says: "refuses a podFailurePolicy"),
        LintCase(
            id: "SJ070", bad: amqp.spoiled(("          karpenter.sh/do-not-disrupt: \"true\"\n", "")), good: amqp,
            line: "annotations", says: "50 s later"),
        LintCase(
            id: "SJ072", bad: amqp.spoiled(("parallelism: 1", "suspend: true")),
            good: amqp.spoiled(("parallelism: 1", "suspend: false")), line: "suspend: true", says: "without a pod"),
        LintCase(
            id: "SJ071", bad: amqp.spoiled(("action: Ignore", "action: Count")), good: amqp, line: "rules",
            says: "a failed Job"),
    ]

    static let secretsAndWorkers: [LintCase] = [
        LintCase(
            id: "SJ080",
            bad: amqp.spoiled(
                (
                    "              - {name: SEMEL_GRACE",
                    "              - {name: DB_PASSWORD, value: s3cret}\n              - {name: SEMEL_GRACE"
                )),
            good: amqp.spoiled(
                (
                    "              - {name: SEMEL_GRACE",
                    "              - {name: DB_PASSWORD_FILE, value: /run/pw}\n              - {name: SEMEL_GRACE"
                )),
            line: "DB_PASSWORD", says: "‘DB_PASSWORD’ holds a password"),
        LintCase(
            id: "SJ081", bad: amqp.spoiled(("semel:s3cret@", "semel:s3cret@#1@")),
            good: amqp.spoiled(("semel:s3cret@", "semel:s3cret%40%231@")), line: "type: rabbitmq",
            says: "percent-encode"),
        LintCase(
            id: "SJ090", bad: amqp.spoiled(("value: 25m", "value: 2h")), good: amqp, line: "SEMEL_TIMEOUT",
            says: "takes a message back after 30m: a task of up to 2h"),
        LintCase(
            id: "SJ091", bad: amqp.spoiled(("SEMEL_GRACE, value: 20s", "SEMEL_WAIT, value: forever")),
            good: amqp.spoiled(("SEMEL_GRACE, value: 20s", "SEMEL_WAIT, value: 30s")), line: "SEMEL_WAIT",
            says: "maxReplicaCount (20)"),
        LintCase(
            id: "SJ091", bad: amqp.spoiled(("SEMEL_GRACE, value: 20s", "SEMEL_MAX_MESSAGES, value: \"0\"")),
            good: amqp.spoiled(("SEMEL_GRACE, value: 20s", "SEMEL_MAX_MESSAGES, value: \"5\"")),
            line: "SEMEL_MAX_MESSAGES", says: "maxReplicaCount (20)"),
        LintCase(
            id: "SJ092", bad: amqp.spoiled(("value: 25m", "value: \"1500\"")), good: amqp, line: "SEMEL_TIMEOUT",
            says: "exit code 78"),
        LintCase(
            id: "SJ093", bad: amqp.spoiled(("MQ_QUEUE, value: scans", "MQ_QUEUE, value: scan")), good: amqp,
            line: "MQ_QUEUE", says: "the worker takes from ‘scan’, KEDA counts ‘scans’"),
        LintCase(
            id: "SJ093", bad: LintFixture.ownSQS.spoiled(("012/scans", "012/scan")), good: LintFixture.ownSQS,
            line: "SQS_QUEUE_URL", says: "the worker takes from ‘scan’, KEDA counts ‘scans’"),
        LintCase(
            id: "SJ093", bad: LintFixture.ownSQS.spoiled(("awsRegion: eu-central-1", "awsRegion: eu-west-1")),
            good: LintFixture.ownSQS, line: "SQS_QUEUE_URL",
            says: "in region ‘eu-central-1’, KEDA counts it in region ‘eu-west-1’"),
        LintCase(
            id: "SJ093", bad: amqp.spoiled(("s3cret@rabbitmq/", "s3cret@rabbitmq/other")),
            good: amqp.spoiled(("s3cret@rabbitmq/", "s3cret@rabbitmq/%2F")), line: "MQ_QUEUE",
            says: "in virtual host ‘/’, KEDA counts it in virtual host ‘other’"),
        LintCase(
            id: "SJ093", bad: redis.spoiled(("listLength:", "databaseIndex: \"3\", listLength:")),
            good: redis.spoiled(("listLength:", "databaseIndex: \"0\", listLength:")), line: "REDIS_LIST",
            says: "in database ‘0’, KEDA counts it in database ‘3’"),
        LintCase(
            id: "SJ093", bad: redis.spoiled(("listLength:", "enableTLS: \"true\", listLength:")),
            // One server may have a port for either.
            good: redis.spoiled(("redis:6379", "redis:6380"), ("listLength:", "enableTLS: \"true\", listLength:")),
            line: "REDIS_LIST", says: "in redis:6379 without TLS, KEDA counts it in redis:6379 over TLS"),
        LintCase(
            id: "SJ093", bad: stream("scanners"), good: stream("semel"), line: "SEMEL_QUEUE",
            says: "in consumer group ‘semel’, KEDA counts it in consumer group ‘scanners’"),
        LintCase(
            id: "SJ094", bad: LintFixture.ownSQS.spoiled(("value: 11h", "value: 24h")), good: LintFixture.ownSQS,
            line: "SEMEL_TIMEOUT", says: "SQS gives a message away after 12h"),
    ]

    private static func facts(_ change: (inout QueueFacts) -> Void) -> QueueFacts {
        var facts = QueueFacts(.rabbitMQ, queue: "scans")
        facts.serverVersion = "4.1.0"
        facts.type = "quorum"
        facts.deadLetterExchange = .value("dead")
        facts.deliveryLimit = .absent
        change(&facts)
        return facts
    }

    static let queues: [LintCase] = [
        LintCase(
            id: "SJ100", bad: amqp, good: amqp, queue: facts { $0.trouble = "no queue" }, goodQueue: facts { _ in },
            line: "queueName", says: "no queue"),
        LintCase(
            id: "SJ101", bad: amqp, good: amqp, queue: QueueFacts(.rabbitMQ, queue: "other"), goodQueue: facts { _ in },
            line: "triggers", says: "no trigger counts ‘other’ of RabbitMQ"),
        LintCase(
            id: "SJ102", bad: amqp, good: amqp, queue: facts { $0.type = "classic" }, goodQueue: facts { _ in },
            line: "queueName", says: "is a classic queue"),
        LintCase(
            id: "SJ103", bad: amqp, good: amqp, queue: facts { $0.deadLetterExchange = .absent },
            goodQueue: facts {
                $0.deadLetterExchange = .absent
                $0.serverVersion = "3.13.7"
            }, line: "queueName", says: "handed back more than 20 times (RabbitMQ's own limit from 4.0 on)"),
        LintCase(
            id: "SJ105", bad: amqp, good: amqp, queue: facts { $0.type = "stream" }, goodQueue: facts { _ in },
            line: "queueName", says: "is a stream"),
    ]

    static let all = reading + triggers + pairs + limits + jobs + secretsAndWorkers + queues
}
