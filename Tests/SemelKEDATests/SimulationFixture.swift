import SemelKEDA

/// How the simulation is asked in tests: seconds instead of milliseconds, and what was measured on a running operator as
/// the ground it stands on.
enum Scene {
    /// `0:10,43:5`: seconds and messages.
    static func arrivals(_ text: String) -> ArrivalSchedule {
        ArrivalSchedule(
            text.split(separator: ",").map { entry in
                let parts = entry.split(separator: ":").map { Double(String($0))! }
                return ArrivalSchedule.Batch(time: Int(parts[0] * 1_000), count: Int(parts[1]))
            })
    }

    /// 10 messages, 5 more 40 s later, 60 s of work, 5 s from start to claim, a poll every 5 s, at most 20 Jobs, 10 s of
    /// waiting. The messages come 2 s before a poll.
    static func measured(
        _ triggers: [SimulatedTrigger], _ queue: SimulationInput.QueueKind, _ strategy: ScalingStrategy,
        _ combination: CombinationRule = .max
    ) -> SimulationInput {
        var input = SimulationInput(
            rules: ScalingRules(
                limits: ReplicaLimits(minimum: nil, maximum: 20), strategy: strategy, combination: combination),
            triggers: triggers, queue: queue, arrivals: arrivals("3:10,43:5"), pollingInterval: 5_000)
        input.pod.pending = .constant(1_000)
        input.pod.backoffLimit = 0
        input.pod.readiness = .claimed(probeInterval: 1_000, firstProbe: 0)
        input.worker.claimAfter = .constant(5_000)
        return input
    }

    static let amqp = [SimulatedTrigger(.ready)]
    static let http = [SimulatedTrigger(.readyAndHeld, isStale: true)]
    static let leases = [SimulatedTrigger(.ready), SimulatedTrigger(.held)]
    static let ready = PendingRule(["Ready"])
}
