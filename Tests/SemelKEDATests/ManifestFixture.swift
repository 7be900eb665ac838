import SemelKEDA
import Testing

enum Fixture {
    /// Everything that is modelled, once.
    static let full = """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata:
          name: scans
          labels: {app: scans}
          annotations:
            autoscaling.keda.sh/paused: "false"
        spec:
          pollingInterval: 5
          minReplicaCount: 1
          maxReplicaCount: 20
          successfulJobsHistoryLimit: 3
          failedJobsHistoryLimit: 4
          rollout:
            strategy: gradual
            propagationPolicy: foreground
          scalingStrategy:
            strategy: custom
            customScalingQueueLengthDeduction: 2
            customScalingRunningJobPercentage: "0.5"
            pendingPodConditions: [Ready]
            multipleScalersCalculation: sum
          triggers:
            - type: rabbitmq
              name: messages
              metadata:
                mode: QueueLength
                value: "1"
                queueName: scans
              authenticationRef:
                name: broker
            - type: redis
              metadata:
                addressFromEnv: REDIS_ADDRESS
                listName: scans
                listLength: "1"
          jobTargetRef:
            parallelism: 1
            completions: 1
            backoffLimit: 0
            activeDeadlineSeconds: 3600
            ttlSecondsAfterFinished: 60
            podFailurePolicy:
              rules:
                - action: Ignore
                  onPodConditions: [{type: DisruptionTarget, status: "True"}]
                - action: FailJob
                  onExitCodes: {containerName: worker, operator: In, values: [64, 78]}
            template:
              metadata:
                annotations: {karpenter.sh/do-not-disrupt: "true"}
              spec:
                restartPolicy: Never
                terminationGracePeriodSeconds: 50
                initContainers:
                  - {name: semel, image: "semel:1", args: [install, /opt/semel]}
                containers:
                  - name: worker
                    image: worker:1
                    command: [semel, run]
                    args: ["--", "task"]
                    env:
                      - {name: REDIS_HOST, value: redis}
                      - {name: REDIS_ADDRESS, value: "$(REDIS_HOST):6379"}
                      - name: PASSWORD
                        valueFrom: {secretKeyRef: {name: broker, key: password}}
                      - name: LEVEL
                        valueFrom: {configMapKeyRef: {name: settings, key: level}}
                      - name: NONE
                        valueFrom: {secretKeyRef: {name: broker, key: none, optional: true}}
                      - name: MY_POD_IP
                        valueFrom: {fieldRef: {fieldPath: status.podIP}}
                    envFrom:
                      - configMapRef: {name: settings}
                        prefix: CONFIG_
                      - secretRef: {name: absent}
                    ports: [{name: status, containerPort: 8082}]
                    readinessProbe:
                      httpGet: {path: /readyz, port: status}
                      periodSeconds: 1
        ---
        apiVersion: keda.sh/v1alpha1
        kind: TriggerAuthentication
        metadata:
          name: broker
        spec:
          secretTargetRef:
            - {parameter: host, name: broker, key: url}
        ---
        apiVersion: v1
        kind: Secret
        metadata:
          name: broker
        data:
          password: czNjcmV0
        stringData:
          url: amqp://user:s3cret@rabbitmq:5672/
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: settings
        data:
          level: info
        """

    /// A ScaledJob with these triggers; each is the lines below `- type: …`.
    static func scaledJob(triggers: String, spec: String = "", more: String = "") -> String {
        """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata:
          name: scans
        spec:
        \(indented(spec, 2))
          triggers:
        \(indented(triggers, 4))
          jobTargetRef:
            template:
              spec:
                restartPolicy: Never
                containers:
                  - name: worker
                    env:
                      - {name: URL, value: "amqp://user:s3cret@host/"}
                      - {name: EMPTY, value: ""}
                  - name: sidecar
                    env:
                      - {name: URL, value: "http://user:s3cret@other/"}
        ---
        \(more)
        """
    }

    private static func indented(_ text: String, _ count: Int) -> String {
        text.split(separator: "\n").map { String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
    }

    /// The first trigger of a ScaledJob, resolved.
    static func trigger(_ type: String, _ metadata: [String: String], spec: String = "", more: String = "") throws
        -> ResolvedTrigger
    {
        var lines = "- type: \(type)\n  metadata:\n"
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) where name != "authenticationRef" {
            lines += "    \(name): \"\(value)\"\n"
        }
        if let name = metadata["authenticationRef"] { lines += "  authenticationRef: {name: \(name)}\n" }
        let manifest = try Manifest(scaledJob(triggers: lines, spec: spec, more: more), file: "a.yaml")
        let job = try #require(manifest.scaledJobs.first)
        return try manifest.resolve(try #require(job.triggers.first), of: job)
    }
}
