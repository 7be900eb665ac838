import SemelKEDA
import Testing

/// ScaledJobs that nothing is to be said of, to be spoiled by tests.
enum LintFixture {
    /// RabbitMQ over AMQP, with semel.
    static let amqp = """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata:
          name: scans
        spec:
          pollingInterval: 5
          maxReplicaCount: 20
          successfulJobsHistoryLimit: 10
          failedJobsHistoryLimit: 10
          rollout:
            strategy: gradual
          scalingStrategy:
            strategy: accurate
            pendingPodConditions: [Ready]
          triggers:
            - type: rabbitmq
              metadata:
                protocol: amqp
                mode: QueueLength
                value: "1"
                queueName: scans
              authenticationRef: {name: broker}
          jobTargetRef:
            parallelism: 1
            backoffLimit: 0
            podFailurePolicy:
              rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: "True"}]}]
            template:
              metadata:
                annotations:
                  cluster-autoscaler.kubernetes.io/safe-to-evict: "false"
                  karpenter.sh/do-not-disrupt: "true"
              spec:
                restartPolicy: Never
                terminationGracePeriodSeconds: 50
                containers:
                  - name: worker
                    image: semel-runtime:1
                    args: [my-task]
                    env:
                      - {name: MQ_HOST, value: rabbitmq}
                      - {name: MQ_QUEUE, value: scans}
                      - name: MQ_PASSWORD
                        valueFrom: {secretKeyRef: {name: broker, key: password}}
                      - {name: SEMEL_TIMEOUT, value: 25m}
                      - {name: SEMEL_GRACE, value: 20s}
                    readinessProbe:
                      httpGet: {path: /readyz, port: 8082}
                      periodSeconds: 1
        ---
        apiVersion: keda.sh/v1alpha1
        kind: TriggerAuthentication
        metadata: {name: broker}
        spec:
          secretTargetRef: [{parameter: host, name: broker, key: url}]
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: broker}
        stringData: {password: s3cret, url: "amqp://semel:s3cret@rabbitmq/"}
        """

    static let trigger = """
            - type: rabbitmq
              metadata:
                protocol: amqp
                mode: QueueLength
                value: "1"
                queueName: scans
              authenticationRef: {name: broker}
        """

    static let scaling = """
          scalingStrategy:
            strategy: accurate
            pendingPodConditions: [Ready]

        """

    /// RabbitMQ's management API, workers that stay a while.
    static let http = amqp.spoiled(
        (scaling, ""), ("protocol: amqp", "protocol: http"), ("url: \"amqp:", "url: \"http:"),
        ("value: 20s}", "value: 20s}\n              - {name: SEMEL_LINGER, value: 10s}"))

    /// A Redis list and its leases.
    static let redis = amqp.spoiled(
        (scaling, "  scalingStrategy: {multipleScalersCalculation: sum}\n"),
        (trigger, redisTrigger("scans") + "\n" + redisTrigger("{scans}:leases")),
        ("MQ_HOST, value: rabbitmq", "REDIS_HOST, value: redis"), ("MQ_QUEUE", "REDIS_LIST"))

    /// SQS with another worker, which says when it has a message.
    static let sqs = amqp.spoiled(
        (scaling, ""),
        (
            trigger,
            """
                - type: aws-sqs-queue
                  metadata: {queueURL: scans, awsRegion: eu-central-1, queueLength: "1"}
            """
        ),
        ("semel-runtime:1", "my-worker:1"), ("SEMEL_TIMEOUT", "LIMIT"), ("SEMEL_GRACE", "GRACE"))

    /// SQS with semel, by the variable of other workers.
    static let ownSQS = sqs.spoiled(
        ("my-worker:1", "semel-runtime:1"), ("LIMIT, value: 25m", "SEMEL_TIMEOUT, value: 11h"),
        ("GRACE", "SEMEL_GRACE"), ("              - {name: MQ_HOST, value: rabbitmq}\n", ""),
        (
            "MQ_QUEUE, value: scans",
            "SQS_QUEUE_URL, value: \"https://sqs.eu-central-1.amazonaws.com/123456789012/scans\""
        ))

    static func redisTrigger(_ list: String) -> String {
        """
            - type: redis
              metadata: {address: "redis:6379", listName: "\(list)", listLength: "1"}
        """
    }

    static func streamTrigger(_ parameters: String) -> String {
        """
            - type: redis-streams
              metadata: {address: "redis:6379", stream: scans, \(parameters)}
        """
    }

    /// Entries are deleted when they are done.
    static let stream = sqs.spoiled(
        (
            """
                - type: aws-sqs-queue
                  metadata: {queueURL: scans, awsRegion: eu-central-1, queueLength: "1"}
            """, streamTrigger("streamLength: \"1\"")
        ))
}

extension String {
    /// With each of these texts, which has to be there, replaced.
    func spoiled(_ edits: (String, String)...) -> String {
        edits.reduce(self) { text, edit in
            if !text.contains(edit.0) { Issue.record("the fixture has no ‘\(edit.0)’") }
            return text.replacing(edit.0, with: edit.1)
        }
    }

    func linted(_ version: String = "2.20", queue: QueueFacts? = nil) -> [LintFinding] {
        var linter = Linter(version: KEDAVersion(version) ?? .newest)
        linter.add(self, file: "a.yaml")
        return linter.run(queue: queue)
    }

    /// The ids of what is found, in the order of the lines.
    func ids(_ version: String = "2.20", queue: QueueFacts? = nil) -> [String] {
        linted(version, queue: queue).map(\.rule.id)
    }
}
