/// The same messages, tasks and pods under another strategy.
public struct StrategyVariant: Sendable {
    /// `accurate [Ready]`
    public let name: String
    /// Whether it is what the ScaledJob says.
    public let isOwn: Bool
    public let input: SimulationInput

    /// The ScaledJob's own strategy first, then each of the others: `default`, `accurate`, `accurate` with
    /// `pendingPodConditions: [Ready]` where Ready is who has claimed, and `eager`.
    public static func all(of input: SimulationInput) -> [StrategyVariant] {
        let own = StrategyVariant(name: name(input.rules.strategy, input.pendingRule), isOwn: true, input: input)
        let others: [(ScalingStrategy, PendingRule)] = [
            (.standard, .phase), (.accurate, .conditions(["Ready"])), (.accurate, .phase), (.eager, .phase),
        ]
        return [own]
            + others.compactMap { strategy, pendingRule in
                let name = name(strategy, pendingRule)
                guard name != own.name else { return nil }
                var other = input
                other.rules.strategy = strategy
                other.pendingRule = pendingRule
                if pendingRule != .phase, case .afterStart = other.pod.readiness {
                    other.pod.readiness = .claimed(probeInterval: 1_000, firstProbe: 0)
                }
                return StrategyVariant(name: name, isOwn: false, input: other)
            }
    }

    private static func name(_ strategy: ScalingStrategy, _ pendingRule: PendingRule) -> String {
        // Who is pending makes no difference to `default` and `custom`.
        switch (strategy, pendingRule) {
        case (.accurate, .conditions(let names)), (.eager, .conditions(let names)):
            "\(strategy.name) [\(names.joined(separator: ", "))]"
        default: strategy.name
        }
    }
}
