import ArgumentParser
import Semel
import SemelKEDA

/// What happens to pods and in them. What is given wins over the file.
struct PodFlags: ParsableArguments {
    @Option(help: ArgumentHelp("How long a task takes.", valueName: "time"))
    var task = "60s"

    @Option(help: ArgumentHelp("From a pod's creation to Running.", valueName: "time"))
    var podPending = "2s"

    @Option(help: ArgumentHelp("From Running to the worker's first look at the queue.", valueName: "time"))
    var claimAfter = "1s"

    @Option(help: ArgumentHelp("For how long a worker waits for a message; or forever.", valueName: "time"))
    var wait: String?

    @Option(help: ArgumentHelp("From the settlement of a message to the worker's exit.", valueName: "time"))
    var linger: String?

    @Option(help: ArgumentHelp("After which time Redis or SQS gives a dead worker's message away.", valueName: "time"))
    var lease: String?

    @Option(
        help: ArgumentHelp(
            """
            How old the counts over http are: 7s, or from just after news to just before the next; 4s..9.5s when it is \
            not given.
            """, valueName: "time"))
    var stale: String?

    @Option(help: ArgumentHelp("How likely a worker dies in the middle of a task: 0.01.", valueName: "share"))
    var crash: String?

    @Option(
        name: .customLong("drain"),
        help: ArgumentHelp("Pods that are evicted at times, in seconds: 120:5,600:3.", valueName: "seconds:pods,…"))
    var drains: String?

    @Option(
        name: .customLong("max"), help: ArgumentHelp("Instead of the file's maxReplicaCount.", valueName: "count"))
    var maximum: Int32?

    @Option(help: ArgumentHelp("Instead of the file's pollingInterval.", valueName: "time"))
    var poll: String?

    func apply(to input: inout SimulationInput) throws(CommandFailure) {
        input.worker.task = try Self.distribution("--task", task)
        input.pod.pending = try Self.distribution("--pod-pending", podPending)
        input.worker.claimAfter = try Self.distribution("--claim-after", claimAfter)
        if let wait { input.worker.wait = try wait == "forever" ? nil : Self.time("--wait", wait) }
        if let linger { input.worker.linger = try Self.time("--linger", linger) }
        if let lease {
            input.worker.lease = try Self.time("--lease", lease)
            guard input.worker.lease > 0 else { throw .usage("--lease: has to be longer than 0") }
        }
        if let crash {
            guard let share = ArrivalFlags.decimal(crash[...]), share < 1 else {
                throw .usage("--crash: ‘\(crash)’ is not a share from 0 to less than 1, such as 0.01")
            }
            input.worker.crashProbability = share
        }
        if let drains { input.drains = try Self.drains(drains) }
        if let poll {
            input.pollingInterval = try Self.time("--poll", poll)
            guard input.pollingInterval >= 1_000 else { throw .usage("--poll: KEDA polls once a second at most") }
        }
        try applyMaximum(to: &input)
        try applyStatistics(to: &input)
    }

    private func applyMaximum(to input: inout SimulationInput) throws(CommandFailure) {
        guard let maximum else { return }
        guard maximum >= 0 else { throw .usage("--max: \(maximum) is less than 0") }
        let minimum = Int32(clamping: input.rules.limits.minimum)
        input.rules.limits = ReplicaLimits(minimum: minimum == 0 ? nil : minimum, maximum: maximum)
    }

    private func applyStatistics(to input: inout SimulationInput) throws(CommandFailure) {
        guard let stale else { return }
        guard input.triggers.contains(where: \.isStale) else {
            throw .usage("--stale: only a rabbitmq trigger over http has counts that are old; the file has none")
        }
        let ends = Self.range(stale)
        guard let least = ends.first, let most = ends.last, ends.count <= 2, least <= most else {
            throw .usage("--stale: ‘\(stale)’ is not a time such as 7s, or a range such as 4s..9.5s")
        }
        input.statistics = StatisticsAge(least: least, most: most)
    }

    private static func drains(_ text: String) throws(CommandFailure) -> [NodeDrain] {
        var drains: [NodeDrain] = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let (time, count) = ArrivalFlags.pair(entry, ":") else {
                throw .usage("--drain: ‘\(entry)’ is not SECONDS:PODS, such as 120:5")
            }
            drains.append(NodeDrain(time: time, podCount: count))
        }
        return drains
    }
}

extension PodFlags {
    static func time(_ flag: String, _ text: String) throws(CommandFailure) -> Int {
        guard let time = milliseconds(text[...]) else {
            throw .usage("\(flag): ‘\(text)’ is not a time between 0 and 1000h, such as 500ms, 10s or 1.5m")
        }
        return time
    }

    private static func milliseconds(_ text: Substring) -> Int? {
        guard let duration = Units.duration(String(text)), duration <= .seconds(3_600_000) else { return nil }
        return Int(duration.milliseconds)
    }

    /// `4s..9.5s`, or one time; empty when it is neither.
    private static func range(_ text: String) -> [Int] {
        let ends = text.split(separator: "..", omittingEmptySubsequences: false)
        let times = ends.compactMap { milliseconds($0) }
        return times.count == ends.count ? times : []
    }

    /// `60s`, `uniform:30s..90s`, `exp:60s`, `lognormal:60s,0.5`
    static func distribution(_ flag: String, _ text: String) throws(CommandFailure) -> DurationDistribution {
        guard let colon = text.firstIndex(of: ":") else { return .constant(try time(flag, text)) }
        let rest = text[text.index(after: colon)...]
        switch text[..<colon] {
        case "uniform":
            let ends = range(String(rest))
            if ends.count == 2, ends[0] <= ends[1] { return .uniform(least: ends[0], most: ends[1]) }
        case "exp":
            if let mean = milliseconds(rest) { return .exponential(mean: mean) }
        case "lognormal":
            let parts = rest.split(separator: ",", omittingEmptySubsequences: false)
            if parts.count == 2, let median = milliseconds(parts[0]), let spread = ArrivalFlags.decimal(parts[1]),
                spread <= 10
            {
                return .logNormal(median: median, spread: spread)
            }
        default: break
        }
        throw .usage(
            "\(flag): ‘\(text)’ is none of 60s, uniform:30s..90s, exp:60s (mean) and lognormal:60s,0.5 (median, spread)"
        )
    }
}
