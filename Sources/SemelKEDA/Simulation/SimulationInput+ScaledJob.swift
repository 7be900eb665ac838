/// Why a ScaledJob cannot be simulated: one line that names the place in the file.
public struct SimulationRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
}

extension SimulationInput {
    /// What a ScaledJob says about its simulation. What it cannot say, such as how long a task takes, has defaults.
    ///
    /// - Parameter notes: A line for everything in the file that is simulated otherwise than it is written, or not at all.
    public init(
        _ job: ScaledJob, of manifest: Manifest, arrivals: ArrivalSchedule, version: KEDAVersion = .newest,
        notes: inout [String]
    ) throws(SimulationRefusal) {
        let reading = try Self.triggers(job, manifest)
        guard let queue = reading.broker else {
            let reasons = reading.leftOut.isEmpty ? ["\(job.position): no trigger"] : reading.leftOut
            throw SimulationRefusal(description: reasons.joined(separator: "; "))
        }
        guard !job.isPaused else {
            throw SimulationRefusal(
                description: "\(job.position): the ScaledJob is paused (annotation autoscaling.keda.sh/paused); "
                    + "KEDA would do nothing")
        }
        notes += reading.leftOut
        self.init(
            rules: job.rules(version), triggers: reading.triggers, queue: queue, arrivals: arrivals,
            pollingInterval: job.pollingSeconds * 1_000, pendingRule: job.pendingRule, pod: SimulatedPod(job, &notes))
        if triggers.contains(where: \.isStale) { statistics = .management }
        historyLimits = job.historyLimits
    }

    private static func triggers(
        _ job: ScaledJob, _ manifest: Manifest
    ) throws(SimulationRefusal) -> SimulatedQueueReading {
        var resolved: [ResolvedTrigger] = []
        var unknown: [String] = []
        for trigger in job.triggers {
            do throws(TriggerError) {
                resolved.append(try manifest.resolve(trigger, of: job))
            } catch {
                unknown.append("\(error); trigger \(trigger.index) is not simulated")
            }
        }
        var reading = SimulatedQueueReading(resolved)
        reading.leaveOut(unknown)
        return reading
    }
}

extension SimulatedPod {
    /// What a Job's template says of its pod.
    fileprivate init(_ job: ScaledJob, _ notes: inout [String]) {
        self.init()
        guard let template = job.job else { return }
        backoffLimit = Int(template.backoffLimit?.value ?? 6)
        // KEDA's own default is OnFailure.
        restartsInPlace = template.template?.restartPolicy?.value != "Never"
        ignoresEviction = template.podFailurePolicy?.ignoresEviction ?? false
        readiness = Readiness(template.template?.containers.first)
        for (name, value) in [("parallelism", template.parallelism), ("completions", template.completions)] {
            guard let value, value.value != 1 else { continue }
            notes.append("\(value.position): \(name) \(value.value) is simulated as 1: one pod for each Job")
        }
        if let suspend = template.suspend, suspend.value {
            notes.append("\(suspend.position): suspend is not simulated: the Jobs start at once")
        }
    }
}

extension SimulatedPod.Readiness {
    /// semel answers on `/readyz` once it has claimed; every other probe is taken to answer as soon as it is asked.
    fileprivate init(_ container: Container?) {
        guard let probe = container?.readinessProbe else {
            self = .afterStart(0)
            return
        }
        let first = probe.initialDelaySeconds * 1_000
        if case .httpGet(let path, _, _) = probe.action, path.prefix(while: { $0 != "?" }) == "/readyz" {
            self = .claimed(probeInterval: probe.periodSeconds * 1_000, firstProbe: first)
        } else {
            self = .afterStart(first)
        }
    }
}

extension PodFailurePolicy {
    fileprivate var ignoresEviction: Bool {
        let matching = rules.first { rule in
            rule.onPodConditions.contains {
                $0.type?.value == "DisruptionTarget" && ($0.status?.value ?? "True") == "True"
            }
        }
        return matching?.action?.value == "Ignore"
    }
}
