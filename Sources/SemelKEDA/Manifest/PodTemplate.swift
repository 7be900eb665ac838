/// The pod that a Job makes.
public struct PodTemplate: Sendable {
    public let position: Position
    public let metadata: ObjectMetadata
    public let containers: [Container]
    /// One with `restartPolicy: Always` is a sidecar.
    public let initContainers: [Container]
    /// KEDA takes `OnFailure` when it is not written.
    public let restartPolicy: Located<String>?
    /// Kubernetes takes 30 when it is not written.
    public let terminationGracePeriodSeconds: Located<Int64>?
    public let activeDeadlineSeconds: Located<Int64>?
    public let serviceAccountName: Located<String>?
    public let automountServiceAccountToken: Located<Bool>?
    public let enableServiceLinks: Located<Bool>?
    public let shareProcessNamespace: Located<Bool>?
    public let priorityClassName: Located<String>?

    init(_ reader: inout FieldReader) {
        position = reader.value.position
        metadata = ObjectMetadata(&reader)
        let spec = reader.object("spec") { PodFields(&$0) }
        if spec == nil { reader.list.add(.missing, reader.value, reader.path(of: "spec"), "is missing") }
        containers = spec?.containers ?? []
        initContainers = spec?.initContainers ?? []
        restartPolicy = spec?.restartPolicy
        terminationGracePeriodSeconds = spec?.grace
        activeDeadlineSeconds = spec?.deadline
        serviceAccountName = spec?.serviceAccountName
        automountServiceAccountToken = spec?.automountServiceAccountToken
        enableServiceLinks = spec?.enableServiceLinks
        shareProcessNamespace = spec?.shareProcessNamespace
        priorityClassName = spec?.priorityClassName
    }

    public func container(named name: String) -> Container? {
        (containers + initContainers).first { $0.name?.value == name }
    }
}

/// The pod's `spec`, on its way into a ``PodTemplate``.
private struct PodFields {
    let containers: [Container]
    let initContainers: [Container]
    let restartPolicy: Located<String>?
    let grace: Located<Int64>?
    let deadline: Located<Int64>?
    let serviceAccountName: Located<String>?
    let automountServiceAccountToken: Located<Bool>?
    let enableServiceLinks: Located<Bool>?
    let shareProcessNamespace: Located<Bool>?
    let priorityClassName: Located<String>?

    init(_ reader: inout FieldReader) {
        containers = reader.objects("containers") { Container(&$0) }
        if containers.isEmpty {
            reader.list.add(.missing, reader.value, reader.path(of: "containers"), "no container")
        }
        initContainers = reader.objects("initContainers") { Container(&$0) }
        restartPolicy = reader.text("restartPolicy")
        if let restartPolicy, !["Never", "OnFailure"].contains(restartPolicy.value) {
            reader.list.add(
                Finding(
                    .invalid, at: restartPolicy.position, path: restartPolicy.path,
                    "‘\(restartPolicy.value)’ cannot be in a Job; write Never or OnFailure"))
        }
        grace = reader.longInteger("terminationGracePeriodSeconds", least: 0)
        deadline = reader.longInteger("activeDeadlineSeconds", least: 0)
        serviceAccountName = reader.text("serviceAccountName")
        automountServiceAccountToken = reader.flag("automountServiceAccountToken")
        enableServiceLinks = reader.flag("enableServiceLinks")
        shareProcessNamespace = reader.flag("shareProcessNamespace")
        priorityClassName = reader.text("priorityClassName")
        reader.skip(
            "affinity", "dnsConfig", "dnsPolicy", "ephemeralContainers", "hostAliases", "hostIPC", "hostNetwork",
            "hostPID", "hostUsers", "hostname", "hostnameOverride", "imagePullSecrets", "nodeName", "nodeSelector",
            "os", "overhead", "preemptionPolicy", "priority", "readinessGates", "resourceClaims", "resources",
            "runtimeClassName", "schedulerName", "schedulingGates", "securityContext", "serviceAccount",
            "setHostnameAsFQDN", "subdomain", "tolerations", "topologySpreadConstraints", "volumes", "workloadRef")
    }
}
