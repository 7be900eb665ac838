/// How many Jobs a ScaledJob makes for a few messages: KEDA's decision, poll after poll, with workers that take one
/// message each. One second at a time, without chance. It is what rules put numbers into their messages with; times that
/// vary, crashes and arrivals over hours are no part of it.
struct PollModel: Sendable {
    /// One trigger's view of the queue.
    struct Trigger: Sendable {
        var counted: ResolvedTrigger.Counted
        var target = 1.0
        var activation = 0.0
        /// How old its numbers are.
        var staleSeconds = 0
    }

    var rules: ScalingRules
    var triggers: [Trigger]
    var pollSeconds: Int
    /// Whether a Job is pending until its worker has claimed; otherwise until its pod runs.
    var isPendingUntilClaimed = false
    /// Seconds, and how many messages come then.
    var arrivals = [(at: 0, count: 10), (at: 120, count: 5)]
    var taskSeconds = 300
    /// From a Job's creation until its pod runs.
    var pendingSeconds = 2
    /// From a Job's creation until its worker looks for a message.
    var claimSeconds = 5
    /// For how long a worker looks.
    var waitSeconds = 10
    /// For how long it stays when it is done.
    var lingerSeconds = 0

    struct Forecast: Sendable, Hashable {
        var messages = 0
        var jobs = 0
        /// Jobs that found no message.
        var idle = 0
        /// Most Jobs at a time.
        var peak = 0
        /// From a message's arrival to its claim, in seconds: the longest.
        var longestWait = 0
        /// Messages that nobody had taken when the model ended.
        var left = 0
    }

    /// Longer than any model lasts.
    static let longest = 86_400

    /// When it ends, whatever is left.
    var lastSecond = 3 * 3_600
    /// With more Jobs than these there are no numbers: each second looks at each Job.
    static let mostJobs = 1_000

    /// Whether so many Jobs may be there at a time that the model would take minutes.
    var isTooLarge: Bool {
        rules.limits.minimum > Self.mostJobs
            || (rules.limits.room > Self.mostJobs && triggers.contains { $0.target < 0.02 })
    }

    /// Nothing but 0 when it is too large.
    func run() -> Forecast {
        if isTooLarge { return Forecast() }
        var state = State(self)
        var second = 0
        while second <= lastSecond, !state.isOver {
            state.step(second)
            second += 1
        }
        return state.end()
    }
}

/// The model on its way.
private struct State {
    private struct Job {
        let created: Int
        /// When it looks for a message, and until when.
        let looks: ClosedRange<Int>
        var claimed: Int?
    }

    private let model: PollModel
    private var waiting: [Int] = []
    private var jobs: [Job] = []
    private var history: [(ready: Int, held: Int)] = []
    private var forecast = PollModel.Forecast()
    private var quietSeconds = 0

    init(_ model: PollModel) {
        self.model = model
    }

    private var held: Int { jobs.count { $0.claimed != nil } }

    /// Nobody waits or works, for so long that every poll has seen it.
    var isOver: Bool { quietSeconds > max(1, model.pollSeconds) + (model.triggers.map(\.staleSeconds).max() ?? 0) }

    mutating func step(_ second: Int) {
        for arrival in model.arrivals where arrival.at == second {
            waiting += Array(repeating: second, count: arrival.count)
            forecast.messages += arrival.count
        }
        leave(second)
        claim(second)
        let settled = jobs.count { isSettled($0, second) }
        history.append((waiting.count, held - settled))
        if second % max(1, model.pollSeconds) == 0 { poll(second) }
        forecast.peak = max(forecast.peak, jobs.count)
        let isQuiet = waiting.isEmpty && jobs.isEmpty && second > (model.arrivals.map(\.at).max() ?? 0)
        quietSeconds = isQuiet ? quietSeconds + 1 : 0
    }

    func end() -> PollModel.Forecast {
        var forecast = forecast
        forecast.left = waiting.count
        // Whoever still looks finds nothing any more.
        forecast.idle += jobs.count { $0.claimed == nil }
        return forecast
    }

    /// The message is done, its worker lingers.
    private func isSettled(_ job: Job, _ second: Int) -> Bool {
        job.claimed.map { second >= $0 + model.taskSeconds } ?? false
    }

    private mutating func leave(_ second: Int) {
        jobs.removeAll { job in
            if let claimed = job.claimed { return second >= claimed + model.taskSeconds + model.lingerSeconds }
            guard second > job.looks.upperBound else { return false }
            forecast.idle += 1
            return true
        }
    }

    private mutating func claim(_ second: Int) {
        for index in jobs.indices where !waiting.isEmpty {
            guard jobs[index].claimed == nil, jobs[index].looks.contains(second) else { continue }
            let arrived = waiting.removeFirst()
            jobs[index].claimed = second
            forecast.longestWait = max(forecast.longestWait, second - arrived)
        }
    }

    private mutating func poll(_ second: Int) {
        let metrics = model.triggers.map { trigger in
            let seen = history[max(0, history.count - 1 - trigger.staleSeconds)]
            let value =
                switch trigger.counted {
                case .ready: seen.ready
                case .held: seen.held
                case .readyAndHeld: seen.ready + seen.held
                case .other: 0
                }
            return model.rules.metric(
                value: Double(value), target: trigger.target, isActive: Double(value) > trigger.activation)
        }
        let pending = jobs.count { job in
            model.isPendingUntilClaimed ? job.claimed == nil : second < job.created + model.pendingSeconds
        }
        let create = model.rules.decide(metrics, running: Int64(jobs.count), pending: Int64(pending)).create
        let first = second + model.claimSeconds
        for _ in 0..<create {
            jobs.append(Job(created: second, looks: first...(first + model.waitSeconds)))
            forecast.jobs += 1
        }
    }
}

extension PollModel {
    /// The messages of the model, for messages to people.
    static let story = "15 messages of 5 minutes, 10 at once and 5 after 2 minutes,"
}

extension PollModel.Forecast {
    /// `make about 325 Jobs, 310 of them idle, up to 100 at a time`
    var words: String {
        let idle = idle > 0 ? ", \(idle) of them idle" : ""
        return "make about \(jobs) Jobs\(idle), up to \(peak) at a time"
    }
}
