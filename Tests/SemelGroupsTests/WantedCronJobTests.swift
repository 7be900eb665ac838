import SemelGroups
import SemelKubernetes
import Testing

/// What is applied for a group, to the last field.
@Suite struct WantedCronJobTests {
    private func cronJobs(_ text: String, _ groups: GroupState.Group...) throws -> [CronJob] {
        try GroupsFile(text, file: "groups.yaml").cronJobs(
            GroupState(layout: .keys, capacity: 10, groups: groups), namespace: "work")
    }

    @Test func everyField() throws {
        let cronJobs = try cronJobs(
            GroupsFileTests.plain.replacing(
                "image: work:1", with: "image: work:1\n            env: [{name: A, value: b}]"),
            GroupState.Group(number: 3, items: 7, first: "a", last: "c"))
        let expected = """
            {"apiVersion": "batch/v1", "kind": "CronJob",
             "metadata": {"name": "nightly-3", "namespace": "work", "labels": {
               "semel/groups": "nightly", "semel/group": "3", "app.kubernetes.io/managed-by": "semelctl"}},
             "spec": {"schedule": "0 0 * * *", "timeZone": "Europe/Berlin", "concurrencyPolicy": "Forbid",
               "startingDeadlineSeconds": 600, "jobTemplate": {
                 "metadata": {"labels": {"semel/groups": "nightly", "semel/group": "3"}},
                 "spec": {"activeDeadlineSeconds": 18000, "backoffLimit": 2, "template": {
                   "metadata": {"labels": {"semel/groups": "nightly", "semel/group": "3"}},
                   "spec": {"restartPolicy": "Never", "containers": [{"name": "work", "image": "work:1", "env": [
                     {"name": "SEMEL_GROUP", "value": "3"}, {"name": "SEMEL_GROUP_FIRST", "value": "a"},
                     {"name": "SEMEL_GROUP_LAST", "value": "c"}, {"name": "A", "value": "b"}]}]}}}}}}
            """
        #expect(cronJobs.map(\.json) == [try JSONValue(parsing: expected)])
    }

    @Test func optionalFields() throws {
        let more = """
            namespace: own
            suspend: false
            history: {successful: 0, failed: 5}
            jobTemplate:
              metadata: {labels: {team: x}, annotations: {a: b}}
            """
        let cronJobs = try cronJobs(
            GroupsFileTests.plain.replacing("jobTemplate:", with: more),
            GroupState.Group(number: 1, items: 1, buckets: "0-371"), GroupState.Group(number: 12, items: 1))
        #expect(cronJobs.map(\.name) == ["nightly-1", "nightly-12"] && cronJobs[0].namespace == "own")
        let spec = try #require(cronJobs[0].json["spec"])
        #expect(spec["suspend"] == false && spec["successfulJobsHistoryLimit"] == 0)
        #expect(spec["failedJobsHistoryLimit"] == 5 && spec["jobTemplate", "metadata", "annotations", "a"] == "b")
        #expect(spec["jobTemplate", "metadata", "labels", "team"] == "x")
        #expect(spec.text.contains(#"{"name":"SEMEL_GROUP_BUCKETS","value":"0-371"}"#))
        #expect(!spec.text.contains("SEMEL_GROUP_FIRST"))
    }

    /// Kubernetes replaces `$(NAME)` in a variable's value; a key is data.
    @Test func aKeyIsNoReference() {
        let variables = GroupVariables.variables(
            of: GroupState.Group(number: 1, items: 1, first: "$(HOME)$$", last: "z"))
        #expect(variables.first { $0.name == "SEMEL_GROUP_FIRST" }?.value == "$$(HOME)$$$$")
    }

    /// YAML's types, as every tool of Kubernetes turns them into JSON.
    @Test func values() throws {
        let cronJob = try #require(
            try cronJobs(
                GroupsFileTests.plain.replacing(
                    "image: work:1",
                    with: "resources: {limits: {cpu: 1, memory: 1Gi, gpu: 0.5}}\n            stdin: true\n"
                        + "            workingDir:\n            x: [\"1\", null]"),
                GroupState.Group(number: 1, items: 1)
            ).first)
        let container = cronJob.json["spec", "jobTemplate", "spec", "template", "spec", "containers"]?.array?.first
        #expect(container?["resources", "limits"] == ["cpu": 1, "memory": "1Gi", "gpu": .number(0.5)])
        #expect(container?["stdin"] == true && container?.object?["workingDir"] == nil)
        #expect(container?["x"] == ["1", .null])
    }
}

