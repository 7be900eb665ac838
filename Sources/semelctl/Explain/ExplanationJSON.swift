import SemelKEDA

/// The decision for a program. The letters of KEDA's formulas are spelled out: `queueLength` is Q, `maxScale` M,
/// `effectiveMaxScale` E, `scaleTo` S, `room` X.
struct ExplanationJSON: Encodable {
    private let scaledJob: String
    private let keda: String
    private let active: Bool
    private let queueLength: Int64
    private let maxScale: Int64
    private let effectiveMaxScale: Int64
    private let effectiveMaxScaleRaw: Int64
    private let scaleTo: Int64
    private let create: Int64
    private let running: Int64
    private let pending: Int64
    private let minimum: Int64
    private let room: Int64
    private let strategy: String
    private let combination: String
    private let operatorPanics: Bool
    private let paused: Bool
    private let findings: [Finding]
    private let triggers: [Trigger]

    private struct Finding: Encodable {
        var file: String
        var line: Int
        var path: String
        var kind: String
        var message: String
    }

    private struct Trigger: Encodable {
        var index: Int
        var type: String
        var name: String?
        var failed: Bool
        /// As it was given or read, before KEDA cuts it to thousandths. JSON has no infinite numbers: one is left out.
        var value: Double?
        /// From the real queue.
        var read: Bool
        var q: Double?
        var t: Double?
        var m: Double?
        var active: Bool
        /// Whether its numbers are in the combination.
        var taken: Bool
    }

    init(_ explanation: Explanation) {
        let decision = explanation.decision
        let rules = decision.rules
        scaledJob = explanation.job.name
        keda = "\(rules.version)"
        active = decision.isActive
        (queueLength, maxScale) = (decision.queueLength, decision.maxScale)
        (effectiveMaxScale, effectiveMaxScaleRaw) = (decision.effectiveMaxScale, decision.effectiveMaxScaleRaw)
        (scaleTo, create) = (decision.scaleTo, explanation.create)
        (running, pending) = (decision.running, decision.pending)
        (minimum, room) = (rules.limits.minimum, rules.limits.room)
        (strategy, combination) = (rules.strategy.name, rules.combination.rawValue)
        operatorPanics = decision.operatorPanics
        paused = explanation.job.isPaused
        findings = explanation.findings.map {
            Finding(
                file: $0.position.file, line: $0.position.line, path: $0.path, kind: $0.kind.rawValue,
                message: $0.message)
        }
        triggers = explanation.triggers.map { trigger in
            var json = Trigger(
                index: trigger.index, type: trigger.type, name: trigger.name, failed: trigger.hasFailed, read: false,
                active: false, taken: explanation.isTaken(trigger))
            if case .read(_, let value, _, _, let isRead) = trigger.state, let metric = trigger.metric(rules) {
                let finite = { (number: Double) in number.isFinite ? number : nil }
                (json.value, json.read, json.active) = (finite(value), isRead, metric.isActive)
                (json.q, json.t, json.m) = (
                    finite(metric.quantity), finite(metric.target), finite(metric.wanted)
                )
            }
            return json
        }
    }

    func line() -> String {
        JSONText.of(self) + "\n"
    }
}
