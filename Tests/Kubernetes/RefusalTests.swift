import TestSupport
import Testing

/// A value that is wrong is refused with a line that names it.
@Suite(.serialized)
struct RefusalTests {
    @Test(
        arguments: [
            (["queue": ["kind": "kafka"]], "queue.kind"),
            (["queue": ["host": "amqp://host"]], "queue.host"),
            (["queue": ["port": 70_000]], "queue.port"),
            (["queue": ["name": ""]], "queue.name"),
            (["queue": ["delivery": "exactly-once"]], "queue.delivery"),
            (["queue": ["prot": "amqp"]], "prot"),
            (["command": "my-task"], "command"),
            (["image": ["repository": "task:1"]], "image.repository"),
            (["image": ["repository": "my/task"]], "image.tag"),
            (["worker": ["grace": "20"]], "worker.grace"),
            (["worker": ["wait": "forever"]], "worker.wait"),
            (["worker": ["retryDelay": "10m..x"]], "worker.retryDelay"),
            (["worker": ["retryDelay": "10m..10s"]], "worker.retryDelay"),
            (["worker": ["retryDelay": "1s..25h"]], "worker.retryDelay"),
            (["worker": ["timeout": "0s"]], "worker.timeout"),
            (["queue": ["kind": "redis"], "worker": ["wait": "0"]], "worker.wait"),
            (["podLabels": ["app.kubernetes.io/name": "mine"]], "app.kubernetes.io/name"),
            (["worker": ["maxAttempts": 0]], "worker.maxAttempts"),
            (["worker": ["statusPort": 80]], "worker.statusPort"),
            (["worker": ["maxMessageBytes": "1 GB"]], "worker.maxMessageBytes"),
            (["scaling": ["strategy": "custom"]], "scaling.strategy"),
            (["scaling": ["minReplicaCount": 1]], "minReplicaCount"),
            (["activeDeadlineSeconds": 60], "activeDeadlineSeconds"),
            (["history": ["failed": -1]], "history.failed"),
            (["auth": ["password": ""]], "auth.password"),
            (["queue": ["protocol": "http", "delivery": "at-most-once"]], "queue.protocol"),
            (["queue": ["kind": "redis", "protocol": "http"]], "queue.protocol"),
            (["queue": ["protocol": "http", "name": "a b"]], "queue.name"),
            (["queue": ["protocol": "http", "vhost": "a b"]], "queue.vhost"),
            (["queue": ["kind": "redis", "vhost": "v"]], "queue.vhost"),
            (["queue": ["database": 1]], "queue.database"),
            (["queue": ["kind": "redis", "database": -1]], "queue.database"),
            (["queue": ["kind": "redis"], "worker": ["deadLetter": "broker"]], "worker.deadLetter"),
            (["inject": ["enabled": true], "command": []], "command"),
            (["env": [["name": "SEMEL_WAIT", "value": "1s"]]], "SEMEL_WAIT"),
        ] as [(Node, String)])
    func itIsNamed(_ values: Node, _ name: String) async throws {
        let line = try await Chart.refusal("rabbitmq-amqp", values)
        #expect(line?.contains(name) ?? false, "\(values): \(line ?? "rendered")")
    }

    @Test(
        arguments: [
            ("sqs", ["queue": ["region": ""]], "queue.region"),
            ("sqs", ["queue": ["region": "Frankfurt"]], "queue.region"),
            ("sqs", ["queue": ["name": "a b"]], "queue.name"),
            ("sqs", ["queue": ["account": "12"]], "queue.account"),
            ("sqs", ["queue": ["endpoint": "http://key:secret@host"]], "queue.endpoint"),
            ("sqs", ["queue": ["database": 1]], "queue.database"),
            ("sqs", ["auth": ["password": ""]], "auth.password"),
            ("sqs", ["auth": ["username": "", "password": ""]], "auth.podIdentity"),
            ("sqs", ["auth": ["podIdentity": "aws"]], "auth.podIdentity"),
            ("sqs", ["tls": ["enabled": true]], "tls.enabled"),
            ("sqs", ["worker": ["deadLetter": "broker"]], "worker.deadLetter"),
            ("sqs", ["worker": ["maxMessages": 0]], "worker.maxMessages"),
            ("sqs", ["scaling": ["messagesPerReplica": 5]], "scaling.messagesPerReplica"),
            ("rabbitmq-amqp", ["auth": ["username": "", "password": "", "podIdentity": "aws"]], "auth"),
            ("rabbitmq-amqp", ["queue": ["region": "eu-central-1"]], "queue.region"),
            ("rabbitmq-amqp", ["queue": ["group": "g"]], "queue.group"),
            ("rabbitmq-amqp", ["tls": ["secret": "s"]], "tls.enabled"),
            ("rabbitmq-tls", ["tls": ["secret": ""]], "tls.secret"),
            ("rabbitmq-tls", ["auth": ["username": "", "password": "", "existingSecret": "s"]], "auth.username"),
            ("sqs-scaledobject", ["worker": ["maxMessages": 5]], "worker.maxMessages"),
            ("sqs-scaledobject", ["scaling": ["minReplicaCount": 30]], "scaling.minReplicaCount"),
            ("sqs-scaledobject", ["scaling": ["strategy": "accurate"]], "scaling.strategy"),
            ("sqs-scaledobject", ["queue": ["delivery": "at-most-once"]], "scaling.kind"),
            ("rabbitmq-amqp", ["scaling": ["kind": "deployment"]], "scaling.kind"),
            ("redis-list", ["scaling": ["kind": "deployment"]], "scaling.kind"),
        ] as [(String, Node, String)])
    func whatDoesNotGoTogether(_ preset: String, _ values: Node, _ name: String) async throws {
        let line = try await Chart.refusal(preset, values)
        #expect(line?.contains(name) ?? false, "\(values): \(line ?? "rendered")")
    }
}
