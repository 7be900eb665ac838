import Foundation
import Semel
import SemelCommand
import SemelKEDA

/// What the command line asks of `semelctl scale`.
struct ScaleSettings: Sendable {
    enum End: Sendable {
        case never, afterOnePoll
        /// When the triggers have read nothing for so long; `nil` for as long as their kind wants.
        case whenEmpty(for: Duration?)
    }

    var manifest: ManifestOption
    var changes: DeskChanges
    var image: PodCommand.Image
    var version: KEDAVersion
    /// From one poll to the next, in place of `pollingInterval`.
    var poll: Duration?
    var end: End
    /// Where the pods' output goes; `nil` when nobody wants it.
    var logs: String?
    var metrics: [String]
    var isJSON: Bool
}

/// The files, understood.
struct ScaleManifest: Sendable {
    let job: ScaledJob
    let manifest: Manifest
    let triggers: [ResolvedTrigger]
    let given: GivenMetrics

    static func read(_ settings: ScaleSettings) throws(CommandFailure) -> ScaleManifest {
        let (job, manifest) = try settings.manifest.read(settings.changes)
        let given = try GivenMetrics(
            metrics: settings.metrics, inactive: [], failed: [], triggerCount: job.triggers.count)
        var triggers: [ResolvedTrigger] = []
        do throws(TriggerError) {
            for trigger in job.triggers { triggers.append(try manifest.resolve(trigger, of: job)) }
            // What cannot run is said before anything does.
            let pod = PodCommand.Identity(name: "check", jobName: "check", address: "127.0.0.1", node: "desk")
            let command = try PodCommand(job, in: manifest, settings.image, pod)
            try PodLauncher.check(command, job)
        } catch {
            throw CommandFailure(error.description, .misconfigured)
        }
        return ScaleManifest(job: job, manifest: manifest, triggers: triggers, given: given)
    }

    /// What the desk does not do, for a line each.
    var omissions: [String] {
        guard let template = job.job?.template, let container = template.containers.first else { return [] }
        var lines: [String] = []
        func omit(_ position: Position, _ path: String, _ what: String) {
            lines.append("\(position): \(path): \(what)")
        }
        for other in template.containers.dropFirst() {
            omit(other.position, other.name?.path ?? "containers", "only the first container runs here")
        }
        for other in template.initContainers {
            omit(other.position, other.name?.path ?? "initContainers", "init containers do not run here")
        }
        if let directory = container.workingDir {
            omit(directory.position, directory.path, "the worker runs in the present directory here")
        }
        if case .grpc? = container.readinessProbe?.action, let probe = container.readinessProbe {
            omit(probe.position, "readinessProbe", "gRPC is not asked here; the pod counts as ready")
        }
        let spec = job.source["spec"]?["jobTargetRef"]?["template"]?["spec"]
        for mount in spec?["containers"]?.elements?.first?["volumeMounts"]?.elements ?? []
        where mount["mountPath"]?.text != "/tmp" {
            omit(
                mount.position, "volumeMounts",
                "‘\(mount["mountPath"]?.text ?? "")’ is not mounted here; only /tmp is, as TMPDIR")
        }
        return lines
    }
}

/// What this machine has for a pod to be started with.
enum PodLauncher {
    /// The file that a command's first word names, looked for where the pod would.
    static func program(_ word: String, _ environment: [String: String]) throws(ConfigurationError) -> String {
        try ExecutableSearch.find(word, path: self.environment(environment)["PATH"] ?? "")
    }

    static func check(_ command: PodCommand, _ job: ScaledJob) throws(TriggerError) {
        guard let container = job.job?.template?.containers.first, let word = command.words.first else { return }
        do throws(ConfigurationError) {
            _ = try program(word, command.environment)
        } catch {
            let needsInit = job.job?.template?.initContainers.isEmpty == false && word.hasPrefix("/")
            let hint =
                needsInit
                ? "init containers, which may bring it, do not run here; --entrypoint 'semel run --' replaces the command"
                : "--entrypoint and -- TASK replace what the image has"
            throw TriggerError(
                position: container.position, path: container.name?.path ?? "containers[0]",
                message: "\(error.description); \(hint)")
        }
    }

    /// A pod's variables with those that an image would have.
    static func environment(_ pod: [String: String]) -> [String: String] {
        let own = ProcessInfo.processInfo.environment
        var path = own["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        if let directory = directoryOfSemel { path = "\(directory):\(path)" }
        return ["PATH": path, "HOME": own["HOME"] ?? "/"].merging(pod) { _, written in written }
    }

    /// Where this executable is, if `semel` is there, too.
    static let directoryOfSemel: String? = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let directory = URL(fileURLWithPath: own).deletingLastPathComponent().path
        return FileManager.default.isExecutableFile(atPath: "\(directory)/semel") ? directory : nil
    }()
}
