import SemelKEDA

/// What schedule, window and `startWithin` come to together, and where they contradict each other.
struct ScheduleRules {
    /// How late a Job may begin when nobody says so: long enough for a control plane that restarts.
    private static let usualStart: Int64 = 600
    /// 1 January 2027.
    private static let begin: Int64 = 1_798_761_600

    private let fields: GroupsFields
    private let text: Located<String>
    private let schedule: CronSchedule

    init(_ fields: GroupsFields, _ text: Located<String>) throws(ManifestError) {
        self.fields = fields
        self.text = text
        do throws(CronSchedule.Problem) {
            schedule = try CronSchedule(text.value)
        } catch {
            throw ManifestError(text, error.message)
        }
        // Zones do not matter for whether there is any day.
        guard schedule.next(after: Self.begin, { _ in 0 }) != nil else {
            throw ManifestError(text, "‘\(text.value)’ is never: no month has such a day")
        }
    }

    func deadlines() throws(ManifestError) -> GroupsFile.Deadlines {
        guard let window = fields.window else {
            if let startWithin = fields.startWithin { try requireFewStarts(within: startWithin.value) }
            return GroupsFile.Deadlines(starting: fields.startWithin?.value, active: fields.activeDeadline?.value)
        }
        if let own = fields.activeDeadline {
            throw ManifestError(own, "is what the window says; leave one of them out")
        }
        let active = try shortest(in: window) * 60
        if let startWithin = fields.startWithin, startWithin.value > active {
            throw ManifestError(
                startWithin, "is longer than what is left of the window (\(window.value)) when the schedule fires")
        }
        let starting = fields.startWithin?.value ?? min(Self.usualStart, max(10, active / 2))
        try requireFewStarts(within: starting)
        return GroupsFile.Deadlines(starting: starting, active: active)
    }

    /// What is left of the window, in minutes, when the schedule fires for the last time in it: a Job has one deadline,
    /// whenever it began.
    private func shortest(in window: Located<Window>) throws(ManifestError) -> Int64 {
        guard let minutes = schedule.minutesOfDay else {
            throw ManifestError(text, "‘\(text.value)’ follows no clock, so that it cannot keep to a window")
        }
        var shortest = Int.max
        for minute in minutes {
            guard let left = window.value.left(at: minute) else {
                throw ManifestError(
                    text, "fires at \(Window.clock(minute)), which is outside the window \(window.value)")
            }
            shortest = min(shortest, left)
        }
        return Int64(shortest)
    }

    /// Kubernetes gives up a CronJob that has missed more than 100 starts within its starting deadline. Looked at from the
    /// first day on which it fires.
    private func requireFewStarts(within seconds: Int64) throws(ManifestError) {
        guard let first = schedule.next(after: Self.begin, { _ in 0 }) else { return }
        var starts: [Int64] = [first]
        while let next = schedule.next(after: starts[starts.count - 1], { _ in 0 }), next <= first + 86_400 + seconds {
            starts.append(next)
            guard starts.count > 101 else { continue }
            starts.removeFirst()
            guard starts[100] - starts[0] > seconds else {
                throw ManifestError(
                    fields.startWithin ?? Located(seconds, at: text.position, path: text.path),
                    "more than 100 starts are due within \(seconds) s; Kubernetes gives up a CronJob that missed so many"
                )
            }
        }
    }
}
