import Foundation
import SemelKEDA

/// A report for programs: what the ScaledJob does, and what each strategy would have done in `strategies`. Times are in
/// seconds. What never happened is `null`.
struct SimulationJSON: Encodable {
    private let name: String
    private let seed: UInt64
    private let own: Outcome?
    private let strategies: [Outcome]

    init(_ report: SimulationReport) {
        name = report.job.name
        seed = report.input.seed
        strategies = report.outcomes.map { Outcome($0.variant, $0.result) }
        own = strategies.first
    }

    private enum Key: String, CodingKey {
        case scaledJob, seed, strategies
    }

    func encode(to encoder: any Encoder) throws {
        try own?.encode(to: encoder)
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(name, forKey: .scaledJob)
        try object.encode(seed, forKey: .seed)
        try object.encode(strategies, forKey: .strategies)
    }

    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}

extension SimulationJSON {
    fileprivate struct Outcome: Encodable {
        let variant: StrategyVariant
        let result: SimulationResult

        init(_ variant: StrategyVariant, _ result: SimulationResult) {
            (self.variant, self.result) = (variant, result)
        }

        private enum Key: String, CodingKey {
            case strategy, jobsCreated, idleJobs, peakJobs, succeededJobs, failedJobs, keptJobs, pods, polls
            case messages, done, deadLettered, lost, left, crashes, evictions
            case waitSeconds, drainedSeconds, endedSeconds, podHours, taskHours
        }

        private enum WaitKey: String, CodingKey {
            case mean, p50, p90, p99, longest
        }

        func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: Key.self)
            try object.encode(variant.name, forKey: .strategy)
            let counts: [(Key, Int)] = [
                (.jobsCreated, result.jobsCreated), (.idleJobs, result.idleJobs), (.peakJobs, result.peakJobs),
                (.succeededJobs, result.succeededJobs), (.failedJobs, result.failedJobs),
                (.keptJobs, result.keptJobs.successful + result.keptJobs.failed), (.pods, result.podCount),
                (.polls, result.polls), (.messages, result.messageCount), (.done, result.settlements.done),
                (.deadLettered, result.settlements.deadLettered), (.lost, result.settlements.lost),
                (.left, result.left), (.crashes, result.crashes), (.evictions, result.evictions),
            ]
            for (key, count) in counts { try object.encode(count, forKey: key) }
            try object.encode(result.drainedAt.map { Double($0) / 1_000 }, forKey: .drainedSeconds)
            try object.encode(Double(result.endedAt) / 1_000, forKey: .endedSeconds)
            try object.encode(Self.hours(result.podTime), forKey: .podHours)
            try object.encode(Self.hours(result.taskTime), forKey: .taskHours)
            var wait = object.nestedContainer(keyedBy: WaitKey.self, forKey: .waitSeconds)
            try wait.encode(result.waiting.mean.rounded() / 1_000, forKey: .mean)
            try wait.encode(Double(result.waiting.p50) / 1_000, forKey: .p50)
            try wait.encode(Double(result.waiting.p90) / 1_000, forKey: .p90)
            try wait.encode(Double(result.waiting.p99) / 1_000, forKey: .p99)
            try wait.encode(Double(result.waiting.longest) / 1_000, forKey: .longest)
        }

        private static func hours(_ milliseconds: Int) -> Double {
            (Double(milliseconds) / 3.6).rounded() / 1_000_000
        }
    }
}
