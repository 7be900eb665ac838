import SemelKEDA
import Testing

/// What people start from: each has the same faults, and the linter has to find just these.
@Suite struct TemplateTests {
    /// Every field that documentation shows, with its usual values.
    private let everyField = """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata:
          name: consumer
          namespace: default
        spec:
          jobTargetRef:
            parallelism: 1
            completions: 1
            activeDeadlineSeconds: 600
            backoffLimit: 6
            template:
              spec:
                containers:
                  - name: consumer
                    image: example/consumer
                    imagePullPolicy: Always
                    command: ["consume", "amqp://me:s3cret@rabbitmq.default.svc:5672", "job"]
                    envFrom:
                      - secretRef:
                          name: consumer-secrets
                restartPolicy: Never
          pollingInterval: 10
          minReplicaCount: 10
          maxReplicaCount: 100
          successfulJobsHistoryLimit: 3
          failedJobsHistoryLimit: 2
          rollout:
            strategy: gradual
            propagationPolicy: foreground
          scalingStrategy:
            strategy: "custom"
            customScalingQueueLengthDeduction: 1
            customScalingRunningJobPercentage: "0.5"
            pendingPodConditions:
              - "Ready"
              - "PodScheduled"
            multipleScalersCalculation: "max"
          triggers:
            - type: rabbitmq
              metadata:
                queueName: greetings
                host: RabbitMqHost
                queueLength: "5"
        """

    @Test func documentation() {
        #expect(
            everyField.ids()
                == [
                    "SJ071", "SJ064", "SJ060", "SJ070", "SJ080", "SJ040", "SJ014", "SJ017", "SJ004", "SJ021",
                ])
    }

    /// A sample beside a consumer that takes one message and ends.
    private let sample = """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata:
          name: consumer
        spec:
          jobTargetRef:
            template:
              spec:
                containers:
                  - name: consumer
                    image: example/consumer
                    command: [consume, "amqp://me:s3cret@rabbitmq.default.svc:5672", job]
                restartPolicy: Never
            backoffLimit: 4
          pollingInterval: 10
          maxReplicaCount: 30
          successfulJobsHistoryLimit: 3
          failedJobsHistoryLimit: 2
          triggers:
            - type: rabbitmq
              metadata:
                queueName: greetings
                queueLength: "5"
              authenticationRef:
                name: consumer
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: consumer}
        data:
          host: YW1xcDovL21lOnMzY3JldEByYWJiaXRtcS5kZWZhdWx0LnN2Yzo1Njcy
        ---
        apiVersion: keda.sh/v1alpha1
        kind: TriggerAuthentication
        metadata: {name: consumer}
        spec:
          secretTargetRef:
            - {parameter: host, name: consumer, key: host}
        """

    @Test func oneMessageSample() {
        #expect(Set(sample.ids()) == ["SJ011", "SJ021", "SJ050", "SJ060", "SJ070", "SJ071", "SJ080"])
        #expect(sample.ids().count == 7)
    }

    /// A Java server that acknowledges on receipt, in a container whose shell asks it whether it is done.
    private let server = """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata:
          name: report-job
        spec:
          jobTargetRef:
            template:
              spec:
                containers:
                  - name: report
                    image: example/report:1
                    command: ["/bin/bash", "-c"]
                    args:
                      - |
                        java -jar /report.jar &
                        while true; do
                          state=$(curl -s http://$MY_POD_IP:8082/get/status)
                          [ "$state" = COMPLETED ] && exit 0
                          sleep 2
                        done
                    env:
                      - name: MY_POD_IP
                        valueFrom: {fieldRef: {fieldPath: status.podIP}}
                      - {name: MQ_HOST, value: rabbitmq}
                      - {name: RABBIT_URL, value: "http://me:s3cret@rabbitmq:15672/"}
                restartPolicy: Never
          pollingInterval: 5
          maxReplicaCount: 10
          scalingStrategy:
            strategy: accurate
          triggers:
            - type: rabbitmq
              metadata:
                protocol: http
                mode: QueueLength
                value: "1"
                queueName: a
                hostFromEnv: RABBIT_URL
        """

    @Test func serverWithAPollLoop() throws {
        #expect(
            Set(server.ids()) == ["SJ010", "SJ050", "SJ060", "SJ066", "SJ068", "SJ070", "SJ071", "SJ080"],
            "\(server.ids())")
        let flood = try #require(server.linted().first { $0.rule.id == "SJ010" })
        #expect(flood.problem.contains("15 messages of 5 minutes"))
        #expect(flood.problem.contains("up to 10 at a time"), "\(flood.problem)")
        // Over AMQP the same pair is right but for the race.
        let amqp = server.spoiled(("protocol: http", "protocol: amqp"), ("http://me:", "amqp://me:"))
        #expect(
            Set(amqp.ids()) == ["SJ012", "SJ050", "SJ060", "SJ066", "SJ068", "SJ070", "SJ071", "SJ080"],
            "\(amqp.ids())")
    }

    /// A script that asks for a list's length, pops, and works.
    private let script = """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledJob
        metadata:
          name: user-task
        spec:
          jobTargetRef:
            template:
              spec:
                containers:
                  - name: user-task
                    image: example/user-task:1
                    env:
                      - {name: REDIS_HOST, value: redis}
                      - {name: REDIS_PASSWORD, value: s3cret}
                restartPolicy: OnFailure
          pollingInterval: 10
          maxReplicaCount: 5
          triggers:
            - type: redis
              metadata:
                address: redis:6379
                listName: usertask
                passwordFromEnv: REDIS_PASSWORD
        """

    @Test func scriptThatPops() {
        #expect(
            Set(script.ids())
                == ["SJ011", "SJ020", "SJ030", "SJ050", "SJ060", "SJ061", "SJ068", "SJ070", "SJ071", "SJ080"],
            "\(script.ids())")
    }

    /// A variable that may come from a Secret that is not in the files is no error of the file's.
    @Test func variablesOfTheCluster() {
        let hidden = LintFixture.amqp.spoiled(
            ("      authenticationRef: {name: broker}", "        hostFromEnv: RABBIT_URL"),
            (
                "            args: [my-task]",
                "            args: [my-task]\n            envFrom: [{secretRef: {name: absent}}]"
            ))
        #expect(hidden.ids() == [])
    }

    @Test(arguments: ["kind: Deployment\napiVersion: apps/v1\nspec: {replicas: x}\n", "a: b\n", "", "# nothing\n"])
    func otherFiles(_ text: String) {
        #expect(text.ids() == [])
    }

    /// What a JSON file or a list holds is looked at like any other.
    @Test func lists() {
        let list = """
            {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob",
            "metadata": {"name": "a"}, "spec": {"maxReplicaCount": 0}}]}
            """
        #expect(list.ids().contains("SJ043") && list.ids().contains("SJ002"))
    }
}
