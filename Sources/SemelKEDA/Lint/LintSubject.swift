import Semel

/// A ScaledJob with all that rules ask about it.
struct LintSubject: Sendable {
    let job: ScaledJob
    let manifest: Manifest
    let version: KEDAVersion
    /// Those that KEDA would take and that are known here.
    let triggers: [LintTrigger]
    /// Why the others are none.
    let refusals: [TriggerError]
    let worker: WorkerSettings?
    /// The queue of `--queue`, when it is this ScaledJob's.
    var queue: QueueFacts?

    init(_ job: ScaledJob, _ manifest: Manifest, _ version: KEDAVersion) {
        (self.job, self.manifest, self.version) = (job, manifest, version)
        var triggers: [LintTrigger] = []
        var refusals: [TriggerError] = []
        for trigger in job.triggers where TriggerRules.isKnown(trigger.type?.value) {
            do throws(TriggerError) {
                let resolved = try manifest.resolve(trigger, of: job)
                triggers.append(LintTrigger(written: trigger, resolved: resolved, counted: resolved.counted))
            } catch {
                refusals.append(error)
            }
        }
        let worker = WorkerSettings(job, manifest)
        let lists = Set(triggers.compactMap(\.listName))
        self.triggers = triggers.map { trigger in
            LintTrigger(
                written: trigger.written, resolved: trigger.resolved,
                counted: Self.counted(trigger, lists: lists, taken: worker?.queue?.name))
        }
        self.refusals = refusals
        self.worker = worker
    }

    /// - Parameters:
    ///   - lists: All lists that are counted.
    ///   - taken: The one that the worker takes from.
    private static func counted(
        _ trigger: LintTrigger, lists: Set<String>, taken: String?
    ) -> ResolvedTrigger.Counted {
        // Whether it is amqp or http is in a URL that is in the cluster.
        if trigger.hasUnknownProtocol { return .other }
        guard let name = trigger.listName else { return trigger.resolved.counted }
        // What workers take from waits, whatever it is called, and so does what has leases of its own.
        if name == taken || lists.contains(SeveralTriggersRules.leases(of: name)) { return trigger.resolved.counted }
        return LintTrigger.isNameOfHeld(name) ? .held : trigger.resolved.counted
    }

    var spec: YAMLValue? { job.source["spec"] }
    var pod: PodTemplate? { job.job?.template }

    /// Where a field is written; where it is not, the nearest field around the place where it would be.
    func place(_ path: String...) -> Position {
        var position = job.position
        var value: YAMLValue? = job.source
        for name in ["spec"] + path {
            guard let field = value?.fields?.first(where: { $0.name == name }) else { break }
            position = field.position
            value = field.value
        }
        return position
    }

    /// Whether all triggers are known.
    var isWhole: Bool { triggers.count == job.triggers.count }

    /// What the triggers count together.
    var count: Count {
        let counted = Set(triggers.map(\.counted)).subtracting([.other])
        guard isWhole, !counted.isEmpty else { return .unknown }
        if counted.contains(.readyAndHeld) { return .readyAndHeld }
        if counted == [.held] { return .held }
        if counted == [.ready] { return .ready }
        return CombinationRule(job.scalingStrategy.multipleScalersCalculation?.value) == .sum
            ? .readyAndHeld : .apart
    }

    enum Count: Sendable {
        case ready, readyAndHeld, held
        /// Ready messages by one trigger, held ones by another, and only one of the numbers is taken.
        case apart
        case unknown
    }

    /// Whether a Job is pending until its worker has claimed a message, as far as the file tells.
    var isPendingUntilClaimed: Bool {
        guard job.scalingStrategy.pendingPodConditions.contains(where: { $0.value == "Ready" }) else { return false }
        if let worker {
            return worker.container.readinessProbe.map { worker.tellsOfClaim($0) != false } ?? false
        }
        return pod?.containers.contains { $0.readinessProbe != nil } ?? false
    }

    func trigger(counting queue: QueueFacts) -> LintTrigger? {
        triggers.first { $0.isOf(queue) }
    }
}

/// A trigger as it is written and as KEDA understands it.
struct LintTrigger: Sendable {
    let written: ScaledJob.Trigger
    let resolved: ResolvedTrigger
    let counted: ResolvedTrigger.Counted

    private static let wordsForHeld: Set<String> = [
        "lease", "leases", "processing", "inflight", "in flight", "unacked", "claimed", "reserved", "working",
    ]

    /// A sorted set of leases, a list of what is being processed: only its name tells that Redis counts held messages.
    /// The words are whole and last: `networking` and `release-builds` are lists like any other.
    static func isNameOfHeld(_ list: String) -> Bool {
        let words = list.lowercased().split { ":-_.{}".contains($0) }
        return [1, 2].contains { wordsForHeld.contains(words.suffix($0).joined(separator: " ")) }
    }

    var listName: String? {
        if case .redisList(let list) = resolved.kind { list.listName } else { nil }
    }

    // Not inlined: Swift 6.3.1 crashes over it (CopyPropagation) when it optimises ``LintSubject/trigger(counting:)``.
    @inline(never)
    func isOf(_ queue: QueueFacts) -> Bool {
        queueName == queue.queue && queue.kind == broker
    }

    var queueName: String? {
        switch resolved.kind {
        case .rabbitMQ(let trigger): trigger.queueName
        case .redisList(let trigger): trigger.listName
        case .redisStream(let trigger): trigger.stream
        case .sqs(let trigger): trigger.queueName
        case .cron: nil
        }
    }

    var broker: QueueFacts.Kind? {
        switch resolved.kind {
        case .rabbitMQ: .rabbitMQ
        case .redisList: .redisList
        case .redisStream: .redisStream
        case .sqs: .sqs
        default: nil
        }
    }

    /// Its numbers come from RabbitMQ's management statistics, 4 to 10 s late.
    var isStale: Bool {
        if case .rabbitMQ(let trigger) = resolved.kind { trigger.protocol == .http } else { false }
    }

    var hasUnknownProtocol: Bool {
        if case .rabbitMQ(let trigger) = resolved.kind { trigger.protocol == .auto } else { false }
    }

    /// Where a parameter is written, or the trigger.
    func place(_ parameter: String) -> Position {
        written.metadata[parameter]?.position ?? written.position
    }
}
