import Semel
import SemelKEDA

/// What a ScaledJob's container says of its worker: by variables, and by flags, which win as they do in semel itself.
struct WorkerInFile {
    private let container: Container?
    private let variables: [String: ResolvedText]

    init(_ job: ScaledJob, _ manifest: Manifest) {
        container = job.job?.template?.containers.first
        variables =
            container.map { manifest.environment(of: $0, namespace: job.metadata.namespace?.value) } ?? [:]
    }

    func worker() throws(CommandFailure) -> SimulatedWorker {
        var worker = SimulatedWorker()
        if let wait = text("wait") { worker.wait = try wait == "forever" ? nil : time("wait", wait) }
        if let linger = text("linger") { worker.linger = try time("linger", linger) }
        if let lease = text("lease") { worker.lease = max(1, try time("lease", lease)) }
        if let attempts = text("max-attempts") {
            guard let count = Int(attempts), count > 0 else {
                throw error("max-attempts", "a number above 0")
            }
            worker.maxAttempts = count
        }
        if let delivery = text("delivery") {
            guard ["at-least-once", "at-most-once"].contains(delivery) else {
                throw error("delivery", "at-least-once or at-most-once")
            }
            worker.isAtMostOnce = delivery == "at-most-once"
        }
        return worker
    }

    /// What is in the cluster only is as if it were not written.
    private func text(_ setting: String) -> String? {
        if let flag = flag("--\(setting)") { return flag }
        guard case .known(let value) = variables[variable(setting)], !value.revealed.isEmpty else { return nil }
        return value.revealed
    }

    private func variable(_ setting: String) -> String {
        "SEMEL_" + setting.uppercased().replacing("-", with: "_")
    }

    /// `--wait 20s` or `--wait=20s` before the task's own command.
    private func flag(_ name: String) -> String? {
        let words = ((container?.command ?? []) + (container?.args ?? [])).map(\.value).prefix { $0 != "--" }
        var value: String?
        for (index, word) in words.enumerated() {
            if word == name, index + 1 < words.count { value = words[index + 1] }
            if word.hasPrefix(name + "=") { value = String(word.dropFirst(name.count + 1)) }
        }
        return value
    }

    private func time(_ setting: String, _ text: String) throws(CommandFailure) -> Int {
        guard let duration = Units.duration(text), duration <= .seconds(3_600_000) else {
            throw error(setting, "a time such as 10s")
        }
        return Int(duration.milliseconds)
    }

    /// What is written may come from a Secret, so it is not repeated.
    private func error(_ setting: String, _ right: String) -> CommandFailure {
        let position = container?.variable(variable(setting))?.position ?? container?.position
        let place = position.map { "\($0): " } ?? ""
        return CommandFailure("\(place)\(variable(setting)): is not \(right)", .misconfigured)
    }
}
