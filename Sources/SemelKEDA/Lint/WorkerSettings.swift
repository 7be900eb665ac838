import Semel

/// How the semel in a pod is set up. A pod with another worker has none.
struct WorkerSettings: Sendable {
    let container: Container
    /// Settings that are given, by their variable's name (`SEMEL_TIMEOUT`), and where. Flags win.
    private let given: [String: Located<SecretText>]
    /// What the container's environment is, as far as the files tell.
    let environment: [String: ResolvedText]
    /// Whether it may have variables that the files do not name.
    private let hasHiddenVariables: Bool

    init?(_ job: ScaledJob, _ manifest: Manifest) {
        let containers = job.job?.template?.containers ?? []
        guard let container = containers.first(where: Self.isSemel) else { return nil }
        self.container = container
        environment = manifest.environment(of: container, namespace: job.metadata.namespace?.value)
        hasHiddenVariables =
            manifest.hiddenVariables(of: container, namespace: job.metadata.namespace?.value) != nil
        var given: [String: Located<SecretText>] = [:]
        for (name, text) in environment {
            guard case .known(let text) = text, !text.revealed.isEmpty else { continue }
            let position = container.variable(name)?.position ?? container.position
            given[name] = Located(text, at: position, path: name)
        }
        for flag in Self.flags(of: container) { given[flag.path] = flag }
        self.given = given
    }

    private static func isSemel(_ container: Container) -> Bool {
        if container.env.contains(where: { $0.name?.value.hasPrefix("SEMEL_") == true }) { return true }
        let image = container.image?.value.split(separator: "/").last?.prefix { $0 != ":" && $0 != "@" } ?? ""
        let program = container.command.first?.value.split(separator: "/").last
        return image == "semel" || image == "semel-runtime" || program == "semel"
    }

    /// `--timeout 25m` and `--timeout=25m`, as far as the task's own command.
    private static func flags(of container: Container) -> [Located<SecretText>] {
        var words = (container.command + container.args).prefix { $0.value != "--" }[...]
        var flags: [Located<SecretText>] = []
        while let word = words.popFirst() {
            guard word.value.hasPrefix("--") else { continue }
            let parts = word.value.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, let text = parts.count > 1 ? String(parts[1]) : words.popFirst()?.value
            else { continue }
            let variable = "SEMEL_" + name.uppercased().replacing("-", with: "_")
            flags.append(Located(SecretText(text), at: word.position, path: variable))
        }
        return flags
    }

    /// A setting that is no secret; `nil` when it is not given, or only in the cluster.
    func text(_ variable: String) -> String? { given[variable]?.value.revealed }

    /// Whether it may be given where the files do not show it.
    func isHidden(_ variable: String) -> Bool {
        if case .unknown = environment[variable] { true } else { false }
    }

    /// A setting, or what counts where it is left out; `nil` when that is known in the cluster only.
    func text(_ variable: String, default usual: String) -> String? {
        if let text = text(variable) { return text }
        let isHidden = isHidden(variable) || hasHiddenVariables && environment[variable] == nil
        return isHidden ? nil : usual
    }

    func place(_ variable: String) -> Position {
        given[variable]?.position ?? container.variable(variable)?.position ?? container.position
    }

    /// `nil` when it is not given or is no duration.
    func duration(_ variable: String) -> Duration? { text(variable).flatMap { Units.duration($0) } }

    /// `SEMEL_TIMEOUT`; `nil` when a task may run for ever.
    var timeout: Duration? { duration("SEMEL_TIMEOUT") }
    var grace: Duration { duration("SEMEL_GRACE") ?? .seconds(20) }
    var linger: Duration { duration("SEMEL_LINGER") ?? .zero }
    var losesOnCrash: Bool { text("SEMEL_DELIVERY") == "at-most-once" }
    var waitsForever: Bool { text("SEMEL_WAIT") == "forever" }
    var finishesOnTerm: Bool { text("SEMEL_ON_TERM") == "finish" }

    /// Whether a probe succeeds once a message is claimed and not before; `nil` when that is not known.
    func tellsOfClaim(_ probe: Probe) -> Bool? {
        switch probe.action {
        case .httpGet(let path, _, _): return path.prefix { $0 != "?" && $0 != "#" } == "/readyz"
        // Open as soon as semel runs.
        case .tcpSocket(let port): return isStatusPort(port) ? false : nil
        case .exec, .grpc, .none: return nil
        }
    }

    private func isStatusPort(_ port: String) -> Bool {
        let number =
            container.ports.first { $0.name?.value == port }?.containerPort.map { String($0.value) } ?? port
        let address = text("SEMEL_STATUS_ADDRESS") ?? "0.0.0.0:8082"
        return address.split(separator: ":").last.map(String.init) == number
    }
}
