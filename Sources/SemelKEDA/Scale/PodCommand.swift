/// The first container of a pod as a command of this machine: what the kubelet would make of the template.
public struct PodCommand: Sendable {
    /// The command and its arguments.
    public let words: [String]
    public let environment: [String: String]
    public let address: String
    /// The readiness probe, with a number for its port.
    public let readiness: Probe?

    /// What this machine has in place of an image.
    public struct Image: Sendable {
        /// In place of the image's entry point. It replaces the container's `command`, too, when it was asked for.
        public var entrypoint: [String]
        public var replacesCommand: Bool
        /// In place of the image's own command, and of the container's `args`; `nil` when nothing was given.
        public var arguments: [String]?

        public init(entrypoint: [String], replacesCommand: Bool = false, arguments: [String]? = nil) {
            self.entrypoint = entrypoint
            self.replacesCommand = replacesCommand
            self.arguments = arguments
        }
    }

    /// What a running pod knows of itself.
    public struct Identity: Sendable {
        public var name: String
        public var jobName: String
        /// Its own address on the loopback network, such as `127.16.0.1`.
        public var address: String
        public var node: String

        public init(name: String, jobName: String, address: String, node: String) {
            self.name = name
            self.jobName = jobName
            self.address = address
            self.node = node
        }
    }

    /// - Throws: What cannot be known here, and what is missing: a task, a Secret, a field.
    public init(
        _ scaledJob: ScaledJob, in manifest: Manifest, _ image: Image, _ pod: Identity
    ) throws(TriggerError) {
        guard let template = scaledJob.job?.template, let container = template.containers.first else {
            throw TriggerError(
                position: scaledJob.position, path: "spec.jobTargetRef.template.spec.containers",
                message: "no container")
        }
        let namespace = scaledJob.metadata.namespace?.value
        if let missing = manifest.missingEnvironmentSources(of: container, namespace: namespace).first {
            throw TriggerError(
                position: missing.position, path: missing.path, message: "‘\(missing.value)’ is not in the files")
        }
        let variables = manifest.environment(of: container, namespace: namespace) { path in
            PodFields(template: template, namespace: namespace, pod: pod)[path]
        }
        environment = try Self.environment(variables, container, pod)
        words = try Self.words(container, variables, environment, image)
        address = pod.address
        readiness = container.readinessProbe
    }

    private static func environment(
        _ variables: [String: ResolvedText], _ container: Container, _ pod: Identity
    ) throws(TriggerError) -> [String: String] {
        // As the kubelet sets it.
        var environment = ["HOSTNAME": pod.name]
        for name in variables.keys.sorted() {
            switch variables[name] {
            case .known(let text): environment[name] = text.revealed
            case .unknown(let reason):
                let entry = container.variable(name)
                throw TriggerError(
                    position: entry?.position ?? container.position, path: entry?.name?.path ?? name,
                    message: "variable ‘\(name)’: \(reason); give it with --env \(name)=VALUE")
            case nil: break
            }
        }
        // Every pod has an address of its own, so that all of them can listen on the same port.
        let status = environment["SEMEL_STATUS_ADDRESS"] ?? "0.0.0.0:8082"
        for everywhere in ["0.0.0.0:", "[::]:", ":"] where status.hasPrefix(everywhere) {
            environment["SEMEL_STATUS_ADDRESS"] = "\(pod.address):\(status.dropFirst(everywhere.count))"
        }
        return environment
    }

    private static func words(
        _ container: Container, _ variables: [String: ResolvedText], _ environment: [String: String], _ image: Image
    ) throws(TriggerError) -> [String] {
        let command = image.replacesCommand ? [] : try expanded(container.command, variables)
        let arguments: [String]
        if let given = image.arguments {
            arguments = given
        } else {
            arguments = try expanded(container.args, variables)
        }
        guard command.isEmpty else { return command + arguments }
        guard !arguments.isEmpty || environment["SEMEL_COMMAND"] != nil else {
            throw TriggerError(
                position: container.position, path: container.name?.path ?? "containers[0]",
                message: "neither command nor args, and the image's own command is not known here; give the task "
                    + "after --")
        }
        // What begins the task has nothing to begin.
        let isBare = arguments.isEmpty && image.entrypoint.last == "--"
        return Array(isBare ? image.entrypoint.dropLast() : image.entrypoint[...]) + arguments
    }

    private static func expanded(
        _ words: [Located<String>], _ variables: [String: ResolvedText]
    ) throws(TriggerError) -> [String] {
        var result: [String] = []
        for word in words {
            switch VariableExpansion.expand(SecretText(word.value), variables) {
            case .known(let text): result.append(text.revealed)
            case .unknown(let reason):
                throw TriggerError(position: word.position, path: word.path, message: reason)
            }
        }
        return result
    }

    /// The number of a port that a probe names.
    public static func port(_ text: String, in container: Container?) -> Int? {
        Int(text) ?? container?.ports.first { $0.name?.value == text }?.containerPort.map { Int($0.value) }
    }
}

/// What `fieldRef` may name.
private struct PodFields {
    let template: PodTemplate
    let namespace: String?
    let pod: PodCommand.Identity

    subscript(_ path: String) -> String? {
        switch path {
        case "metadata.name": pod.name
        case "metadata.namespace": namespace ?? "default"
        case "metadata.uid": "desk-\(pod.name)"
        case "status.podIP", "status.podIPs": pod.address
        case "status.hostIP", "status.hostIPs": "127.0.0.1"
        case "spec.nodeName": pod.node
        case "spec.serviceAccountName": template.serviceAccountName?.value ?? "default"
        default: entry(path)
        }
    }

    /// `metadata.labels['app']`; one that is not there is empty.
    private func entry(_ path: String) -> String? {
        for (kind, map) in [("labels", template.metadata.labels), ("annotations", template.metadata.annotations)] {
            let opening = "metadata.\(kind)['"
            guard path.hasPrefix(opening), path.hasSuffix("']") else { continue }
            let name = String(path.dropFirst(opening.count).dropLast(2))
            switch name {
            case "job-name", "batch.kubernetes.io/job-name": return pod.jobName
            default: return map[name]?.value ?? ""
            }
        }
        return nil
    }
}
