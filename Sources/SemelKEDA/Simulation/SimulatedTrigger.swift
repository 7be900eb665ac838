/// A trigger as the simulation reads it: which part of the simulated queue it counts.
public struct SimulatedTrigger: Sendable, Hashable {
    public enum Count: String, Sendable, Hashable {
        /// Messages that wait.
        case ready
        /// Messages that wait, and those that are claimed and not settled.
        case readyAndHeld = "ready and held"
        /// Messages that are claimed and not settled.
        case held
    }

    public var count: Count
    /// Whether the count is as old as statistics are.
    public var isStale: Bool
    /// As in ``ResolvedTrigger/target``.
    public var target: Double
    /// The trigger counts when its metric is above this.
    public var activation: Double

    public init(_ count: Count, isStale: Bool = false, target: Double = 1, activation: Double = 0) {
        self.count = count
        self.isStale = isStale
        self.target = target
        self.activation = activation
    }

    func value(_ level: QueueLevel) -> Double {
        switch count {
        case .ready: Double(level.ready)
        case .readyAndHeld: Double(level.ready + level.held)
        case .held: Double(level.held)
        }
    }
}

/// What a ScaledJob's triggers come to when there is one queue: the one that its workers claim from.
struct SimulatedQueueReading {
    /// Those that count the queue.
    private(set) var triggers: [SimulatedTrigger] = []
    private(set) var broker: SimulationInput.QueueKind?
    /// A line for each trigger that is left out, and why.
    private(set) var leftOut: [String] = []
    /// The list, stream or queue that the first trigger counts.
    private var queue: String?

    init(_ resolved: [ResolvedTrigger]) {
        // The list of waiting messages names the queue, also when the trigger for its leases is written above it.
        let leases = resolved.filter { Self.isLeases($0) }.map(\.index)
        for trigger in resolved where !leases.contains(trigger.index) { read(trigger) }
        for trigger in resolved where leases.contains(trigger.index) { readLeases(trigger) }
    }

    private static func isLeases(_ trigger: ResolvedTrigger) -> Bool {
        if case .redisList(let list) = trigger.kind { list.listName.hasSuffix(":leases") } else { false }
    }

    private mutating func read(_ trigger: ResolvedTrigger) {
        switch trigger.kind {
        case .rabbitMQ(let rabbit):
            guard rabbit.mode == .queueLength else { return leaveOut(trigger, "its metric is a rate or a time") }
            let isHTTP = rabbit.protocol == .http
            add(trigger, .rabbitMQ, rabbit.queueName, rabbit.counted == .ready ? .ready : .readyAndHeld, isHTTP)
        case .redisList(let list):
            add(trigger, .redisList, list.listName, .ready)
        case .redisStream(let stream):
            let count: SimulatedTrigger.Count =
                switch stream.mode {
                case .length: .readyAndHeld
                case .lag: .ready
                case .pending: .held
                }
            add(trigger, .redisStream, stream.stream, count)
        case .sqs(let sqs):
            add(trigger, .sqs, sqs.queueName, sqs.scaleOnInFlight ? .readyAndHeld : .ready)
        case .cron:
            leaveOut(trigger, "there is no time of day here")
        }
    }

    private mutating func readLeases(_ trigger: ResolvedTrigger) {
        guard case .redisList(let list) = trigger.kind else { return }
        let base = String(list.listName.dropLast(":leases".count))
        guard broker == nil || broker == .redisList, queue == nil || base == queue || base == "{\(queue ?? "")}" else {
            return leaveOut(trigger, "it is no key beside \(queue.map { "‘\($0)’" } ?? "the queue")")
        }
        let name = base.hasPrefix("{") && base.hasSuffix("}") ? String(base.dropFirst().dropLast()) : base
        add(trigger, .redisList, queue ?? name, .held)
    }

    private mutating func add(
        _ trigger: ResolvedTrigger, _ kind: SimulationInput.QueueKind, _ name: String, _ count: SimulatedTrigger.Count,
        _ isStale: Bool = false
    ) {
        guard broker == nil || (broker == kind && queue == name) else {
            return leaveOut(trigger, "the queue that is simulated is ‘\(queue ?? "")’")
        }
        (broker, queue) = (kind, name)
        triggers.append(
            SimulatedTrigger(count, isStale: isStale, target: trigger.target, activation: trigger.activation))
    }

    mutating func leaveOut(_ lines: [String]) {
        leftOut += lines
    }

    private mutating func leaveOut(_ trigger: ResolvedTrigger, _ reason: String) {
        leftOut.append(
            "\(trigger.position): trigger \(trigger.index) (\(trigger.summary)) is not simulated: \(reason)")
    }
}