/// What is said of a difference, and what is not.
@Suite struct GroupPlanTests {
    private func object(_ spec: String, labels: String = "{}") throws -> JSONValue {
        try JSONValue(parsing: #"{"metadata": {"labels": \#(labels), "resourceVersion": "1"}, "spec": \#(spec)}"#)
    }

    private func differences(_ before: String, _ after: String) throws -> [String] {
        FieldDifference.between(try object(before), try object(after)).map(\.text)
    }

    @Test func fields() throws {
        #expect(try differences(#"{"a": 1, "b": {"c": "x"}}"#, #"{"a": 1, "b": {"c": "x"}}"#) == [])
        #expect(
            try differences(#"{"a": 1, "b": {"c": "x"}}"#, #"{"a": 2, "b": {"d": true}}"#) == [
                "spec.a: 1 → 2", "spec.b.c: x → -", "spec.b.d: - → true",
            ])
        #expect(try differences(#"{"a": "x\ny"}"#, #"{"a": {}}"#) == [#"spec.a: x\u{a}y → -"#])
    }

    @Test func elementsWithNames() throws {
        #expect(
            try differences(
                #"{"c": [{"name": "w", "image": "w:1"}, {"name": "x"}]}"#,
                #"{"c": [{"name": "w", "image": "w:2"}, {"name": "y"}]}"#) == [
                    "spec.c[w].image: w:1 → w:2", "spec.c[x]", "spec.c[y]",
                ])
        #expect(
            try differences(#"{"c": [{"name": "w"}, {"name": "x"}]}"#, #"{"c": [{"name": "x"}, {"name": "w"}]}"#)
                == ["spec.c"])
    }

    @Test func nothingThatMayBeSecret() throws {
        let shown = try differences(
            #"{"c": [{"name": "w", "args": ["s3cret"], "env": [{"name": "P", "value": "s3cret"}, {"name": "SEMEL_GROUP_LAST", "value": "a"}]}]}"#,
            #"{"c": [{"name": "w", "args": ["s3cret2"], "env": [{"name": "P", "value": "s3cret2"}, {"name": "SEMEL_GROUP_LAST", "value": "b"}]}]}"#
        )
        #expect(shown == ["spec.c[w].args", "spec.c[w].env[P].value", "spec.c[w].env[SEMEL_GROUP_LAST].value: a → b"])
        let header = #"{"httpGet": {"port": 1, "httpHeaders": [{"name": "Authorization", "value": "s3cret"}]}}"#
        #expect(
            try differences(header, header.replacing("s3cret", with: "s3cret2").replacing("1,", with: "2,"))
                == ["spec.httpGet.httpHeaders[Authorization].value", "spec.httpGet.port: 1 → 2"])
    }

    private func cronJob(_ name: String, _ labels: [String: String]) -> CronJob {
        var cronJob = CronJob(name: name)
        cronJob.labels = labels
        return cronJob
    }

    @Test func whoseTheyAre() {
        let ours = cronJob("nightly-1", [GroupLabels.groups: "nightly", GroupLabels.group: "1"])
        let old = cronJob("nightly-9", [GroupLabels.groups: "nightly", GroupLabels.group: "9"])
        let present = PresentCronJobs(
            [ours, old, cronJob("nightly-2", [:]), cronJob("x-1", [GroupLabels.groups: "x"])], of: "nightly")
        #expect(Set(present.owned.keys) == ["nightly-1", "nightly-9"])
        #expect(present.collision(with: [ours]) == nil)
        #expect(present.collision(with: [ours, cronJob("nightly-2", [:])]) == "nightly-2")
        #expect(present.collision(with: [cronJob("x-1", [:])]) == "x-1")
        #expect(present.orphans(of: [ours]).map(\.name) == ["nightly-9"])
    }
}
