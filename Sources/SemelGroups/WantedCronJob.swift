import SemelKEDA
public import SemelKubernetes

extension GroupsFile {
    /// The CronJob of each group, as it is applied: with the fields that are ours to say, and no other.
    ///
    /// - Parameter namespace: the one that the file does not name.
    public func cronJobs(_ state: GroupState, namespace: String) -> [CronJob] {
        let template = jobTemplate.json
        return state.groups.map { cronJob(of: $0, template, self.namespace ?? namespace) }
    }

    public func cronJobName(_ group: Int) -> String { "\(name)-\(group)" }

    private func cronJob(of group: GroupState.Group, _ template: JSONValue, _ namespace: String) -> CronJob {
        var cronJob = CronJob(name: cronJobName(group.number), namespace: namespace)
        let labels = [GroupLabels.groups: name, GroupLabels.group: "\(group.number)"]
        cronJob.labels = labels.merging([GroupLabels.managedBy: GroupLabels.manager]) { $1 }
        var spec: JSONValue = [
            "schedule": .string(schedule.value), "timeZone": .string(timeZone.value),
            "concurrencyPolicy": .string(concurrency), "jobTemplate": jobTemplate(template, of: group, labels),
        ]
        spec["suspend"] = suspend.map { .bool($0) }
        spec["startingDeadlineSeconds"] = deadlines.starting.map { .integer($0) }
        spec["successfulJobsHistoryLimit"] = history.successful.map { .integer(Int64($0)) }
        spec["failedJobsHistoryLimit"] = history.failed.map { .integer(Int64($0)) }
        cronJob.json["spec"] = spec
        return cronJob
    }

    private func jobTemplate(
        _ template: JSONValue, of group: GroupState.Group, _ labels: [String: String]
    ) -> JSONValue {
        var job = template
        for (name, value) in labels {
            job["metadata", "labels", name] = .string(value)
            job["spec", "template", "metadata", "labels", name] = .string(value)
        }
        job["spec", "activeDeadlineSeconds"] = deadlines.active.map { .integer($0) }
        let variables = GroupVariables.variables(of: group).map { variable -> JSONValue in
            ["name": .string(variable.name), "value": .string(variable.value)]
        }
        for list in ["initContainers", "containers"] {
            guard let containers = job["spec", "template", "spec", list]?.array else { continue }
            // First, so that the variables behind them can refer to them.
            job["spec", "template", "spec", list] = .array(
                containers.map { container in
                    var container = container
                    container["env"] = .array(variables + (container["env"]?.array ?? []))
                    return container
                })
        }
        return job
    }
}

extension YAMLValue {
    /// As JSON, which is what becomes of YAML on its way to Kubernetes. Fields without a value are left out.
    var json: JSONValue {
        switch content {
        case .list(let elements): .array(elements.map(\.json))
        case .object(let fields):
            .object(
                Dictionary(
                    fields.filter { !$0.value.isNull }.map { ($0.name, $0.value.json) },
                    uniquingKeysWith: { first, _ in first }))
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: .null
            case .boolean: .bool(scalar.boolean ?? false)
            case .integer: scalar.integer.map { .integer($0) } ?? .string(scalar.text)
            case .float: Double(scalar.text).map { .number($0) } ?? .string(scalar.text)
            case .string: .string(scalar.text)
            }
        }
    }
}
